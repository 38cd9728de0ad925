//! Every lifetime and limit of the frontend. Nothing else may hold one.

mod settings;

use std::time::Duration;

use miniature_api::Size;

use super::{clock::Timestamp, eviction::Limits, key::Source};
pub use settings::SettingError;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
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
    pub local_storage_fresh_for: Duration,

    /// How long IndexedDB answers without asking the server. Default: 7 days.
    pub indexed_db_fresh_for: Duration,

    /// How long a page of a list, or a profile, is shown without asking. Default: 5 minutes.
    pub document_fresh_for: Duration,

    /// How long "no such user" is believed. Default: 30 minutes.
    pub absence_fresh_for: Duration,

    /// How long before its end a hint is asked for anew. Default: 10 minutes.
    pub hint_spare: Duration,

    /// How soon one with less is used. Default: 5 minutes, unless it ends before.
    pub hint_used_within: Duration,

    /// How long a hint is used at all. Default: 1 hour.
    pub longest_hint: Duration,

    /// What memory may hold. Default: 200 users, 32 MiB; above, trimmed to the 100 used last.
    ///
    /// Pictures on screen stay, whatever the limit.
    pub memory: Limits,

    /// What LocalStorage may hold. Default: 200 users, 2 MiB.
    ///
    /// Two fifths of the 5 MiB that browsers grant an origin; read and written synchronously.
    pub local_storage: Limits,

    /// What IndexedDB may hold. Default: 50 MiB, 10 000 keys.
    ///
    /// About 3 000 pictures of 15 kB; well under what any browser grants an origin.
    pub indexed_db: Limits,

    /// What the cache of pictures that the page shares with the service worker may hold. Default: 200
    /// pictures, 8 MiB.
    pub picture_cache: Limits,

    /// How long that cache answers without asking the server. Default: 7 days.
    pub picture_cache_fresh_for: Duration,

    /// How long that cache may take to answer. Default: 50 ms, less than the API takes.
    pub picture_cache_timeout: Duration,

    /// Whether pictures are loaded when somebody asks for them ahead of any look: the app for what is near, the
    /// dashboard for a list. Default: they are.
    pub prefetch: bool,

    /// How long before its end a record in IndexedDB, or a picture in that cache, is asked for anew, and how
    /// often it is looked for those. Default: 1 day.
    pub sync_ahead: Duration,

    /// Of how many users records are asked for anew at once, those used last first. Default: 200, which is
    /// four requests.
    pub sync_users: usize,

    /// How long the service worker may take for that. Default: 1 min.
    pub sync_timeout: Duration,

    /// How long the service worker may take to say that it is there, or that it has begun. Default: 3 s.
    pub worker_timeout: Duration,

    /// When the origin gives up some of what it stores: above a share of its quota, down to another, or until only
    /// what is on screen is left.
    pub shed: Shed,

    /// How long after they were seen first somebody who is here counts as one who comes back, and is asked for
    /// whether the storage may stay. Default: 12 hours.
    pub comes_back_after: Duration,

    /// The most pages of lists that IndexedDB keeps. Default: 400, which is 20 000 friends.
    pub pages: usize,

    /// The most profiles that IndexedDB keeps. Default: 300.
    pub profiles: usize,

    /// The largest edge kept as a preview in LocalStorage. Default: 128 px.
    ///
    /// What a list shows in its first frame, up to three device pixels to one.
    pub preview_up_to: Size,

    /// The most bytes kept as a preview in LocalStorage. Default: 6 KiB.
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

    /// How long a layer may take to answer. Default: 1 s.
    ///
    /// Far above the 20 ms that IndexedDB takes; an `open` that never answers costs this once.
    pub layer_timeout: Duration,

    /// How long a request may be silent: no headers, or less than [`Self::progress_bytes`].
    /// Default: 15 s. A slow answer that keeps arriving is not silent.
    pub silence: Duration,

    /// How many bytes of an answer count as a sign of life. Default: 1 kB.
    pub progress_bytes: u64,

    /// How often what has arrived of an answer is shown before the rest. Default: 100 ms. One that takes
    /// less is shown whole.
    pub part_every: Duration,

    /// How long the browser may take to say whether it decodes a picture. Default: 5 s.
    pub decode_timeout: Duration,

    /// Failures in a row after which a layer is left alone. Default: 3.
    pub breaker_failures: u32,

    /// How long a failing layer is left alone. Default: 30 s.
    pub breaker_pause: Duration,

    /// Users in one request to the API. Default: 50, the API's own limit.
    pub batch_users: usize,

    /// Reading requests in flight at once. Default: 3, half of the connections that a browser
    /// opens to a server that speaks HTTP/1.1.
    pub requests_at_once: usize,

    /// The longest that the first retry waits; each further one up to twice as long. Default: 1 s.
    pub first_pause: Duration,

    /// The longest that any retry waits. Default: 60 s.
    pub longest_pause: Duration,

    /// The longest `Retry-After` that is obeyed. Default: 10 minutes.
    pub longest_retry_after: Duration,

    /// How soon what rests is tried once the network is back or the page visible. Default: 1 s.
    pub soon: Duration,

    /// How often a user's picture is asked for in a row of answers that cannot be used.
    /// Default: 3.
    pub malformed_attempts: u32,

    /// The age over which what is on screen is asked about when the page becomes visible.
    /// Default: 60 s.
    pub recheck_after: Duration,

    /// A difference between the clocks that counts as sleep, or as somebody setting the clock.
    /// Default: 5 s.
    pub clock_jump: Duration,

    /// How late a call may come before the time counts as one in which the page did not run.
    /// Default: 100 ms.
    pub lateness: Duration,

    /// The longest that the driver sleeps. Default: 60 s.
    pub longest_sleep: Duration,

    /// The longest that what waits for idle time may wait for it. Default: 1 s.
    pub idle_within: Duration,

    /// How long after the last change the browser is asked whether it decodes what is to be
    /// written. Default: 0.1 s.
    ///
    /// After the first frames, and well before [`Self::write_after`]: what a page that is left then
    /// writes needs the answer.
    pub decode_after: Duration,

    /// How long after the last change layers are written. Default: 0.5 s.
    pub write_after: Duration,

    /// How long after the first change layers are written at the latest, or a first part of them
    /// ([`Self::write_users`]). Default: 2 s.
    pub write_at_most: Duration,

    /// Of how many users rows are written to a layer at once while the page is visible. Default: 50.
    ///
    /// A task that wrote to LocalStorage all that two seconds of fast scrolling had brought held a frame
    /// up for 50 ms.
    pub write_users: usize,

    /// How long after a part of what is to be written the next part is. Default: 50 ms.
    pub write_pause: Duration,

    /// How often a use of the same row is noted. Default: once an hour.
    pub note_use_every: Duration,

    /// How long the stream of events may be silent. Default: 30 s, two heartbeats of the server.
    pub stream_silence: Duration,

    /// How long a visible document hears nothing of the stream before it steals the lock from the
    /// document that holds it and may sleep. Default: 45 s.
    pub steal_after: Duration,

    /// How long a document that reads the stream may be hidden while a visible one waits.
    /// Default: 2 minutes.
    pub yield_after: Duration,

    /// How long events are gathered before they are taken in. Default: 16 ms, a frame.
    pub live_frame: Duration,

    /// The same in a hidden page. Default: 0.25 s.
    pub live_frame_hidden: Duration,

    /// How long a page that is left for another stays as it is, hidden. Default: 5 minutes, in which its
    /// rows and their pictures can be shown again at once.
    ///
    /// As long as a list is believed: after that, coming back asks the server anyway.
    pub page_kept_for: Duration,

    /// How old an answer that `boot.js` asked for may be when the app takes it. Default: 60 s.
    pub boot_age: Duration,
}

