//! Accounts, users, pictures and time for tests.

use std::{cell::Cell, rc::Rc};

use miniature::{
    api::{ImageId, Record, Revision, Size, UserId},
    cache::{
        clock::Timestamp,
        entry::{CheckedRecord, Content, Entry, Found, Rendition},
        key::{Key, Lookup, RenditionKey, Wanted},
        raster::RasterType,
    },
};

pub(crate) const SIZE: Size = Size::S64;

/// The smallest WebP there is: one pixel.
pub(crate) const PIXEL: [u8; 42] = [
    0x52, 0x49, 0x46, 0x46, 0x22, 0x00, 0x00, 0x00, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x20,
    0x16, 0x00, 0x00, 0x00, 0x30, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x01, 0x00, 0x01, 0x00, 0x0e, 0xc0,
    0xfe, 0x25, 0xa4, 0x00, 0x03, 0x70, 0x00, 0x00, 0x00, 0x00,
];

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

pub(crate) fn rendition(image: ImageId, bytes: &[u8]) -> Rendition {
    let content = Content::Bytes(RasterType::Webp, Rc::from(bytes));
    Rendition { key: RenditionKey { image, size: SIZE }, content }
}

pub(crate) fn record(name: &str, number: u8) -> CheckedRecord {
    let record = Record {
        user_id: user(name),
        revision: Revision(number.into()),
        image_id: (number > 0).then(|| image(number)),
        thumbhash: None,
    };
    CheckedRecord { record, checked_at: Timestamp(1_000) }
}

/// What is stored of a user with image `number` (none: 0), whose content differs by image.
pub(crate) fn entry(name: &str, number: u8) -> Entry {
    let rendition = (number > 0).then(|| rendition(image(number), &vec![number; 300]));
    Entry { record: record(name, number), rendition }
}

pub(crate) fn lookup(name: &str) -> Lookup {
    Lookup { wanted: Wanted { user: user(name), size: SIZE }, image: None }
}

/// The keys under which a layer may hold an entry.
pub(crate) fn keys(entry: &Entry) -> Vec<Key> {
    let rendition = entry.rendition.as_ref().map(|rendition| Key::Rendition(rendition.key));
    [Some(Key::User(entry.record.record.user_id.clone())), rendition]
        .into_iter()
        .flatten()
        .collect()
}

/// Checks that `found` is what was put, in whatever form the layer keeps the content.
#[track_caller]
pub(crate) fn assert_found(found: &Found, put: &Entry) {
    assert_eq!(found.record.as_ref(), Some(&put.record));
    let shown = |rendition: &Rendition| (rendition.key, rendition.content.to_data_url());
    assert_eq!(found.rendition.as_ref().map(shown), put.rendition.as_ref().map(shown));
}
