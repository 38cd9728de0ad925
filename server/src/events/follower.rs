//! Follows what happens in the other instances.
//!
//! ```text
//! connect ─▶ write what Redis has missed ─▶ read on, if what was read last is there still
//!    ▲       └ remove what it held, and     ▲  │
//!    │         mark a gap, if it lost what  │  └ else: read all, and reset everyone here
//!    │         came after it, or is of      │  │
//!    │         another lineage ─────────────┘  ▼
//!    └──── Redis lost, or entries lost ◀─ read on
//! ```
//!
//! **Invariant:** before a client hears of a change, this instance has forgotten what was before it.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use miniature_api::Change;
use thiserror::Error;

use super::{
    hub::{Hub, Told},
    log::{EventId, Log},
    stream::{Entry, Item, Mark, SharedStream, StreamError},
};
use crate::{
    profiles::{Profiles, SourceError},
    redis::Connection,
    storage::Message,
};

/// How long to wait before trying again.
const PAUSE: Duration = Duration::from_millis(500);

/// Why it cannot be followed any further.
#[derive(Debug, Error)]
enum Lost {
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error("the stream no longer has what was read last")]
    Skipped,
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Follows the stream for one instance.
#[derive(Debug)]
pub(super) struct Follower {
    stream: SharedStream,
    hub: Arc<Hub>,
    profiles: Profiles,
    /// How many entries a log keeps.
    limit: usize,
    /// The last entry that was read; none if entries after it are lost, or none was.
    last: Option<EventId>,
    /// Whether a loss was logged and its end was not.
    lost: bool,
}

impl Follower {
    /// Tells this hub of what it finds in the stream.
    pub(super) fn new(
        stream: SharedStream,
        hub: Arc<Hub>,
        profiles: Profiles,
        limit: usize,
    ) -> Self {
        Self { stream, hub, profiles, limit, last: None, lost: false }
    }

    /// Follows the stream for good, whatever becomes of Redis.
    pub(super) async fn follow(mut self) {
        loop {
            let Err(error) = self.until_lost().await;
            self.hub.follows(false);
            if !self.lost {
                self.lost = true;
                tracing::warn!(%error, "events of other instances are not heard");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn until_lost(&mut self) -> Result<Infallible, Lost> {
        let mut connection = self.stream.connect().await?;
        let mut last = self.catch_up(&mut connection).await?;
        self.hub.follows(true);
        if std::mem::take(&mut self.lost) {
            tracing::info!("events of other instances are heard again");
        }
        loop {
            let entries = self.stream.after(&mut connection, last).await?;
            // Looked at afterwards: what is there now was there when the others were read.
            if !self.stream.holds(&mut connection, last).await? {
                return Err(Lost::Skipped);
            }
            self.relearn(&entries).await;
            for entry in entries {
                last = entry.id;
                self.take_up(entry);
            }
            self.last = Some(last);
        }
    }

    /// Brings Redis up to date with us, and us with what it holds. Returns the entry after which to
    /// read on.
    async fn catch_up(&mut self, connection: &mut Connection) -> Result<EventId, Lost> {
        let servers = self.stream.unknown_servers(connection).await?;
        if servers.is_some() {
            self.profiles.forget_shared().await.map_err(StreamError::from)?;
        }
        self.profiles.catch_up().await?;
        if let Some(servers) = servers {
            self.last = None;
            self.stream.mark(connection, Mark::Gap).await?;
            self.stream.vouch_for(connection, &servers).await?;
        }
        if let Some(last) = self.last
            && self.stream.holds(connection, last).await?
        {
            return Ok(last);
        }
        self.begin_anew(connection).await
    }

    /// Some of what went by is not known; so everyone who listens here is told to ask anew.
    async fn begin_anew(&mut self, connection: &mut Connection) -> Result<EventId, Lost> {
        let mut entries = self.stream.all(connection).await?;
        if entries.is_empty() {
            self.stream.mark(connection, Mark::Start).await?;
            entries = self.stream.all(connection).await?;
        }
        let last = entries.last().map_or(EventId::default(), |entry| entry.id);
        self.profiles.forget_all();
        self.hub.restart(self.log_of(entries));
        self.last = Some(last);
        Ok(last)
    }

    /// It begins with the first entry, or with the last gap: what came before is not known.
    fn log_of(&self, entries: Vec<Entry>) -> Log<Arc<Told>> {
        let first = entries.first().map_or(EventId::default(), |entry| entry.id);
        let mut log = Log::starting_at(first, self.limit);
        for Entry { id, item } in entries {
            match item {
                Item::Ours(message) | Item::Theirs(message) => {
                    Hub::record(&mut log, id, &message);
                }
                Item::Gap => log = Log::starting_at(id, self.limit),
                Item::Other => {}
            }
        }
        log
    }

    /// Has our caches know of all these before anybody is told of one.
    async fn relearn(&self, entries: &[Entry]) {
        let mut changed = HashMap::new();
        for Entry { item, .. } in entries {
            if let Item::Theirs(Message { change, version, .. }) = item
                && !matches!(change, Change::Post(_))
            {
                let least = changed.entry(change.about().clone()).or_insert(*version);
                // Of two versions the higher, unless one is not known.
                *least = (*least).zip(*version).map(|(one, other)| one.max(other));
            }
        }
        // If nobody can say who they are now, what was before is forgotten at least.
        if let Err(error) = self.profiles.relearn(changed).await {
            tracing::debug!(%error, "changed profiles cannot be read yet");
        }
    }

    fn take_up(&self, Entry { id, item }: Entry) {
        match item {
            Item::Ours(message) | Item::Theirs(message) => self.hub.tell_shared(id, &message),
            Item::Gap => {
                self.profiles.forget_all();
                self.hub.restart(Log::starting_at(id, self.limit));
            }
            Item::Other => {}
        }
    }
}