/// Shares of the origin's quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shed {
    /// Above this some is given up. Default: 80.
    pub above_percent: u32,
    /// So much stays. Default: 60.
    pub to_percent: u32,
    /// How long after the page is there the browser is asked first how much the origin stores. Default: 5 s, when
    /// storages are at rest.
    pub asked_after: Duration,
    /// How often it is asked then. Default: 5 minutes.
    pub asked_every: Duration,
}

impl Default for Shed {
    fn default() -> Self {
        let (asked_after, asked_every) = (Duration::from_secs(5), Duration::from_secs(5 * MINUTE));
        Self { above_percent: 80, to_percent: 60, asked_after, asked_every }
    }
}

impl Default for Policy {
    #[expect(clippy::too_many_lines, reason = "a line for each setting")]
    fn default() -> Self {
        Self {
            memory_fresh_for: Duration::from_secs(30 * MINUTE),
            local_storage_fresh_for: Duration::from_secs(45 * MINUTE),
            indexed_db_fresh_for: Duration::from_secs(7 * DAY),
            document_fresh_for: Duration::from_secs(5 * MINUTE),
            absence_fresh_for: Duration::from_secs(30 * MINUTE),
            hint_spare: Duration::from_secs(10 * MINUTE),
            hint_used_within: Duration::from_secs(5 * MINUTE),
            longest_hint: Duration::from_secs(HOUR),
            memory: Limits { entries: 200, bytes: 32 * MIB, trim_entries_to: 100 },
            local_storage: Limits { entries: 200, bytes: 2 * MIB, trim_entries_to: 200 },
            indexed_db: Limits { entries: 10_000, bytes: 50 * MIB, trim_entries_to: 10_000 },
            picture_cache: Limits { entries: 200, bytes: 8 * MIB, trim_entries_to: 200 },
            picture_cache_fresh_for: Duration::from_secs(7 * DAY),
            picture_cache_timeout: Duration::from_millis(50),
            prefetch: true,
            sync_ahead: Duration::from_secs(DAY),
            sync_users: 200,
            sync_timeout: Duration::from_secs(MINUTE),
            worker_timeout: Duration::from_secs(3),
            shed: Shed::default(),
            comes_back_after: Duration::from_secs(12 * HOUR),
            pages: 400,
            profiles: 300,
            preview_up_to: Size::PREVIEW,
            preview_bytes: Size::PREVIEW_BYTES,
            data_url_bytes: 32 * 1024,
            rendition_bytes: 512 * 1024,
            layer_timeout: Duration::from_secs(1),
            silence: Duration::from_secs(15),
            progress_bytes: 1000,
            part_every: Duration::from_millis(100),
            decode_timeout: Duration::from_secs(5),
            breaker_failures: 3,
            breaker_pause: Duration::from_secs(30),
            batch_users: miniature_api::BATCH_LIMIT,
            requests_at_once: 3,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            longest_retry_after: Duration::from_secs(10 * MINUTE),
            soon: Duration::from_secs(1),
            malformed_attempts: 3,
            recheck_after: Duration::from_secs(60),
            clock_jump: Duration::from_secs(5),
            lateness: Duration::from_millis(100),
            longest_sleep: Duration::from_secs(60),
            idle_within: Duration::from_secs(1),
            decode_after: Duration::from_millis(100),
            write_after: Duration::from_millis(500),
            write_at_most: Duration::from_secs(2),
            write_users: 50,
            write_pause: Duration::from_millis(50),
            note_use_every: Duration::from_secs(HOUR),
            stream_silence: Duration::from_secs(30),
            steal_after: Duration::from_secs(45),
            yield_after: Duration::from_secs(2 * MINUTE),
            live_frame: Duration::from_millis(16),
            live_frame_hidden: Duration::from_millis(250),
            page_kept_for: Duration::from_secs(5 * MINUTE),
            boot_age: Duration::from_secs(60),
        }
    }
}

impl Policy {
    /// Whether it is time to look for what ends soon, if that was done last at `last`. A clock that was set
    /// back since says nothing.
    pub fn is_sync_due(&self, last: Option<Timestamp>, now: Timestamp) -> bool {
        let age = last.and_then(|last| now.age_of(last));
        age.is_none_or(|age| age >= self.sync_ahead)
    }

    /// How long a record that `source` checked, or stored, is believed without asking the server.
    pub fn fresh_for(&self, source: Source) -> Duration {
        match source {
            Source::Memory | Source::Network => self.memory_fresh_for,
            Source::LocalStorage => self.local_storage_fresh_for,
            Source::IndexedDb => self.indexed_db_fresh_for,
            Source::ServiceWorker => self.picture_cache_fresh_for,
        }
    }
}
