//! Who may hear of whom, and how many listen.

use std::{collections::HashSet, sync::Arc};

use miniature_api::UserId;
use moka::future::Cache;

use crate::{limits::Limits, metrics::EVENT_STREAMS, places::Place, storage::Database};

/// Who are friends, as of a moment ago. Cheap to clone; clones share what is kept.
#[derive(Clone, Debug)]
pub(super) struct Audience {
    database: Database,
    friends: Cache<UserId, Arc<HashSet<UserId>>>,
}

impl Audience {
    /// The friendships in this database.
    pub(super) fn new(database: Database, limits: &Limits) -> Self {
        let friends = Cache::builder()
            .max_capacity(limits.profiles)
            .time_to_live(limits.friends_fresh_for)
            .build();
        Self { database, friends }
    }

    /// Whether one may hear of what happens to another: of oneself, and of one's friends.
    ///
    /// # Errors
    ///
    /// If it is not known and the database does not answer.
    pub(super) async fn may_hear(
        &self,
        listener: &UserId,
        about: &UserId,
    ) -> Result<bool, Arc<sqlx::Error>> {
        if listener == about {
            return Ok(true);
        }
        let load = async { self.database.friend_ids(listener).await.map(Arc::new) };
        let friends = self.friends.try_get_with_by_ref(listener, load).await?;
        Ok(friends.contains(about))
    }
}

/// One who listens as a user, counted until dropped.
#[derive(Debug)]
pub(super) struct Seat(#[expect(dead_code, reason = "held, not looked at")] Place);

impl Seat {
    /// On a place that was taken.
    pub(super) fn on(place: Place) -> Self {
        metrics::gauge!(EVENT_STREAMS).increment(1.0);
        Self(place)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        metrics::gauge!(EVENT_STREAMS).decrement(1.0);
    }
}
