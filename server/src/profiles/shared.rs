//! Profiles in Redis, which instances share and which may be away.
//!
//! **Invariant:** what is known to have changed is not read from a Redis that has not heard of it, and
//! is written to it once that is possible. Nothing of another lineage is read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::redis::RedisResult;
use miniature_api::{Lineage, UserId};

use super::{Answer, is_as_new, version};
use crate::{redis::Redis, storage::Versioned};

/// The profiles that instances share. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    redis: Redis,
    /// Versions count from lower after a restore, so each lineage has profiles of its own.
    lineage: Lineage,
    kept_for: Duration,
    /// Whose profile may be old in Redis, and which version it has now; none if that is not known.
    behind: Arc<Mutex<HashMap<UserId, Option<u64>>>>,
}

impl Shared {
    pub(super) fn new(redis: Redis, lineage: Lineage, kept_for: Duration) -> Self {
        Self { redis, lineage, kept_for, behind: Arc::default() }
    }

    pub(super) fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Where a profile is in Redis.
    fn key(&self, user: &UserId) -> String {
        format!("{PREFIX}{}:{user}", self.lineage)
    }

    /// What Redis holds of each, in the order asked, in one trip.
    pub(super) async fn get_many(&self, users: &[UserId]) -> Vec<Option<Versioned>> {
        let keys = users.iter().map(|user| self.key(user)).collect::<Vec<_>>();
        let held = self.redis.get_many(&keys).await.into_iter().zip(users);
        let profiles = held.map(|(json, user)| {
            let profile = serde_json::from_slice::<Versioned>(&json?).ok()?;
            let least = self.behind().get(user).copied();
            if least.is_some_and(|least| !is_as_new(&profile, least)) {
                return None;
            }
            self.is_up_to_date(&profile);
            Some(profile)
        });
        profiles.collect()
    }

    /// Keeps profiles, each unless a newer one is held. "No such user" is kept in memory alone.
    pub(super) async fn put_many(&self, profiles: impl Iterator<Item = &Versioned>) {
        let puts = profiles.filter_map(|profile| {
            let json = serde_json::to_vec(profile).ok()?;
            Some(async move {
                let user = &profile.user_id;
                if self.redis.set(&self.key(user), profile.version, &json, self.kept_for).await {
                    self.is_up_to_date(profile);
                }
            })
        });
        futures_util::future::join_all(puts).await;
    }

    /// Keeps a profile that has changed, unless a newer one is held. Until that is done Redis may
    /// hold what was before.
    pub(super) async fn replace(&self, profile: &Versioned) {
        self.doubt([(&profile.user_id, Some(profile.version))].into_iter());
        self.put_many(std::iter::once(profile)).await;
    }

    /// Forgets a profile that has changed.
    pub(super) async fn remove(&self, user: &UserId) {
        if !self.redis.remove(&self.key(user)).await {
            self.doubt([(user, None)].into_iter());
        }
    }

    /// Believes no older profile of these from now on than of this version; if it is not known, none
    /// that was not written since.
    pub(super) fn doubt<'a>(&self, changed: impl Iterator<Item = (&'a UserId, Option<u64>)>) {
        let mut behind = self.behind();
        for (user, version) in changed {
            let least = behind.entry(user.clone()).or_insert(version);
            *least = version.max(*least);
        }
    }

    /// Redis has this profile now, or a newer one.
    fn is_up_to_date(&self, profile: &Versioned) {
        let mut behind = self.behind();
        if behind.get(&profile.user_id).is_some_and(|least| *least <= Some(profile.version)) {
            behind.remove(&profile.user_id);
        }
    }

    /// What the source says is so, even if it has nobody there, or someone older than was told.
    pub(super) fn believe_source(&self, answers: &HashMap<UserId, Answer>) {
        self.behind().retain(|user, least| {
            answers
                .get(user)
                .is_none_or(|answer| version(answer).is_some_and(|v| Some(v) >= *least))
        });
    }

    /// Forgets every profile, since nobody knows how old they are.
    pub(super) async fn remove_all(&self) -> RedisResult<()> {
        self.redis.remove_matching(&format!("{PREFIX}*")).await
    }

    /// Which of these profiles Redis holds no longer than this, or not at all; none while it is away.
    pub(super) async fn expiring(&self, users: &[UserId], within: Duration) -> Vec<UserId> {
        let keys = users.iter().map(|user| self.key(user)).collect::<Vec<_>>();
        let left = self.redis.kept_for(&keys).await.into_iter().zip(users);
        let expiring = left.filter(|(left, _)| left.is_some_and(|left| left <= within));
        expiring.map(|(_, user)| user.clone()).collect()
    }

    /// Whose profile is to be written anew; nobody's while Redis is away.
    pub(super) async fn to_catch_up(&self) -> Vec<UserId> {
        let behind = self.behind().keys().cloned().collect::<Vec<_>>();
        if behind.is_empty() || !self.redis.ping().await { Vec::new() } else { behind }
    }

    fn behind(&self) -> MutexGuard<'_, HashMap<UserId, Option<u64>>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the keys of profiles begin, in every lineage.
const PREFIX: &str = "miniature:profile:";

#[cfg(test)]
mod tests {
    use miniature_api::{Profile, Record, Revision};

    use super::*;

    fn bea(version: u64) -> Versioned {
        let user_id = "bea".parse::<UserId>().unwrap();
        let (name, headline) = (format!("Bea {version}"), String::new());
        let picture = Record {
            user_id: user_id.clone(),
            revision: Revision(0),
            image_id: None,
            thumbhash: None,
        };
        Versioned {
            version,
            profile: Profile { user_id, name, headline, friend_count: 0, picture },
        }
    }

    #[tokio::test]
    async fn a_change_that_redis_missed_stays_missed_whatever_older_copy_is_written_to_it() {
        let mut server = miniature_services::Redis::start().unwrap();
        let redis = Redis::new(&[server.url().parse().unwrap()]).unwrap();
        let lineage = Lineage::new(1, 2).unwrap();
        let shared = Shared::new(redis, lineage, Duration::from_secs(60));
        let users = [bea(0).profile.user_id];
        shared.put_many([bea(1)].iter()).await;
        server.kill();
        shared.replace(&bea(2)).await;
        server.restart().unwrap();
        while !shared.redis.ping().await {
            tokio::task::yield_now().await;
        }

        // By someone who asked the source before the change.
        shared.put_many([bea(1)].iter()).await;

        assert_eq!(shared.get_many(&users).await, [None]);
        assert_eq!(shared.to_catch_up().await, users);
        shared.put_many([bea(2)].iter()).await;
        assert_eq!(shared.get_many(&users).await, [Some(bea(2))]);
        assert!(shared.to_catch_up().await.is_empty());

        shared.doubt([(&users[0], Some(9))].into_iter());
        shared.believe_source(&users.map(|user| (user, None)).into());
        assert!(shared.to_catch_up().await.is_empty(), "the source knows nobody of that name");
    }
}
