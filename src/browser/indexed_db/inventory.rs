//! All that is held, without bytes.

use js_sys::Array;
use miniature_api::ImageId;
use wasm_bindgen::JsValue;
use web_sys::IdbTransaction;

use super::{
    Done, RECORDS, USES, request,
    row::{self, RecordRow},
};
use crate::cache::{clock::Timestamp, entry::CheckedRecord, key::RenditionKey, replay::Hollow};

/// Records and renditions, as [`Inventory`](crate::cache::replay::Inventory) has them.
pub(super) type Held =
    (Vec<(CheckedRecord, Timestamp, Option<ImageId>)>, Vec<(RenditionKey, Hollow, Timestamp)>);

/// Lists records and renditions.
pub(super) async fn list(transaction: &IdbTransaction) -> Done<Held> {
    let (records, uses) = (transaction.object_store(RECORDS)?, transaction.object_store(USES)?);
    let records = request::result(records.get_all());
    let (names, uses) = (request::result(uses.get_all_keys()), request::result(uses.get_all()));
    let records = Array::from(&records.await?);
    let (names, uses) = (Array::from(&names.await?), Array::from(&uses.await?));
    let records = records.iter().filter_map(|row| {
        let RecordRow { known, held, used_at } = RecordRow::of_anybody(&row)?;
        Some((known, used_at, held))
    });
    let renditions = names.iter().zip(uses.iter()).filter_map(|(name, held)| {
        let length = usize::try_from(row::bytes_of(&held)).ok()?;
        Some((key_of(&name)?, Hollow(length), row::used_at(&held)?))
    });
    Ok((records.collect(), renditions.collect()))
}

/// The rendition that a use names; none if it names a record.
fn key_of(name: &JsValue) -> Option<RenditionKey> {
    let name = name.as_string()?;
    let (image, size) = name.split_once('/')?;
    Some(RenditionKey { image: image.parse().ok()?, size: size.parse().ok()? })
}
