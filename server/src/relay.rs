//! Announces changes: each right after it was made, and from the outbox what was not.
//!
//! ```text
//! change, its row in the outbox ─▶ announce ─▶ events ─┬─ done: the row goes, in the background
//!                                   ▲                  └─ not known: the row stays
//!                                   └── sweep, at start and every second, by any instance
//! ```
//!
//! **Invariant:** a change is announced at least once. A repeat has the same id, so that it is dropped
//! where it was heard before.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use miniature_api::{Change, UserId};

use crate::{
    events::Events,
    limits::Limits,
    profiles::{Profiles, SourceError},
    storage::{Database, Message, Versioned},
};

/// How many messages are claimed at once.
const BATCH: usize = 100;

/// The relay of the outbox. Cheap to clone; clones share what is to be removed.
#[derive(Clone, Debug)]
pub struct Relay {
    database: Database,
    profiles: Profiles,
    events: Events,
    idle_for: Duration,
    /// The ids of messages that were announced, whose rows are still there.
    announced: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// Announces what stands in this database's outbox.
    pub fn new(database: Database, profiles: Profiles, events: Events, limits: &Limits) -> Self {
        Self { database, profiles, events, idle_for: limits.relay_after, announced: Arc::default() }
    }

    /// Announces a change that was just made; every cache here must know of it already.
    pub(crate) async fn announce(&self, message: &Message) {
        if self.events.publish(message).await {
            self.remove(message.id.clone());
        }
    }

    /// Announces what has been in the outbox for some time: its server died, or could not tell whether
    /// it was announced. Returns how many messages that were.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn sweep(&self) -> Result<usize, SourceError> {
        let mut count = 0;
        while self.events.can_publish() {
            let mut messages = self.database.claim_messages(self.idle_for, BATCH).await?;
            if messages.is_empty() {
                break;
            }
            if !self.profiles.are_ours() {
                // Versions count another service's changes, too; so what is known here is no bound.
                messages.iter_mut().for_each(|message| message.version = None);
            }
            self.relearn(&messages).await;
            for message in messages {
                if !self.events.publish(&message).await {
                    return Ok(count);
                }
                self.remove(message.id);
                count += 1;
            }
        }
        Ok(count)
    }

    /// Puts an author as they are now into their posts, in the background. If it fails, the snapshots
    /// are refreshed once their time is over.
    pub(crate) fn rewrite_posts(&self, author: Arc<Versioned>) {
        let database = self.database.clone();
        tokio::spawn(async move {
            if let Err(error) = database.rewrite_author(&author, None).await {
                tracing::warn!(%error, "posts keep an old snapshot of their author for a while");
            }
        });
    }

    /// Has the caches know of these changes before anybody hears of one.
    async fn relearn(&self, messages: &[Message]) {
        let mut changed = HashMap::<UserId, Option<u64>>::new();
        for message in messages {
            if !matches!(message.change, Change::Post(_)) {
                let least = changed.entry(message.change.about().clone()).or_default();
                *least = message.version.max(*least);
            }
        }
        let users = changed.keys().cloned().collect::<Vec<_>>();
        if let Err(error) = self.profiles.relearn(changed).await {
            // What was before is forgotten, and the caches read on when the source answers.
            tracing::debug!(%error, "changed profiles cannot be read yet");
            return;
        }
        for user in users {
            if let Ok(Some(author)) = self.profiles.get(&user).await {
                self.rewrite_posts(author);
            }
        }
    }

    /// In the background, those of one moment together. What stays is announced once more.
    fn remove(&self, id: String) {
        self.announced().push(id);
        let relay = self.clone();
        tokio::spawn(async move {
            let ids = mem::take(&mut *relay.announced());
            if ids.is_empty() {
                return; // gone with another's
            }
            if let Err(error) = relay.database.remove_messages(&ids).await {
                tracing::debug!(%error, "announced changes are announced again");
            }
        });
    }

    fn announced(&self) -> MutexGuard<'_, Vec<String>> {
        self.announced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
