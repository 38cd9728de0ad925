//! Who may hear of whom, and how many listen.

use std::{collections::HashSet, sync::Arc};

use miniature_api::UserId;
use moka::{future::Cache, policy::EvictionPolicy};
use tokio::sync::Semaphore;

use crate::{limits::Limits, metrics::EVENT_STREAMS, places::Place, storage::Database};

/// Who are friends, as of a moment ago. Cheap to clone; clones share what is kept.
///
/// **Invariant:** what happens to one costs one question, however many listen; and so does all that
/// one has missed, to however many it happened. Friendship is mutual.
#[derive(Clone, Debug)]
pub(super) struct Audience {
    database: Database,
    friends: Cache<UserId, Arc<HashSet<UserId>>>,
    /// Of those who come back. Others need the database's connections too.
    questions: Arc<Semaphore>,
}

impl Audience {
    /// The friendships in this database.
    pub(super) fn new(database: Database, limits: &Limits) -> Self {
        // Whoever it happened to just now is kept, whoever was asked for more often before: all who
        // listen are about to ask.
        let friends = Cache::builder()
            .max_capacity(limits.profiles)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(limits.friends_fresh_for)
            .build();
        let questions = Arc::new(Semaphore::new(limits.audience_questions));
        Self { database, friends, questions }
    }

    /// Who is a friend of a user, and so may hear of them.
    ///
    /// # Errors
    ///
    /// If it is not known and the database does not answer.
    pub(super) async fn friends(
        &self,
        of: &UserId,
    ) -> Result<Arc<HashSet<UserId>>, Arc<sqlx::Error>> {
        if let Some(friends) = self.friends.get(of).await {
            return Ok(friends);
        }
        let (audience, of) = (self.clone(), of.clone());
        // In a task of its own: a stream that nobody reads is not polled, and others wait for the same.
        let look = tokio::spawn(async move {
            let load = async { audience.database.friend_ids(&of).await.map(Arc::new) };
            audience.friends.try_get_with_by_ref(&of, load).await
        });
        look.await.unwrap_or_else(|_| Err(Arc::new(sqlx::Error::WorkerCrashed)))
    }

    /// Whether one who comes back may hear of what happened to another: of oneself, and of one's
    /// friends.
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
        for (one, other) in [(about, listener), (listener, about)] {
            if let Some(friends) = self.friends.get(one).await {
                return Ok(friends.contains(other));
            }
        }
        let _turn = self.questions.acquire().await; // never closed
        Ok(self.friends(listener).await?.contains(about))
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

#[cfg(test)]
mod tests {
    use std::{pin::pin, time::Duration};

    use futures_util::FutureExt;
    use tokio::time::timeout;

    use super::*;
    use crate::storage::NewPerson;

    #[tokio::test]
    async fn a_client_that_stops_reading_while_its_friends_are_looked_up_holds_up_nobody() {
        let (database, ids) = (Database::in_memory().await.unwrap(), ["ada", "bea"]);
        let [ada, bea] = ids.map(|id| id.parse::<UserId>().unwrap());
        let people = [&ada, &bea].map(|user| NewPerson {
            user_id: user.clone(),
            name: String::new(),
            headline: String::new(),
            password_hash: None,
        });
        database.add_people(&people, &[(ada.clone(), bea.clone())]).await.unwrap();
        let audience = Audience::new(database, &Limits::default());
        let mut unread = pin!(audience.friends(&ada));
        assert!(unread.as_mut().now_or_never().is_none());

        let friends = timeout(Duration::from_secs(10), audience.friends(&ada)).await;

        assert!(friends.expect("it is looked up").unwrap().contains(&bea));
    }
}
