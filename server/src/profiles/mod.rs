//! Profiles, from the nearest place that has them.
//!
//! ```text
//! get ─▶ memory, 5 min ─▶ Redis, 1 h ─▶ source: our database, or another service
//! ```
//!
//! **Invariant:** of two copies of a profile the one with the higher version stays, in every layer,
//! whatever order they arrive in.

mod flight;
mod freshness;
mod http;
#[cfg(test)]
mod races;
mod shared;
mod source;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use ::redis::RedisResult;
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
    /// Whom someone asked for beyond memory lately.
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
            shared: redis.map(|redis| Shared::new(redis, limits.profile_shared_for)),
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
        if let Some(url) = users.users_url.clone() {
            let service = HttpSource::new(url, users.users_token.clone(), database)?;
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

    /// Reads a user's profile afresh, after a change; no layer goes on with what it had.
    ///
    /// # Errors
    ///
    /// If the source does not answer; every layer that can be reached has forgotten it then.
    pub async fn refresh(&self, user: &UserId) -> Result<Answer, SourceError> {
        self.invalidate(user).await;
        let mut loaded = self.clone().load(vec![user.clone()]).await?;
        Ok(loaded.remove(user).flatten())
    }

    /// Takes up what our database says of someone after a change. Returns what every layer has then:
    /// that, or a newer copy. If another service says who people are it is asked; none if it knows of
    /// nobody.
    ///
    /// # Errors
    ///
    /// If that service does not answer; every layer that can be reached has forgotten them then.
    pub async fn take_up(&self, changed: Versioned) -> Result<Answer, SourceError> {
        if !self.are_ours() {
            return self.refresh(&changed.user_id).await;
        }
        if let Some(shared) = &self.shared {
            shared.replace(&changed).await;
        }
        let changed = Arc::new(changed);
        Ok(self.keep(&changed.user_id, Some(Arc::clone(&changed))).await)
    }

    /// Forgets a user's profile in every layer.
    pub async fn invalidate(&self, user: &UserId) {
        self.memory.invalidate(user).await;
        if let Some(shared) = &self.shared {
            shared.remove(user).await;
        }
    }

    /// Takes up what other instances have changed, each to this version at least, or to one that is
    /// not known: Redis has it, or the source.
    ///
    /// # Errors
    ///
    /// If the source does not answer. Then memory has forgotten them, and they are read again by
    /// [`Self::catch_up`].
    pub async fn relearn(&self, changed: HashMap<UserId, Option<u64>>) -> Result<(), SourceError> {
        let mut old = Vec::new();
        for (user, least) in &changed {
            let held = self.memory.get(user).await.flatten();
            if !held.is_some_and(|held| is_as_new(&held, *least)) {
                self.memory.invalidate(user).await;
                old.push(user.clone());
            }
        }
        if let Some(shared) = &self.shared {
            shared.doubt(old.iter().map(|user| (user, changed[user])));
        }
        let missing = self.shared(old, &mut HashMap::new()).await;
        self.load_all(&missing).await.map(drop)
    }

    /// Forgets all that is in memory here; what instances share stays.
    pub fn forget_all(&self) {
        self.memory.invalidate_all();
    }

    /// Forgets all that instances share: Redis has lost what was written last.
    ///
    /// # Errors
    ///
    /// If Redis is away; it may hold some still.
    pub async fn forget_shared(&self) -> RedisResult<()> {
        match &self.shared {
            Some(shared) => shared.remove_all().await,
            None => Ok(()),
        }
    }

    /// Whether names and headlines are our own to change.
    pub fn are_ours(&self) -> bool {
        !matches!(self.source, Source::Http(_))
    }

    /// The Redis through which instances share profiles, if there is one.
    pub fn redis(&self) -> Option<&Redis> {
        self.shared.as_ref().map(Shared::redis)
    }

    /// Reads profiles ahead: of these users, who are active, and of those whom someone asked for
    /// lately. What Redis will hold for longer than `within` is not read again. Returns how many
    /// the source was asked for.
    ///
    /// # Errors
    ///
    /// If the source does not answer.
    pub async fn warm_up(&self, active: &[UserId], within: Duration) -> Result<usize, SourceError> {
        let Some(shared) = &self.shared else { return self.load_all(active).await };
        let mut users = active.iter().cloned().collect::<HashSet<_>>();
        users.extend(self.lately.iter().map(|(user, ())| UserId::clone(&user)));
        let users = users.into_iter().collect::<Vec<_>>();
        let mut due = Vec::new();
        for batch in users.chunks(BATCH_LIMIT) {
            due.extend(shared.expiring(batch, within).await);
        }
        let read = self.load_all(&due).await?;
        for batch in active.chunks(BATCH_LIMIT) {
            self.shared(batch.to_vec(), &mut HashMap::new()).await;
        }
        Ok(read)
    }

    /// Asks the source for all these users. Returns how many.
    async fn load_all(&self, users: &[UserId]) -> Result<usize, SourceError> {
        for batch in users.chunks(BATCH_LIMIT) {
            self.clone().load(batch.to_vec()).await?;
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
        for user in &users {
            self.lately.insert(user.clone(), ()).await;
        }
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
    async fn load(self, users: Vec<UserId>) -> Result<HashMap<UserId, Answer>, SourceError> {
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

    /// Writes to Redis what changed while it was away, and reads again what could not be read.
    /// Returns how many profiles that were.
    ///
    /// # Errors
    ///
    /// If the source does not answer; nothing is forgotten.
    pub async fn catch_up(&self) -> Result<usize, SourceError> {
        let Some(shared) = &self.shared else { return Ok(0) };
        let users = shared.to_catch_up().await;
        for batch in users.chunks(BATCH_LIMIT) {
            let answers = self.clone().load(batch.to_vec()).await?;
            shared.believe_source(&answers);
        }
        Ok(users.len())
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
