//! Profiles in Redis, which instances share and which may be away.
//!
//! **Invariant:** what changed while Redis was away is not read from it here, and is written to it
//! once it is back.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::redis::RedisResult;
use miniature_api::UserId;

use crate::{redis::Redis, storage::Versioned};

/// The profiles that instances share. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    redis: Redis,
    kept_for: Duration,
    /// Whose profile may be old in Redis, which was away when it changed.
    behind: Arc<Mutex<HashSet<UserId>>>,
}

impl Shared {
    pub(super) fn new(redis: Redis, kept_for: Duration) -> Self {
        Self { redis, kept_for, behind: Arc::default() }
    }

    pub(super) fn redis(&self) -> &Redis {
        &self.redis
    }

    /// What Redis holds of each, in the order asked, in one trip.
    pub(super) async fn get_many(&self, users: &[UserId]) -> Vec<Option<Versioned>> {
        let keys = users.iter().map(key).collect::<Vec<_>>();
        let held = self.redis.get_many(&keys).await.into_iter().zip(users);
        let profiles = held.map(|(json, user)| {
            let json = json.filter(|_| !self.behind().contains(user))?;
            serde_json::from_slice(&json).ok()
        });
        profiles.collect()
    }

    /// Keeps profiles, each unless a newer one is held. "No such user" is kept in memory alone.
    pub(super) async fn put_many(&self, profiles: impl Iterator<Item = &Versioned>) {
        let puts = profiles.filter_map(|profile| {
            let json = serde_json::to_vec(profile).ok()?;
            Some(async move {
                let user = &profile.user_id;
                if self.redis.set(&key(user), profile.version, &json, self.kept_for).await {
                    self.behind().remove(user);
                }
            })
        });
        futures_util::future::join_all(puts).await;
    }

    /// Keeps a profile that has changed, unless a newer one is held. Until that is done Redis may
    /// hold what was before.
    pub(super) async fn replace(&self, profile: &Versioned) {
        self.behind().insert(profile.user_id.clone());
        self.put_many(std::iter::once(profile)).await;
    }

    /// Forgets a profile that has changed.
    pub(super) async fn remove(&self, user: &UserId) {
        if !self.redis.remove(&key(user)).await {
            self.behind().insert(user.clone());
        }
    }

    /// Forgets every profile, since nobody knows how old they are.
    pub(super) async fn remove_all(&self) -> RedisResult<()> {
        self.redis.remove_matching(&format!("{PREFIX}*")).await
    }

    /// Which of these profiles Redis holds no longer than this, or not at all; none while it is away.
    pub(super) async fn expiring(&self, users: &[UserId], within: Duration) -> Vec<UserId> {
        let keys = users.iter().map(key).collect::<Vec<_>>();
        let left = self.redis.kept_for(&keys).await.into_iter().zip(users);
        let expiring = left.filter(|(left, _)| left.is_some_and(|left| left <= within));
        expiring.map(|(_, user)| user.clone()).collect()
    }

    /// Whose profile is to be written anew; nobody's while Redis is away.
    pub(super) async fn to_catch_up(&self) -> Vec<UserId> {
        let behind = self.behind().iter().cloned().collect::<Vec<_>>();
        if behind.is_empty() || !self.redis.ping().await { Vec::new() } else { behind }
    }

    fn behind(&self) -> MutexGuard<'_, HashSet<UserId>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the keys of profiles begin.
const PREFIX: &str = "miniature:profile:";

/// Where a profile is in Redis.
fn key(user: &UserId) -> String {
    format!("{PREFIX}{user}")
}
