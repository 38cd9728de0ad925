//! Follows what happens in the other instances.
//!
//! ```text
//! connect ─▶ write what Redis has missed ─▶ mark the gap ─▶ read all ─▶ reset everyone here
//!    ▲       └ remove what it held, if it   ▲                                 │
//!    │         lost what came after it, ────┘                                 │
//!    │         or is of another lineage                                       │
//!    └─ Redis lost, entries lost, or an event told here alone ◀─ read on ◀────┘
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
    #[error("an event could not be shared")]
    Unshared,
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
    /// How many events told here alone are covered by a gap in the stream.
    accounted: u64,
    /// Whether a loss was logged and its end was not.
    lost: bool,
}

/// Where this instance stands in the stream.
struct Place {
    connection: Connection,
    last: EventId,
}

impl Follower {
    /// Tells this hub of what it finds in the stream.
    pub(super) fn new(
        stream: SharedStream,
        hub: Arc<Hub>,
        profiles: Profiles,
        limit: usize,
    ) -> Self {
        Self { stream, hub, profiles, limit, accounted: 0, lost: false }
    }

    /// Follows the stream for good, whatever becomes of Redis.
    pub(super) async fn follow(mut self) {
        loop {
            let Err(error) = self.until_lost().await;
            self.hub.break_off();
            if !self.lost {
                self.lost = true;
                tracing::warn!(%error, "events of other instances are not heard");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn until_lost(&mut self) -> Result<Infallible, Lost> {
        let mut place = self.catch_up().await?;
        if std::mem::take(&mut self.lost) {
            tracing::info!("events of other instances are heard again");
        }
        loop {
            let entries = tokio::select! {
                read = self.stream.after(&mut place.connection, place.last) => read?,
                () = self.hub.more_unshared_than(self.accounted) => return Err(Lost::Unshared),
            };
            // Looked at afterwards: what is there now was there when the others were read.
            if !self.stream.holds(&mut place.connection, place.last).await? {
                return Err(Lost::Skipped);
            }
            self.relearn(&entries).await;
            for entry in entries {
                place.last = entry.id;
                self.take_up(entry);
            }
        }
    }

    /// Brings Redis up to date with us, and us with what it holds. Whatever went by meanwhile, here
    /// or there, is not known; so whoever listens is told to ask anew.
    async fn catch_up(&mut self) -> Result<Place, Lost> {
        let mut connection = self.stream.connect().await?;
        let unshared = self.hub.unshared();
        let servers = self.stream.unknown_servers(&mut connection).await?;
        if servers.is_some() {
            self.profiles.forget_shared().await.map_err(StreamError::from)?;
        }
        self.profiles.catch_up().await?;
        if unshared > self.accounted || servers.is_some() {
            self.stream.mark(&mut connection, Mark::Gap).await?;
            self.accounted = unshared;
        }
        if let Some(servers) = servers {
            self.stream.vouch_for(&mut connection, &servers).await?;
        }
        let mut entries = self.stream.all(&mut connection).await?;
        if entries.is_empty() {
            self.stream.mark(&mut connection, Mark::Start).await?;
            entries = self.stream.all(&mut connection).await?;
        }
        let last = entries.last().map_or(EventId::default(), |entry| entry.id);
        let log = self.log_of(entries);
        self.profiles.forget_all();
        self.hub.restart(log, self.accounted);
        Ok(Place { connection, last })
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
                self.hub.restart(Log::starting_at(id, self.limit), self.accounted);
            }
            Item::Other => {}
        }
    }
}
