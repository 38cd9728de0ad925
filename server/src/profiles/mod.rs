//! Profiles, from memory or the database.
//!
//! **Invariant:** of two answers about one user's picture, the one with the newer revision stays,
//! whatever order they arrive in.

mod flight;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use miniature_api::{BATCH_LIMIT, Profile, UserId};
use moka::{Expiry, future::Cache, ops::compute::Op};
use thiserror::Error;

use self::flight::Flights;
use crate::{
    config::Limits,
    metrics::{cache_hit, cache_miss},
    storage::Database,
};

/// A profile, or that there is no such user.
pub type Answer = Option<Arc<Profile>>;

/// Where profiles came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// All were in memory.
    Memory,
    /// Some were read from the database.
    Source,
}

impl Layer {
    /// As it stands in `Server-Timing`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Source => "source",
        }
    }
}

/// The database did not answer. Cheap to clone: all who waited for the answer get it.
#[derive(Clone, Debug, Error)]
#[error("profiles cannot be read")]
pub struct ProfileError(#[source] Arc<sqlx::Error>);

impl ProfileError {
    /// The task that asked has panicked, or the runtime is closing.
    fn lost(cause: tokio::task::JoinError) -> Self {
        Self(Arc::new(sqlx::Error::Io(cause.into())))
    }
}

/// Every profile. Cheap to clone; clones share what is kept.
#[derive(Clone, Debug)]
pub struct Profiles {
    memory: Cache<UserId, Answer>,
    flights: Flights,
    database: Database,
}

impl Profiles {
    /// Profiles out of this database.
    pub fn new(database: Database, limits: &Limits) -> Self {
        let freshness =
            Freshness { found: limits.profile_fresh_for, missing: limits.missing_fresh_for };
        let memory = Cache::builder().max_capacity(limits.profiles).expire_after(freshness).build();
        Self { memory, flights: Flights::default(), database }
    }

    /// A user's profile, or none if there is no such user.
    ///
    /// # Errors
    ///
    /// If it is not in memory and the database does not answer.
    pub async fn get(&self, user: &UserId) -> Result<Answer, ProfileError> {
        let (mut answers, _) = self.get_many(std::slice::from_ref(user)).await?;
        Ok(answers.remove(user).flatten())
    }

    /// Many users' profiles. Those not in memory are read together, [`BATCH_LIMIT`] in a query;
    /// those that someone else is waiting for already are not read again. Also tells where they
    /// came from: memory, if all did.
    ///
    /// # Errors
    ///
    /// If some are not in memory and the database does not answer.
    pub async fn get_many(
        &self,
        users: &[UserId],
    ) -> Result<(HashMap<UserId, Answer>, Layer), ProfileError> {
        let (mut answers, missing) = self.held(users).await;
        cache_hit("profiles", "memory", answers.len() as u64);
        cache_miss("profiles", "memory", missing.len() as u64);
        let layer = if missing.is_empty() { Layer::Memory } else { Layer::Source };
        let ask = |wanted| self.clone().load_missing(wanted);
        for flight in self.flights.join(missing, BATCH_LIMIT, ask) {
            answers.extend(flight.await?);
        }
        Ok((answers, layer))
    }

    /// What is in memory, and who is not.
    async fn held(&self, users: &[UserId]) -> (HashMap<UserId, Answer>, Vec<UserId>) {
        let mut answers = HashMap::with_capacity(users.len());
        let mut missing = Vec::new();
        for user in users {
            match self.memory.get(user).await {
                Some(answer) => drop(answers.insert(user.clone(), answer)),
                None => missing.push(user.clone()),
            }
        }
        (answers, missing)
    }

    /// Reads these users from the database, but for those whom a question that has just ended put
    /// in memory after we had looked there.
    async fn load_missing(
        self,
        users: Vec<UserId>,
    ) -> Result<HashMap<UserId, Answer>, ProfileError> {
        let (mut answers, missing) = self.held(&users).await;
        if !missing.is_empty() {
            answers.extend(self.load(missing).await?);
        }
        Ok(answers)
    }

    /// Reads a user's profile afresh, after a change.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn refresh(&self, user: &UserId) -> Result<Answer, ProfileError> {
        let mut loaded = self.clone().load(vec![user.clone()]).await?;
        Ok(loaded.remove(user).flatten())
    }

    /// Reads these users from the database, and keeps what it says.
    async fn load(self, users: Vec<UserId>) -> Result<HashMap<UserId, Answer>, ProfileError> {
        let found = self.database.profiles(&users).await;
        let mut found = found.map_err(|cause| ProfileError(Arc::new(cause)))?;
        let mut answers = HashMap::with_capacity(users.len());
        for user in users {
            let answer = self.keep(&user, found.remove(&user).map(Arc::new)).await;
            answers.insert(user, answer);
        }
        Ok(answers)
    }

    /// Keeps an answer, unless a newer one came in meanwhile. Returns the one that stays.
    async fn keep(&self, user: &UserId, answer: Answer) -> Answer {
        let entry = self.memory.entry_by_ref(user);
        let kept = entry.and_compute_with(|held| {
            let held = held.and_then(moka::Entry::into_value);
            let newer = revision(&held) > revision(&answer);
            std::future::ready(if newer { Op::Nop } else { Op::Put(answer.clone()) })
        });
        kept.await.into_entry().map_or(answer, moka::Entry::into_value)
    }
}

fn revision(answer: &Answer) -> Option<miniature_api::Revision> {
    answer.as_ref().map(|profile| profile.picture.revision)
}

/// For how long an answer is given from memory.
#[derive(Debug)]
struct Freshness {
    found: Duration,
    missing: Duration,
}

impl Freshness {
    fn of(&self, answer: &Answer) -> Duration {
        if answer.is_some() { self.found } else { self.missing }
    }
}

impl Expiry<UserId, Answer> for Freshness {
    fn expire_after_create(&self, _: &UserId, answer: &Answer, _: Instant) -> Option<Duration> {
        Some(self.of(answer))
    }

    fn expire_after_update(
        &self,
        _: &UserId,
        answer: &Answer,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.of(answer))
    }
}
