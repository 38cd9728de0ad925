//! What follows a change of a person: the one place through which each goes.
//!
//! ```text
//! database ─▶ every cache takes up what it says ─▶ whoever may know is told
//!    │                                         └─▶ their posts are rewritten, in the background
//!    └─ its answer was lost ─▶ asked later what came of it, and that is told
//! ```
//!
//! **Invariant:** a change that was made is told, even if whoever asked for it has gone meanwhile, or
//! the way back from the database was lost.

use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use miniature_api::{BATCH_LIMIT, Change, UserId};

use crate::{
    events::Events,
    profiles::{Answer, Profiles, SourceError},
    storage::{Database, Described, NewPicture, PictureChange, Versioned},
};

/// Sees changes of people through. Cheap to clone; clones share what is still to be found out.
#[derive(Clone, Debug)]
pub struct Changes {
    database: Database,
    profiles: Profiles,
    events: Events,
    /// Who may have changed: the database did not say.
    unsettled: Arc<Mutex<HashSet<UserId>>>,
}

/// Someone after a change, as every cache has them now.
struct Known {
    profile: Arc<Versioned>,
    /// The version that instances share; none if nobody can tell it now.
    version: Option<u64>,
}

impl Changes {
    /// Changes of the people in this database.
    pub fn new(database: Database, profiles: Profiles, events: Events) -> Self {
        Self { database, profiles, events, unsettled: Arc::default() }
    }

    /// Gives someone another picture, or none, at a time in seconds since 1970. Returns none, and
    /// changes nothing, if that picture has been removed since it was kept.
    ///
    /// One that they have already is no news.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn picture(
        &self,
        user: &UserId,
        picture: Option<NewPicture>,
        now: u64,
    ) -> Result<Option<PictureChange>, SourceError> {
        let (changes, user) = (self.clone(), user.clone());
        let told = see_through(async move {
            let made = changes.database.set_picture(&user, picture.as_ref(), now).await;
            let change = changes.unless_unsure(&user, made).await?;
            match &change {
                Some(PictureChange::Changed(ours)) => {
                    let known = changes.take_up(ours.clone()).await;
                    changes.tell_picture(&known).await;
                    changes.rewrite_posts(known.profile);
                }
                Some(PictureChange::AlreadySo(ours)) => drop(changes.take_up(ours.clone()).await),
                Some(PictureChange::NoSuchUser) | None => {}
            }
            Ok(change)
        });
        told.await.unwrap_or(Err(SourceError::Lost))
    }

    /// Changes what is said of someone; what is none stays, and what was so before is no news. Returns
    /// their profile, or none if there is no such user.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn describe(
        &self,
        user: &UserId,
        name: Option<String>,
        headline: Option<String>,
    ) -> Result<Answer, SourceError> {
        let (changes, user) = (self.clone(), user.clone());
        let told = see_through(async move {
            let made = changes.database.describe(&user, name.as_deref(), headline.as_deref()).await;
            let described = changes.unless_unsure(&user, made).await?;
            let Some(Described { profile: ours, is_news }) = described else { return Ok(None) };
            let known = changes.take_up(ours).await;
            if is_news {
                changes.tell_profile(&known).await;
                changes.rewrite_posts(Arc::clone(&known.profile));
            }
            Ok(Some(known.profile))
        });
        told.await.unwrap_or(Err(SourceError::Lost))
    }

    /// Finds out what came of changes whose answer was lost, and tells it. Returns of how many people
    /// that was.
    ///
    /// # Errors
    ///
    /// If the database does not answer; nothing is forgotten.
    pub async fn settle(&self) -> Result<usize, SourceError> {
        let unsettled = mem::take(&mut *self.unsettled());
        let users = unsettled.into_iter().collect::<Vec<_>>();
        for (n, batch) in users.chunks(BATCH_LIMIT).enumerate() {
            let found = self.database.profiles(batch).await.inspect_err(|_| {
                self.unsettled().extend(users[n * BATCH_LIMIT..].iter().cloned());
            })?;
            for ours in found.into_values() {
                let known = self.take_up(ours).await;
                self.tell_picture(&known).await;
                self.tell_profile(&known).await;
                self.rewrite_posts(known.profile);
            }
        }
        Ok(users.len())
    }

    /// If the connection was lost, the change may have been made all the same: no cache goes on with
    /// what was before, and it is found out later.
    async fn unless_unsure<T>(
        &self,
        user: &UserId,
        made: sqlx::Result<T>,
    ) -> Result<T, SourceError> {
        if let Err(error) = &made
            && !matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
        {
            self.unsettled().insert(user.clone());
            self.profiles.invalidate(user).await;
        }
        Ok(made?)
    }

    /// If nobody can say who they are, every cache has forgotten it, and what we know is told.
    async fn take_up(&self, ours: Versioned) -> Known {
        match self.profiles.take_up(ours.clone()).await {
            Ok(Some(profile)) => Known { version: Some(profile.version), profile },
            Ok(None) => Known { profile: Arc::new(ours), version: None },
            Err(error) => {
                tracing::warn!(%error, "a profile was changed and could not be read afresh");
                Known { profile: Arc::new(ours), version: None }
            }
        }
    }

    async fn tell_picture(&self, known: &Known) {
        let change = Change::Picture(known.profile.picture.clone());
        self.events.publish_at(change, known.version).await;
    }

    async fn tell_profile(&self, known: &Known) {
        let change = Change::Profile(known.profile.profile.clone());
        self.events.publish_at(change, known.version).await;
    }

    /// If it fails, the snapshots are refreshed once their time is over.
    fn rewrite_posts(&self, author: Arc<Versioned>) {
        let database = self.database.clone();
        tokio::spawn(async move {
            if let Err(error) = database.rewrite_author(&author, None).await {
                tracing::warn!(%error, "posts keep an old snapshot of their author for a while");
            }
        });
    }

    fn unsettled(&self) -> MutexGuard<'_, HashSet<UserId>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finishes what is begun, even if nobody waits for it any more: a browser may close its connection
/// between a change and the news of it. None if it panicked.
pub(crate) async fn see_through<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    tokio::spawn(work).await.ok()
}
