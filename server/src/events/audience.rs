//! Who may hear of whom, and how many listen.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use miniature_api::UserId;
use moka::future::Cache;

use crate::{limits::Limits, storage::Database};

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

/// How many listen as whom. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub(super) struct Places {
    limit: usize,
    taken: Arc<Mutex<HashMap<UserId, usize>>>,
}

/// A place of one who listens, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    user: UserId,
}

impl Places {
    /// So many places for each.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// A place, or none if this user has taken all of theirs.
    pub(super) fn take(&self, user: &UserId) -> Option<Place> {
        let mut all = self.taken();
        let taken = all.entry(user.clone()).or_default();
        if *taken >= self.limit {
            return None;
        }
        *taken += 1;
        metrics::gauge!(crate::metrics::EVENT_STREAMS).increment(1.0);
        Some(Place { places: self.clone(), user: user.clone() })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!(crate::metrics::EVENT_STREAMS).decrement(1.0);
        let mut all = self.places.taken();
        if let Some(taken) = all.get_mut(&self.user) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_places_of_their_own_and_gets_them_back() {
        let (places, [ada, bea]) = (Places::new(2), ["ada", "bea"].map(|id| id.parse().unwrap()));
        let first = places.take(&ada).unwrap();
        let _second = places.take(&ada).unwrap();
        assert!(places.take(&ada).is_none());
        assert!(places.take(&bea).is_some());
        drop(first);
        assert!(places.take(&ada).is_some());
        assert_eq!(places.taken().len(), 1, "who has left is forgotten");
    }
}
