//! Profiles, from the nearest place that has them.
//!
//! ```text
//! get ─▶ memory, 5 min ─▶ Redis, 1 h ─▶ source: our database, or another service
//! ```
//!
//! **Invariant:** of two copies of a profile the one with the higher version stays, in every layer,
//! whatever order they arrive in.

mod ahead;
mod changed;
mod flight;
mod freshness;
mod http;
#[cfg(test)]
mod races;
mod shared;
mod source;

use std::{collections::HashMap, sync::Arc};

use miniature_api::{BATCH_LIMIT, UserId};
use moka::{future::Cache, ops::compute::Op};

pub use self::source::SourceError;
use self::{
    flight::{Answers, Flights},
    freshness::Freshness,
    http::HttpSource,
    shared::Shared,
    source::{ProfileSource, Source},
};
use crate::{
    config::Users,
    limits::Limits,
    metrics::{cache_hit, cache_miss},
    redis::Redis,
    storage::{Database, Versioned},
};

/// A profile, or that there is no such user.
pub type Answer = Option<Arc<Versioned>>;

/// Where profiles came from: the farthest of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// All were in memory.
    Memory,
    /// Some were in Redis.
    Redis,
    /// Some were read from the source.
    Source,
}

impl Layer {
    /// Whether a cache had them.
    pub fn is_hit(self) -> bool {
        matches!(self, Self::Memory | Self::Redis)
    }

    /// As it stands in `Server-Timing`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::Source => "source",
        }
    }
}

/// Every profile. Cheap to clone; clones share what is kept.
#[derive(Clone, Debug)]
pub struct Profiles {
    memory: Cache<UserId, Answer>,
    shared: Option<Shared>,
    flights: Flights,
    source: Source,
    /// Existing users whom someone asked for beyond memory lately.
    lately: Cache<UserId, ()>,
}

impl Profiles {
    /// Profiles out of this database.
    pub fn new(database: Database, redis: Option<Redis>, limits: &Limits) -> Self {
        let freshness =
            Freshness { found: limits.profile_fresh_for, missing: limits.missing_fresh_for };
        let memory = Cache::builder().max_capacity(limits.profiles).expire_after(freshness).build();
        let lately = Cache::builder()
            .max_capacity(limits.read_ahead)
            .time_to_live(limits.read_ahead_for)
            .build();
        Self {
            memory,
            shared: redis
                .map(|redis| Shared::new(redis, database.lineage(), limits.profile_shared_for)),
            flights: Flights::default(),
            source: Source::Sql(database),
            lately,
        }
    }

    /// Asks another service who people are, if one is named; pictures stay in this database.
    ///
    /// # Errors
    ///
    /// If the system's certificates cannot be read.
    pub fn asking(mut self, users: &Users, database: Database) -> Result<Self, SourceError> {
        if let Some(url) = &users.users_url {
            let service =
                HttpSource::new(url.as_url().clone(), users.users_token.clone(), database)?;
            self.source = Source::Http(service);
        }
        Ok(self)
    }

    /// A user's profile, or none if there is no such user.
    ///
    /// # Errors
    ///
    /// If no cache has it and the source does not answer.
    pub async fn get(&self, user: &UserId) -> Result<Answer, SourceError> {
        Ok(self.find(user).await?.0)
    }

    /// As [`Self::get`], and from how far it came.
    ///
    /// # Errors
    ///
    /// If no cache has it and the source does not answer.
    pub async fn find(&self, user: &UserId) -> Result<(Answer, Layer), SourceError> {
        let (mut answers, layer) = self.get_many(std::slice::from_ref(user)).await?;
        Ok((answers.pop().flatten(), layer))
    }

    /// Many users' profiles, in their order, and from how far they came. Those not in memory are
    /// asked for together, [`BATCH_LIMIT`] in a question; those that someone else waits for already
    /// are not asked for again.
    ///
    /// # Errors
    ///
    /// If no cache has some and the source does not answer.
    pub async fn get_many(&self, users: &[UserId]) -> Result<(Vec<Answer>, Layer), SourceError> {
        let mut answers = Vec::with_capacity(users.len());
        let mut missing = Vec::new();
        for user in users {
            let answer = self.memory.get(user).await;
            if answer.is_none() {
                missing.push(user.clone());
            }
            answers.push(answer.flatten());
        }
        cache_hit("profiles", "memory", (users.len() - missing.len()) as u64);
        if missing.is_empty() {
            return Ok((answers, Layer::Memory));
        }
        cache_miss("profiles", "memory", missing.len() as u64);
        let (found, farthest) = Box::pin(self.ask(missing)).await?;
        for (user, answer) in users.iter().zip(&mut answers) {
            if let Some(found) = found.get(user) {
                answer.clone_from(found);
            }
        }
        Ok((answers, farthest))
    }

