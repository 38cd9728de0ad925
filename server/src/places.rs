//! How many of something each user may have at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use miniature_api::UserId;

/// How many places each user has taken. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct Places {
    limit: usize,
    taken: Arc<Mutex<HashMap<UserId, usize>>>,
}

/// A place of a user, free again when dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    user: UserId,
}

impl Places {
    /// So many places for each.
    pub fn new(limit: usize) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// A place, or none if this user has taken all of theirs.
    pub fn take(&self, user: &UserId) -> Option<Place> {
        let mut all = self.taken();
        let taken = all.entry(user.clone()).or_default();
        if *taken >= self.limit {
            return None;
        }
        *taken += 1;
        Some(Place { places: self.clone(), user: user.clone() })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
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
