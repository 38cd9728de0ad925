//! What follows a change of a person: the one place through which each goes.
//!
//! ```text
//! database, and a row in the outbox ─▶ every cache takes up what it says ─▶ those who may know are told
//!    │                                                └─▶ their posts are rewritten, in the background
//!    └─ its answer was lost ─▶ every cache forgets ─▶ if it was made, its row is there, and is told
//! ```
//!
//! **Invariant:** a change that was made is told, even if the client has gone meanwhile, the way back
//! from the database was lost, or the server was killed.

use std::sync::Arc;

use miniature_api::UserId;

use crate::{
    profiles::{Answer, Profiles, SourceError},
    relay::Relay,
    storage::{Database, Described, Message, NewPicture, PictureChange, Versioned},
};

/// Sees changes of people through. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Changes {
    database: Database,
    profiles: Profiles,
    relay: Relay,
}

/// Someone after a change, as every cache has them now.
struct Known {
    profile: Arc<Versioned>,
    /// The version that instances share; none if nobody can tell it now.
    version: Option<u64>,
}

impl Changes {
    /// Changes of the people in this database.
    pub fn new(database: Database, profiles: Profiles, relay: Relay) -> Self {
        Self { database, profiles, relay }
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
                    changes.tell(ours.clone(), Message::picture).await;
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
            Ok(match described {
                None => None,
                Some(Described { profile, is_news: true }) => {
                    Some(changes.tell(profile, Message::profile).await)
                }
                Some(Described { profile, is_news: false }) => {
                    Some(changes.take_up(profile).await.profile)
                }
            })
        });
        told.await.unwrap_or(Err(SourceError::Lost))
    }

    /// If the connection was lost, the change may have been made all the same: no cache goes on with
    /// what was before, and the relay finds it in the outbox.
    async fn unless_unsure<T>(
        &self,
        user: &UserId,
        made: sqlx::Result<T>,
    ) -> Result<T, SourceError> {
        if let Err(error) = &made
            && !matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
        {
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

    /// Tells of a change, as it is known to every cache by then, under the id of its row.
    async fn tell(
        &self,
        ours: Versioned,
        message: impl Fn(&Versioned) -> Message,
    ) -> Arc<Versioned> {
        let id = message(&ours).id;
        let Known { profile, version } = self.take_up(ours).await;
        let message = Message { id, version, ..message(&profile) };
        self.relay.announce(&message).await;
        self.relay.rewrite_posts(Arc::clone(&profile));
        profile
    }
}

/// Finishes what is begun, even if nobody waits for it any more: a browser may close its connection
/// between a change and the news of it. None if it panicked.
pub(crate) async fn see_through<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    tokio::spawn(work).await.ok()
}
