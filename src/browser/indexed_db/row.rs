//! What stands in the stores.

use std::rc::Rc;

use js_sys::{ArrayBuffer, Object, Reflect, Uint8Array};
use miniature_api::UserId;
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    browser::{json, number},
    cache::{
        clock::Timestamp,
        entry::{CheckedRecord, Content, Held, Rendition},
        key::{Key, RenditionKey},
        raster::RasterType,
    },
};

/// Why a row cannot be read back as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Corrupt;

/// The name of a key in its store and in `uses`. A user id has no slash, so no two are the same.
pub(super) fn name_of(key: &Key) -> String {
    match key {
        Key::User(user) => user.to_string(),
        Key::Rendition(RenditionKey { image, size }) => format!("{image}/{size}"),
    }
}

fn key_named(name: &str) -> Option<Key> {
    match name.split_once('/') {
        None => Some(Key::User(name.parse().ok()?)),
        Some((image, size)) => {
            let (image, size) = (image.parse().ok()?, size.parse().ok()?);
            Some(Key::Rendition(RenditionKey { image, size }))
        }
    }
}

pub(super) fn record_text(record: &CheckedRecord) -> String {
    json::write(record).unwrap_or_default()
}

pub(super) fn read_record(row: &JsValue, user: &UserId) -> Result<CheckedRecord, Corrupt> {
    let text = row.as_string().ok_or(Corrupt)?;
    let record: CheckedRecord = json::read(&text).ok_or(Corrupt)?;
    if record.record.user_id == *user { Ok(record) } else { Err(Corrupt) }
}

/// None for a rendition that has no bytes of its own to store.
pub(super) fn rendition_row(rendition: &Rendition) -> Option<JsValue> {
    match &rendition.content {
        Content::Bytes(kind, bytes) => {
            let bytes = Uint8Array::from(&bytes[..]).buffer();
            Some(object([("type", kind.media_type().into()), ("bytes", bytes.into())]))
        }
        Content::DataUrl(_) => None,
    }
}

pub(super) fn read_rendition(row: &JsValue, key: RenditionKey) -> Result<Rendition, Corrupt> {
    let kind = field(row, "type").as_string().and_then(|kind| RasterType::named(&kind));
    let buffer = field(row, "bytes").dyn_into::<ArrayBuffer>().map_err(|_| Corrupt)?;
    let bytes: Rc<[u8]> = Uint8Array::new(&buffer).to_vec().into();
    if bytes.is_empty() {
        return Err(Corrupt);
    }
    Ok(Rendition { key, content: Content::Bytes(kind.ok_or(Corrupt)?, bytes) })
}

pub(super) fn use_row(bytes: u64, used_at: Timestamp) -> JsValue {
    object([("bytes", number::float(bytes).into()), ("used_at", number::float(used_at.0).into())])
}

/// How many bytes a use says its key takes; 0 if the row cannot be read.
pub(super) fn bytes_of(row: &JsValue) -> u64 {
    number::whole(field(row, "bytes").as_f64().unwrap_or(0.0))
}

/// A line of the inventory; none if its name is not one of ours.
pub(super) fn read_use(name: &JsValue, row: &JsValue) -> Option<Held> {
    let key = key_named(&name.as_string()?)?;
    let used_at = number::whole(field(row, "used_at").as_f64().unwrap_or(0.0));
    Some(Held { key, bytes: bytes_of(row), used_at: Timestamp(used_at) })
}

pub(super) fn page_row(text: &str, stored_at: Timestamp) -> JsValue {
    object([("text", text.into()), (super::STORED_AT, number::float(stored_at.0).into())])
}

pub(super) fn read_page(row: &JsValue) -> Option<String> {
    field(row, "text").as_string()
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
