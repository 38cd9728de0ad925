//! What stands in the stores.

use std::rc::Rc;

use js_sys::{ArrayBuffer, Object, Reflect, Uint8Array};
use miniature_api::{ImageId, UserId};
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    browser::{json, number},
    cache::{
        clock::Timestamp,
        document::{Body, Document, DocumentKey},
        entry::{CheckedRecord, Content, Rendition},
        eviction::Usage,
        key::RenditionKey,
        raster::RasterType,
    },
};

pub(super) const USED_AT: &str = "used_at";
pub(super) const RANK: &str = "rank";
pub(super) const STORED_AT: &str = "stored_at";
pub(super) const KIND: &str = "kind";
const BYTES: &str = "bytes";
const ENTRIES: &str = "entries";
const KNOWN: &str = "known";
const HELD: &str = "held";
const TEXT: &str = "text";
const TYPE: &str = "type";

/// A row of `records`.
#[derive(Clone, Debug)]
pub(super) struct RecordRow {
    pub(super) known: CheckedRecord,
    /// The image of which renditions were stored last, which may be an older one.
    pub(super) held: Option<ImageId>,
    pub(super) used_at: Timestamp,
}

/// Which of two rows of the same age is evicted first: the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    Rendition = 0,
    Record = 1,
}

/// What documents there are, each with a budget of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Page = 0,
    Profile = 1,
}

impl Kind {
    pub(super) fn of(key: &DocumentKey) -> Self {
        match key {
            DocumentKey::Friends(_) | DocumentKey::Feed(_) => Self::Page,
            DocumentKey::Profile(_) => Self::Profile,
        }
    }
}

impl RecordRow {
    /// Reads the row of `user`; none if it is not whole.
    pub(super) fn read(row: &JsValue, user: &UserId) -> Option<Self> {
        Self::of_anybody(row).filter(|row| row.known.record.user_id == *user)
    }

    /// Reads the row of the user that it names.
    pub(super) fn of_anybody(row: &JsValue) -> Option<Self> {
        let known: CheckedRecord = json::read(&field(row, KNOWN).as_string()?)?;
        let held = field(row, HELD).as_string().and_then(|image| image.parse().ok());
        let used_at = Timestamp(whole(row, USED_AT)?);
        Some(Self { known, held, used_at })
    }

    /// The row, and the bytes that it takes; none if the record has no place in JSON.
    pub(super) fn write(&self) -> Option<(JsValue, u64)> {
        let known = json::write(&self.known)?;
        let bytes = known.len() as u64;
        let held = self.held.map_or(JsValue::UNDEFINED, |image| image.to_string().into());
        let used_at = number::float(self.used_at.0);
        Some((object([(KNOWN, known.into()), (HELD, held), (USED_AT, used_at.into())]), bytes))
    }
}

/// None for a rendition that has no bytes of its own to store.
pub(super) fn rendition_row(rendition: &Rendition) -> Option<JsValue> {
    match &rendition.content {
        Content::Bytes(kind, bytes) => {
            let bytes = Uint8Array::from(&bytes[..]).buffer();
            Some(object([(TYPE, kind.media_type().into()), (BYTES, bytes.into())]))
        }
        Content::DataUrl(_) => None,
    }
}

/// None if the row is not whole.
pub(super) fn read_rendition(row: &JsValue, key: RenditionKey) -> Option<Rendition> {
    let kind = RasterType::named(&field(row, TYPE).as_string()?)?;
    let buffer = field(row, BYTES).dyn_into::<ArrayBuffer>().ok()?;
    let bytes: Rc<[u8]> = Uint8Array::new(&buffer).to_vec().into();
    (!bytes.is_empty()).then_some(Rendition { key, content: Content::Bytes(kind, bytes) })
}

pub(super) fn use_row(bytes: u64, used_at: Timestamp, rank: Rank) -> JsValue {
    let used_at = number::float(used_at.0);
    let rank = JsValue::from(rank as u8);
    object([(BYTES, number::float(bytes).into()), (USED_AT, used_at.into()), (RANK, rank)])
}

/// How many bytes a use says that its row takes; 0 if it cannot be read.
pub(super) fn bytes_of(row: &JsValue) -> u64 {
    whole(row, BYTES).unwrap_or(0)
}

/// When a use says that its row was used last; none if it cannot be read.
pub(super) fn used_at(row: &JsValue) -> Option<Timestamp> {
    whole(row, USED_AT).map(Timestamp)
}

pub(super) fn sum_row(sum: Usage) -> JsValue {
    let entries = number::float(sum.entries as u64);
    object([(ENTRIES, entries.into()), (BYTES, number::float(sum.bytes).into())])
}

/// None if the row is not whole.
pub(super) fn read_sum(row: &JsValue) -> Option<Usage> {
    let entries = usize::try_from(whole(row, ENTRIES)?).ok()?;
    Some(Usage { entries, bytes: whole(row, BYTES)? })
}

/// None if the document has no place in JSON.
pub(super) fn page_row(document: &Document, stored_at: Timestamp) -> Option<JsValue> {
    let text = json::write(document)?;
    let stored_at = number::float(stored_at.0);
    let kind = JsValue::from(Kind::of(&document.key) as u8);
    Some(object([(TEXT, text.into()), (KIND, kind), (STORED_AT, stored_at.into())]))
}

/// None if the row is not whole.
pub(super) fn read_page(row: &JsValue, key: &DocumentKey) -> Option<Document> {
    let document: Document = json::read(&field(row, TEXT).as_string()?)?;
    let is_whole = match (&document.key, &document.body) {
        (DocumentKey::Friends(_), Body::Friends(_)) | (DocumentKey::Feed(_), Body::Feed(_)) => true,
        (DocumentKey::Profile(user), Body::Profile(profile)) => profile.user_id == *user,
        (DocumentKey::Friends(_) | DocumentKey::Feed(_) | DocumentKey::Profile(_), _) => false,
    };
    (is_whole && document.key == *key).then_some(document)
}

fn object<const N: usize>(fields: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // A plain object takes any field.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn whole(object: &JsValue, name: &str) -> Option<u64> {
    field(object, name).as_f64().map(number::whole)
}
