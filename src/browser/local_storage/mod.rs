//! LocalStorage: records and previews, read within the call.
//!
//! | key | value |
//! | --- | --- |
//! | `miniature:v1:account` | the signed-in account, JSON |
//! | `miniature:v1:sign-out-owed` | while a sign-out has not reached the server: the session's marker |
//! | `miniature:v1:{account}:record:{user}` | `{revision} {image} {lineage} {checked_at} {used_at} {thumbhash}` |
//! | `miniature:v1:{account}:preview:{user}` | `{image} {size} {data: URL}`, perhaps of an older image |
//! | `miniature:v1:{account}:page:friends` | the first page of friends, a document as JSON |
//! | `miniature:v1:{account}:page:feed` | the first page of the feed, likewise |
//! | `miniature:v1:{account}:believe-from` | 13 digits: rows checked before are shown, not believed |
//! | `miniature:v1:{account}:lineage` | the latest lineage seen |
//! | `miniature:v1:{account}:event` | the last event that was heard, after its lineage |
//! | `miniature:v1:{account}:picture-cache` | the name of the cache of pictures, once there is one |
//! | `miniature:v1:{account}:synced` | 13 digits: when what ends soon was renewed last |
//!
//! Image and lineage are `-` where there is none; without a thumbhash its place is left out. Times
//! are in milliseconds. Rows are plain text, not JSON: 50 of them are read before the first frame.
//!
//! **Invariant:** nothing outside an account's own prefix is ever removed by clearing it. A user id
//! has no colon, so that no account's prefix begins another's.

mod account;
mod change;
mod row;
mod shelf;
mod start;
mod write;

use gloo_storage::Storage as _;
use web_sys::Storage;

use super::exception::layer_error;
use crate::cache::{document::DocumentKey, layer::LayerError};
pub use account::{ACCOUNT_KEY, accounts, note, noted};
pub use shelf::LocalStorageShelf;

/// Begins every key of this version of the layout.
pub const PREFIX: &str = "miniature:v1:";

/// What follows an account's prefix, up to the user or to the end.
const RECORD: &str = "record";
const PREVIEW: &str = "preview";
const OLD_PICTURE: &str = "picture";
const FRIENDS_PAGE: &str = "page:friends";
const FEED_PAGE: &str = "page:feed";
const BELIEVE_FROM: &str = "believe-from";
const LINEAGE: &str = "lineage";
const LIVE: &str = "event";
const PICTURE_CACHE: &str = "picture-cache";
const SYNCED: &str = "synced";
/// When the account was seen here first; empty once the browser was asked to keep its storage.
const SEEN: &str = "seen";

/// The name under which a document is kept here, if it is.
fn page_name(key: &DocumentKey) -> Option<&'static str> {
    match key {
        DocumentKey::Friends(None) => Some(FRIENDS_PAGE),
        DocumentKey::Feed(None) => Some(FEED_PAGE),
        DocumentKey::Friends(Some(_)) | DocumentKey::Feed(Some(_)) | DocumentKey::Profile(_) => {
            None
        }
    }
}

/// The storage, if the browser lets us read it.
///
/// gloo-storage panics where storage is blocked, so the browser is asked first.
fn open() -> Result<Storage, LayerError> {
    let window = web_sys::window().ok_or(LayerError::Unavailable)?;
    let storage = window.local_storage().ok().flatten().ok_or(LayerError::Unavailable)?;
    storage.get_item(ACCOUNT_KEY).map_err(|_| LayerError::Unavailable)?;
    Ok(gloo_storage::LocalStorage::raw())
}

fn get(storage: &Storage, key: &str) -> Result<Option<String>, LayerError> {
    storage.get_item(key).map_err(|thrown| failure(&thrown))
}

fn set(storage: &Storage, key: &str, value: &str) -> Result<(), LayerError> {
    storage.set_item(key, value).map_err(|thrown| failure(&thrown))
}

fn remove(storage: &Storage, key: &str) -> Result<(), LayerError> {
    storage.remove_item(key).map_err(|thrown| failure(&thrown))
}

/// LocalStorage has no connection to lose: all that it reports but a full disk is a refusal.
fn failure(thrown: &wasm_bindgen::JsValue) -> LayerError {
    match layer_error(thrown) {
        LayerError::Full => LayerError::Full,
        LayerError::Unavailable
        | LayerError::Disconnected
        | LayerError::TimedOut
        | LayerError::Failed => LayerError::Unavailable,
    }
}

/// The keys that begin with `prefix`, in no order.
fn keys_under(storage: &Storage, prefix: &str) -> Result<Vec<String>, LayerError> {
    let count = storage.length().map_err(|thrown| failure(&thrown))?;
    let mut keys = Vec::new();
    for index in 0..count {
        keys.extend(storage.key(index).map_err(|thrown| failure(&thrown))?);
    }
    keys.retain(|key| key.starts_with(prefix));
    Ok(keys)
}
