//! What follows a change of a person: the one place through which each goes.
//!
//! ```text
//! database ─▶ every cache reads afresh ─▶ whoever may know is told
//!                                     └─▶ their posts are rewritten, in the background
//! ```
//!
//! **Invariant:** a change that was made is told, even if whoever asked for it has gone meanwhile.

use miniature_api::{Change, Record, UserId};

use crate::{
    events::Events,
    profiles::{Answer, Profiles, SourceError},
    storage::Database,
};

/// Sees changes of people through. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Changes {
    database: Database,
    profiles: Profiles,
    events: Events,
}

impl Changes {
    /// Changes of the people in this database.
    pub fn new(database: Database, profiles: Profiles, events: Events) -> Self {
        Self { database, profiles, events }
    }

    /// Someone has another picture, or none; the database says so already.
    ///
    /// # Errors
    ///
    /// If the profile cannot be read afresh; everybody is told nevertheless.
    pub async fn picture(&self, record: Record) -> Result<(), SourceError> {
        let changes = self.clone();
        let told = see_through(async move {
            let refreshed = changes.profiles.refresh(&record.user_id).await;
            changes.events.publish(Change::Picture(record)).await;
            changes.rewrite_posts(refreshed?);
            Ok(())
        });
        told.await.unwrap_or(Err(SourceError::Lost))
    }

    /// Changes what is said of someone; what is none stays. Returns their profile, or none if there
    /// is no such user.
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
            changes.database.describe(&user, name.as_deref(), headline.as_deref()).await?;
            let answer = changes.profiles.refresh(&user).await?;
            if let Some(profile) = &answer {
                changes.events.publish(Change::Profile(profile.profile.clone())).await;
            }
            changes.rewrite_posts(answer.clone());
            Ok(answer)
        });
        told.await.unwrap_or(Err(SourceError::Lost))
    }

    /// If it fails, the snapshots are refreshed once their time is over.
    fn rewrite_posts(&self, author: Answer) {
        let (Some(author), database) = (author, self.database.clone()) else { return };
        tokio::spawn(async move {
            if let Err(error) = database.rewrite_author(&author, None).await {
                tracing::warn!(%error, "posts keep an old snapshot of their author for a while");
            }
        });
    }
}

/// Finishes what is begun, even if nobody waits for it any more: a browser may close its connection
/// between a change and the news of it. None if it panicked.
pub(crate) async fn see_through<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    tokio::spawn(work).await.ok()
}
