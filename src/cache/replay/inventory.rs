//! What layers held when a recording began.

use miniature_api::{ImageId, UserId};
use serde::{Deserialize, Serialize};

use super::Hollow;
use crate::cache::{
    clock::Timestamp,
    entry::{CheckedRecord, Found},
    key::RenditionKey,
};

/// What the layers of an account held when a recording began, but for documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The rows of LocalStorage.
    pub local: Vec<(UserId, Found<Hollow>)>,
    /// The records of IndexedDB, when each was used last, and the image whose bytes it holds.
    pub records: Vec<(CheckedRecord, Timestamp, Option<ImageId>)>,
    /// The renditions of IndexedDB, and when each was used last.
    pub renditions: Vec<(RenditionKey, Hollow, Timestamp)>,
    /// The pictures of the cache that the page shares with its worker, the one put there longest ago first.
    pub pictures: Vec<(RenditionKey, Hollow)>,
}
