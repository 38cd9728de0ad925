//! Every lifetime and limit of the frontend. Nothing else may hold one.

use std::time::Duration;

use miniature_api::Size;

use super::{eviction::Limits, key::Source};

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;
const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Every lifetime and limit of the frontend. Nothing else may hold one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long memory answers without asking the server. Default: 30 minutes.
    ///
    /// The shortest: a document that stays open has other ways to hear of a change.
    pub memory_fresh_for: Duration,

    /// How long LocalStorage answers without asking the server. Default: 45 minutes.
    ///
    /// Shorter than the hour for which a signed URL lives, so that a hint read from here still
    /// works.
    pub local_storage_fresh_for: Duration,

    /// How long IndexedDB answers without asking the server. Default: 7 days.
    pub indexed_db_fresh_for: Duration,

    /// What memory may hold. Default: 200 users, 32 MiB; above, trimmed to the 100 used last.
    ///
    /// Pictures on screen stay, whatever the limit.
    pub memory: Limits,

    /// What LocalStorage may hold. Default: 200 users, 1 MiB.
    ///
    /// A fifth of the 5 MiB that browsers grant an origin; read and written synchronously.
    pub local_storage: Limits,

    /// What IndexedDB may hold. Default: 50 MiB, 10 000 keys.
    ///
    /// About 3 000 pictures of 15 kB; well under what any browser grants an origin.
    pub indexed_db: Limits,

    /// The largest edge kept as a preview in LocalStorage. Default: 128 px.
    ///
    /// What a list shows in its first frame: 64 px, on a dense screen 128 px.
    pub preview_up_to: Size,

    /// The most bytes kept as a preview in LocalStorage. Default: 5 KiB, so that 150 fit the limit
    /// of the layer at worst.
    pub preview_bytes: usize,

    /// The most bytes of a picture that is addressed by a `data:` URL; larger ones get a `blob:`
    /// URL. Default: 32 KiB, which holds a 512 px picture.
    ///
    /// An `<img>` with a `data:` URL is complete when it enters the document, in Chromium, Firefox
    /// and WebKit alike: it is in the first frame. One with a `blob:` URL is up to three later.
    pub data_url_bytes: usize,

    /// The most bytes of one rendition that is accepted from the network. Default: 512 KiB.
    ///
    /// Five times what a 512 px WebP at quality 85 takes.
    pub rendition_bytes: usize,

    /// How long IndexedDB may take to answer a batch. Default: 1 s.
    ///
    /// Far above the 20 ms it takes; an `open` that never answers costs this once.
    pub layer_timeout: Duration,

    /// How long the API may take to answer. Default: 15 s.
    pub origin_timeout: Duration,

    /// Failures in a row after which a layer is bypassed. Default: 3.
    pub breaker_failures: u32,

    /// For how long a failing layer is bypassed. Default: 30 s.
    pub breaker_pause: Duration,

    /// Users in one request to the API. Default: 50, the API's own limit.
    pub batch_users: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            memory_fresh_for: Duration::from_secs(30 * MINUTE),
            local_storage_fresh_for: Duration::from_secs(45 * MINUTE),
            indexed_db_fresh_for: Duration::from_secs(7 * DAY),
            memory: Limits { entries: 200, bytes: 32 * MIB, trim_entries_to: 100 },
            local_storage: Limits { entries: 200, bytes: MIB, trim_entries_to: 200 },
            indexed_db: Limits { entries: 10_000, bytes: 50 * MIB, trim_entries_to: 10_000 },
            preview_up_to: Size::S128,
            preview_bytes: 5 * 1024,
            data_url_bytes: 32 * 1024,
            rendition_bytes: 512 * 1024,
            layer_timeout: Duration::from_secs(1),
            origin_timeout: Duration::from_secs(15),
            breaker_failures: 3,
            breaker_pause: Duration::from_secs(30),
            batch_users: miniature_api::BATCH_LIMIT,
        }
    }
}

impl Policy {
    /// How long a record read from `source` is believed without asking the server.
    pub fn fresh_for(&self, source: Source) -> Duration {
        match source {
            Source::Memory | Source::Network => self.memory_fresh_for,
            Source::LocalStorage => self.local_storage_fresh_for,
            Source::IndexedDb | Source::ServiceWorker => self.indexed_db_fresh_for,
        }
    }
}
