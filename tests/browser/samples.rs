//! Accounts, users, pictures and time for tests.

use std::{cell::Cell, rc::Rc};

use miniature::{
    api::{FriendsPage, ImageId, Lineage, Record, Revision, Size, UserId},
    cache::{
        clock::Timestamp,
        core::{Op, Room},
        document::{Body, Document, DocumentKey},
        entry::{CheckedRecord, Content, Found, Rendition},
        eviction::Limits,
        key::{Lookup, RenditionKey, Wanted},
        raster::RasterType,
    },
};

pub(crate) const SIZE: Size = Size::S64;

/// Room for everything.
pub(crate) const ROOM: Room = Room {
    limits: Limits { entries: 10_000, bytes: 100 << 20, trim_entries_to: 10_000 },
    pages: 1_000,
    profiles: 1_000,
    halve: false,
};

/// The smallest WebP there is: one pixel.
pub(crate) const PIXEL: [u8; 42] = [
    0x52, 0x49, 0x46, 0x46, 0x22, 0x00, 0x00, 0x00, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x20,
    0x16, 0x00, 0x00, 0x00, 0x30, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x01, 0x00, 0x01, 0x00, 0x0e, 0xc0,
    0xfe, 0x25, 0xa4, 0x00, 0x03, 0x70, 0x00, 0x00, 0x00, 0x00,
];

/// What says that it is a WebP of 64 px. Nothing would decode it.
pub(crate) fn container() -> [u8; 42] {
    let mut bytes = PIXEL;
    bytes[26] = 64;
    bytes[28] = 64;
    bytes
}

pub(crate) fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

/// An account that no other test uses.
pub(crate) fn new_account() -> UserId {
    thread_local!(static COUNT: Cell<u32> = const { Cell::new(0) });
    let number = COUNT.replace(COUNT.get() + 1);
    user(&format!("account-{number}-{}", js_sys::Math::random().to_string().replace('.', "")))
}

pub(crate) fn image(number: u8) -> ImageId {
    ImageId::from_bytes([number; 16])
}

pub(crate) fn lineage(number: u8) -> Lineage {
    Lineage::new(1_767_225_600_000 + u64::from(number), 7).unwrap()
}

pub(crate) fn rendition(image: ImageId, bytes: &[u8]) -> Rendition {
    let content = Content::Bytes(RasterType::Webp, Rc::from(bytes));
    Rendition { key: RenditionKey { image, size: SIZE }, content }
}

/// The rendition of image `number` at a size, of 300 bytes that differ by image.
pub(crate) fn picture(number: u8, size: Size) -> Rendition {
    let rendition = rendition(image(number), &[number; 300]);
    Rendition { key: RenditionKey { size, ..rendition.key }, ..rendition }
}

/// The record of revision `number`, which is of image `number` (none: 0).
pub(crate) fn record(name: &str, number: u8) -> CheckedRecord {
    let record = Record {
        user_id: user(name),
        revision: Revision(number.into()),
        image_id: (number > 0).then(|| image(number)),
        thumbhash: Some("1QcSHQRnh493V4dIh4eXh1h4kJUI".into()),
    };
    CheckedRecord { record, lineage: Some(lineage(1)), checked_at: Timestamp(1_000) }
}

pub(crate) fn keep(record: CheckedRecord) -> Op<Content> {
    Op::Record { record, insert: true }
}

pub(crate) fn keep_picture(name: &str, number: u8) -> Op<Content> {
    Op::Rendition { user: user(name), rendition: picture(number, SIZE) }
}

/// Keeps the record of revision `number`, and its picture if it has one.
pub(crate) fn entry(name: &str, number: u8) -> Vec<Op<Content>> {
    let picture = (number > 0).then(|| keep_picture(name, number));
    [Some(keep(record(name, number))), picture].into_iter().flatten().collect()
}

pub(crate) fn lookup(name: &str) -> Lookup {
    Lookup { wanted: Wanted { user: user(name), size: SIZE }, image: None }
}

/// A page of friends, the first without a cursor, told apart by `next`.
pub(crate) fn page(cursor: Option<&str>, next: &str) -> Document {
    Document {
        key: DocumentKey::Friends(cursor.map(Into::into)),
        body: Body::Friends(FriendsPage { friends: Vec::new(), next: Some(next.into()) }.into()),
        etag: Some("\"7\"".into()),
        lineage: lineage(1),
        checked_at: Timestamp(1_000),
    }
}

/// JavaScript for a 401 of our API: there is no session.
pub(crate) const NO_SESSION: &str =
    "new Response('{\"type\":\"/problems/no-session\",\"title\":\"Unauthorized\",\"status\":401}',
     { status: 401, headers: { 'content-type': 'application/problem+json' } })";

/// JavaScript for 401s that something before the API answered.
pub(crate) const GATEWAYS: [&str; 3] = [
    "new Response('<html>', { status: 401, headers: { 'content-type': 'text/html' } })",
    "new Response('{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401}',
     { status: 401, headers: { 'content-type': 'application/json' } })",
    "new Response(null, { status: 401 })",
];

/// The first page as it was known at these times, in the order in which they are stored at 5 000; and
/// which of them is kept.
pub(crate) fn pages_in_turn() -> ([Document; 4], usize) {
    let at = |next, checked_at| Document { checked_at: Timestamp(checked_at), ..page(None, next) };
    let restored = Document { lineage: lineage(0), ..at("restored", 4_000) };
    ([at("of a clock that ran ahead", 9_000), at("later", 3_000), at("late", 2_000), restored], 1)
}

pub(crate) fn profile(name: &str) -> Document {
    let profile = miniature::api::Profile {
        user_id: user(name),
        name: name.to_uppercase(),
        headline: String::new(),
        friend_count: 3,
        picture: record(name, 1).record,
    };
    Document {
        key: DocumentKey::Profile(user(name)),
        body: Body::Profile(profile),
        ..page(None, "")
    }
}

/// Checks that `found` is this record with this picture, in whatever form the layer keeps it.
#[track_caller]
pub(crate) fn assert_found(found: &Found, record: &CheckedRecord, picture: Option<&Rendition>) {
    assert_eq!(found.record.as_ref(), Some(record));
    assert_eq!(found.rendition.as_ref().map(shown), picture.map(shown));
}

/// Checks that `found` is what [`entry`] keeps.
#[track_caller]
pub(crate) fn assert_entry(found: &Found, name: &str, number: u8) {
    let picture = (number > 0).then(|| picture(number, SIZE));
    assert_found(found, &record(name, number), picture.as_ref());
}

pub(crate) fn shown(rendition: &Rendition) -> (RenditionKey, Rc<str>) {
    (rendition.key, rendition.content.to_data_url())
}
