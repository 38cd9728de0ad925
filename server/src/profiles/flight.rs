//! Questions under way, so that nobody asks what is being asked already.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt, future::Shared};
use miniature_api::UserId;

use super::{Answer, Layer, SourceError};

/// What a question about some users brings, and from how far.
pub(super) type Answers = Result<(HashMap<UserId, Answer>, Layer), SourceError>;

/// A question under way: many may wait for it.
type Flight = Shared<Pin<Box<dyn Future<Output = Answers> + Send>>>;

/// The questions under way, by user. Cheap to clone; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<UserId, Flight>>>);

impl Flights {
    /// Asks about these users, at most `limit` in a question, but not about those that someone asks
    /// about already. Returns all questions to wait for.
    ///
    /// A question is answered even when nobody waits for it any more.
    pub(super) fn join<F>(
        &self,
        users: Vec<UserId>,
        limit: usize,
        ask: impl Fn(Vec<UserId>) -> F,
    ) -> Vec<Flight>
    where
        F: Future<Output = Answers> + Send + 'static,
    {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut joined = Vec::<Flight>::new();
        let mut to_ask = Vec::new();
        for user in users {
            match under_way.get(&user) {
                Some(flight) if joined.iter().any(|other| other.ptr_eq(flight)) => {}
                Some(flight) => joined.push(flight.clone()),
                None if to_ask.contains(&user) => {}
                None => to_ask.push(user),
            }
        }
        for batch in to_ask.chunks(limit) {
            let flight = self.start(batch.to_vec(), ask(batch.to_vec()));
            under_way.extend(batch.iter().map(|user| (user.clone(), flight.clone())));
            joined.push(flight);
        }
        joined
    }

    fn start<F>(&self, users: Vec<UserId>, answers: F) -> Flight
    where
        F: Future<Output = Answers> + Send + 'static,
    {
        let landing = Landing { flights: self.clone(), users };
        let task = tokio::spawn(async move {
            let _landing = landing;
            answers.await
        });
        let answers = async { task.await.unwrap_or(Err(SourceError::Lost)) };
        answers.boxed().shared()
    }
}

/// Ends a question when dropped, even by a panic.
struct Landing {
    flights: Flights,
    users: Vec<UserId>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut under_way = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        for user in &self.users {
            under_way.remove(user);
        }
    }
}