    /// Asks beyond memory for these users, or waits for whoever asks already.
    async fn ask(&self, users: Vec<UserId>) -> Answers {
        let (mut answers, mut farthest) = (HashMap::with_capacity(users.len()), Layer::Memory);
        let ask = |wanted| self.clone().load_missing(wanted);
        for flight in self.flights.join(users, BATCH_LIMIT, ask) {
            let (found, layer) = flight.await?;
            answers.extend(found);
            farthest = farthest.max(layer);
        }
        Ok((answers, farthest))
    }

    /// Whether names and headlines are our own to change.
    pub fn are_ours(&self) -> bool {
        !matches!(self.source, Source::Http(_))
    }

    /// The Redis through which instances share profiles, if there is one.
    pub fn redis(&self) -> Option<&Redis> {
        self.shared.as_ref().map(Shared::redis)
    }

    /// Asks the source for all these users. Returns how many.
    async fn load_all(&self, users: &[UserId]) -> Result<usize, SourceError> {
        for batch in users.chunks(BATCH_LIMIT) {
            self.load(batch.to_vec()).await?;
        }
        Ok(users.len())
    }

    /// Whether the service that knows people answered when it was last asked, or none if there is none.
    pub fn service_answers(&self) -> Option<bool> {
        let Source::Http(service) = &self.source else { return None };
        Some(service.is_well())
    }

    /// Whether Redis answers, or none if there is none.
    pub async fn redis_answers(&self) -> Option<bool> {
        match self.redis() {
            Some(redis) => Some(redis.ping().await),
            None => None,
        }
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

    /// Looks into Redis, then asks the source; but not for those whom a question that has just ended
    /// put in memory after we had looked there.
    async fn load_missing(self, users: Vec<UserId>) -> Answers {
        let (mut answers, missing) = self.held(&users).await;
        let mut layer = if missing.is_empty() { Layer::Memory } else { Layer::Redis };
        let asked = missing.len();
        let missing = self.shared(missing, &mut answers).await;
        if self.shared.is_some() {
            cache_hit("profiles", "redis", (asked - missing.len()) as u64);
            cache_miss("profiles", "redis", missing.len() as u64);
        }
        if !missing.is_empty() {
            layer = Layer::Source;
            answers.extend(self.load(missing).await?);
        }
        for (user, _) in answers.iter().filter(|(_, answer)| answer.is_some()) {
            self.lately.insert(user.clone(), ()).await;
        }
        Ok((answers, layer))
    }

    /// Adds what Redis holds to the answers, and returns whom it does not.
    async fn shared(
        &self,
        users: Vec<UserId>,
        answers: &mut HashMap<UserId, Answer>,
    ) -> Vec<UserId> {
        let Some(shared) = self.shared.as_ref().filter(|_| !users.is_empty()) else { return users };
        let held = shared.get_many(&users).await;
        let mut missing = Vec::new();
        for (user, held) in users.into_iter().zip(held) {
            if held.is_some() {
                let answer = self.keep(&user, held.map(Arc::new)).await;
                answers.insert(user, answer);
            } else {
                missing.push(user);
            }
        }
        missing
    }

    /// Asks the source for these users, and keeps what it says in every layer.
    async fn load(&self, users: Vec<UserId>) -> Result<HashMap<UserId, Answer>, SourceError> {
        let mut found = self.source.profiles(&users).await?;
        if let Some(shared) = &self.shared {
            shared.put_many(found.values()).await;
        }
        let mut answers = HashMap::with_capacity(users.len());
        for user in users {
            let answer = self.keep(&user, found.remove(&user).map(Arc::new)).await;
            answers.insert(user, answer);
        }
        Ok(answers)
    }

    /// Keeps an answer in memory, unless a newer one came in meanwhile. Returns the one that stays.
    async fn keep(&self, user: &UserId, answer: Answer) -> Answer {
        let entry = self.memory.entry_by_ref(user);
        let kept = entry.and_compute_with(|held| {
            let held = held.and_then(moka::Entry::into_value);
            let newer = version(&held) > version(&answer);
            std::future::ready(if newer { Op::Nop } else { Op::Put(answer.clone()) })
        });
        kept.await.into_entry().map_or(answer, moka::Entry::into_value)
    }
}

/// Whether a profile is of this version or newer; if that is not known, it may be older.
fn is_as_new(profile: &Versioned, least: Option<u64>) -> bool {
    least.is_some_and(|least| profile.version >= least)
}

fn version(answer: &Answer) -> Option<u64> {
    answer.as_ref().map(|profile| profile.version)
}
