//! What may be stored, and what the browser says about that.

use serde::{Deserialize, Serialize};

use super::{eviction::Limits, key::Source, policy::Policy};

/// What `window.cacheMonitor.storage()` resolves to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Bytes that the origin stores, all storages together, as the browser estimates; none if it does not.
    pub usage_bytes: Option<u64>,
    /// Bytes that it may store.
    pub quota_bytes: Option<u64>,
    /// Whether the browser keeps it when the disk is full; none if it has no such promise.
    pub persisted: Option<bool>,
    /// Whether a service worker answers for the page; none where the page has none.
    pub has_worker: Option<bool>,
    /// The most that each layer holds, nearest first.
    pub limits: Vec<LayerLimit>,
}

/// The most that a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerLimit {
    /// The layer.
    pub layer: Source,
    /// Keys.
    pub entries: u64,
    /// Bytes.
    pub bytes: u64,
}

/// The limits of a policy: those of layers that hold something.
pub fn limits(policy: &Policy) -> Vec<LayerLimit> {
    let of = |layer, limits: Limits| LayerLimit {
        layer,
        entries: limits.entries as u64,
        bytes: limits.bytes,
    };
    vec![
        of(Source::Memory, policy.memory),
        of(Source::LocalStorage, policy.local_storage),
        of(Source::IndexedDb, policy.indexed_db),
        of(Source::ServiceWorker, policy.picture_cache),
    ]
}
