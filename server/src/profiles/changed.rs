//! What caches do when someone has changed: here, at another instance, or while Redis was away.

use std::{collections::HashMap, sync::Arc};

use ::redis::RedisResult;
use miniature_api::{BATCH_LIMIT, UserId};

use super::{Answer, Profiles, SourceError, is_as_new};
use crate::storage::Versioned;

impl Profiles {
    /// Reads a user's profile afresh, after a change; no layer goes on with what it had.
    ///
    /// # Errors
    ///
    /// If the source does not answer; every layer that can be reached has forgotten it then.
    pub async fn refresh(&self, user: &UserId) -> Result<Answer, SourceError> {
        self.invalidate(user).await;
        let mut loaded = self.load(vec![user.clone()]).await?;
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
            let answers = self.load(batch.to_vec()).await?;
            shared.believe_source(&answers);
        }
        Ok(users.len())
    }
}
