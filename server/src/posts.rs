//! Posts and the feed: what people write, each post with its author as of then.
//!
//! ```text
//! feed ─▶ posts with snapshots ─▶ older than 1 h: their authors, in one batch ─▶ written back
//! change of a profile or picture ─▶ its user's posts rewritten (see `changes`)
//! ```
//!
//! **Invariant:** of two snapshots of an author the one of the higher version stays, also in a post
//! that was written while its author changed; and a feed does not fail because nobody can tell who
//! its authors are now.

use std::{collections::HashMap, num::NonZeroU32, time::Duration};

use miniature_api::{Author, Feed, Post, PostId, UserId};
use uuid::Uuid;

use crate::{
    ApiError,
    changes::see_through,
    clock::Clock,
    limits::Limits,
    pace::Pace,
    places::Places,
    profiles::{Answer, Profiles},
    relay::Relay,
    storage::{Database, Message, StoredPost, Versioned, Written},
};

/// Posts and the feed. Cheap to clone; clones share how often someone wrote.
#[derive(Clone, Debug)]
pub struct Posts {
    database: Database,
    profiles: Profiles,
    relay: Relay,
    clock: Clock,
    fresh_for: Duration,
    ids_behind: Duration,
    ids_ahead: Duration,
    pace: Pace,
    /// Whose snapshots are being written back.
    writing: Places,
}

/// What became of a request to write a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It was written.
    Now(Post),
    /// It had been written before, under the same id.
    Before(Post),
}

impl Posts {
    /// The posts in this database; one may write as many as one likes.
    pub fn new(
        database: Database,
        profiles: Profiles,
        relay: Relay,
        clock: Clock,
        limits: &Limits,
    ) -> Self {
        let pace = Pace::per_minute(NonZeroU32::MAX);
        Self {
            database,
            profiles,
            relay,
            clock,
            fresh_for: limits.snapshot_fresh_for,
            ids_behind: limits.post_ids_behind,
            ids_ahead: limits.post_ids_ahead,
            pace,
            writing: Places::new(1),
        }
    }

    /// Takes so many posts of one user a minute.
    #[must_use]
    pub fn at_most(self, posts_per_user: NonZeroU32) -> Self {
        Self { pace: Pace::per_minute(posts_per_user), ..self }
    }

    /// Keeps what a user writes, and tells those who may know. The source is not asked who they are
    /// if a cache knows. A client that did not hear the answer repeats the id that it made: then the
    /// first post stands, and is returned.
    ///
    /// # Errors
    ///
    /// [`ApiError::TooManyTries`] (429); [`ApiError::Invalid`] (422) if the id does not say that it was
    /// made now; [`ApiError::IdTaken`] (409) if it names a post of someone else; if the database does
    /// not answer.
    pub async fn write(
        &self,
        user: &UserId,
        text: String,
        id: Option<PostId>,
    ) -> Result<Accepted, ApiError> {
        self.pace.count(user)?;
        let id = match id {
            Some(id) => self.made_lately(id)?,
            None => Uuid::now_v7().to_string().parse().map_err(ApiError::internal)?,
        };
        let author = self.profiles.get(user).await?.ok_or(ApiError::SignedOut)?;
        let stored = snapshot(id, &author, text, self.clock.now());
        let posts = self.clone();
        let kept = see_through(async move { posts.keep(stored).await });
        kept.await.ok_or_else(|| ApiError::internal("keeping a post panicked"))?
    }

    /// Posts sort by their ids, so an id must say when its post was written.
    fn made_lately(&self, id: PostId) -> Result<PostId, ApiError> {
        let made = Uuid::try_parse(id.as_str()).ok().and_then(|id| id.get_timestamp());
        let made_at = made.map(|made| Duration::from_secs(made.to_unix().0));
        let now = Duration::from_secs(self.clock.now());
        let lately = now.saturating_sub(self.ids_behind)..=now + self.ids_ahead;
        let version = id.as_str().as_bytes()[14];
        if version == b'7' && made_at.is_some_and(|made_at| lately.contains(&made_at)) {
            return Ok(id);
        }
        let rule = "make it a UUID of version 7, by a clock that is right to some minutes";
        Err(ApiError::invalid("id", rule))
    }

    /// Keeps a post and tells of it, by its author as they are then.
    async fn keep(&self, mut stored: StoredPost) -> Result<Accepted, ApiError> {
        if let Written::Before(first) = self.database.write_post(&stored).await? {
            let same_author = first.post.author.user_id == stored.post.author.user_id;
            return same_author.then_some(Accepted::Before(first.post)).ok_or(ApiError::IdTaken);
        }
        if let Some(author) = self.newer_author(&stored).await {
            stored.post.author = author_of(&author);
            if let Err(error) = self.database.rewrite_author(&author, None).await {
                tracing::warn!(%error, "a post keeps an old snapshot of its author for a while");
            }
        }
        self.relay.announce(&Message::post(&stored.post)).await;
        Ok(Accepted::Now(stored.post))
    }

    /// The author, if they have changed since the snapshot was taken: their posts may have been
    /// rewritten before this one was among them.
    async fn newer_author(&self, stored: &StoredPost) -> Answer {
        let author = self.profiles.get(&stored.post.author.user_id).await.ok()?;
        author.filter(|author| author.version > stored.author_version)
    }

    /// A page of what a user and their friends wrote, the newest first: at most `limit` posts, those
    /// before the one named.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn feed(
        &self,
        of: &UserId,
        before: Option<&PostId>,
        limit: usize,
    ) -> Result<Feed, ApiError> {
        let (mut posts, next) = self.database.feed(of, before, limit).await?;
        self.refresh(&mut posts).await;
        Ok(Feed { posts: posts.into_iter().map(|stored| stored.post).collect(), next })
    }

    /// Asks anew who the authors of old snapshots are. If nobody can tell, the old ones are shown.
    async fn refresh(&self, posts: &mut [StoredPost]) {
        let now = self.clock.now();
        let old = self.with_old_snapshot(posts, now);
        if old.is_empty() {
            return;
        }
        match self.profiles.get_many(&old).await {
            Ok((authors, _)) => {
                let authors = old.into_iter().zip(authors).collect::<HashMap<_, _>>();
                posts.iter_mut().for_each(|post| take_up(post, &authors));
                self.write_back(authors, now);
            }
            Err(error) => tracing::warn!(%error, "a feed shows its authors as of some time ago"),
        }
    }

    /// The authors whose snapshot is past its time, each once.
    fn with_old_snapshot(&self, posts: &[StoredPost], now: u64) -> Vec<UserId> {
        let mut old = Vec::new();
        for StoredPost { post, author_as_of, .. } in posts {
            let fresh = now.saturating_sub(*author_as_of) < self.fresh_for.as_secs();
            if !fresh && !old.contains(&post.author.user_id) {
                old.push(post.author.user_id.clone());
            }
        }
        old
    }

    /// In the background: nobody waits for it, and if it fails it is tried at the next reading. Of
    /// all who read old snapshots of an author at once, one writes them back.
    fn write_back(&self, authors: HashMap<UserId, Answer>, as_of: u64) {
        let authors = authors.into_values().flatten();
        let turns =
            authors.filter_map(|author| Some((self.writing.take(&author.user_id)?, author)));
        let turns = turns.collect::<Vec<_>>();
        let database = self.database.clone();
        tokio::spawn(async move {
            for (_turn, author) in turns {
                if let Err(error) = database.rewrite_author(&author, Some(as_of)).await {
                    tracing::warn!(%error, "a snapshot of an author cannot be written back");
                }
            }
        });
    }
}

/// A post by someone as they are now, in seconds since 1970.
pub(crate) fn snapshot(id: PostId, author: &Versioned, text: String, now: u64) -> StoredPost {
    let post = Post { id, author: author_of(author), text, created_at: now };
    StoredPost { post, author_as_of: now, author_version: author.version }
}

fn author_of(profile: &Versioned) -> Author {
    Author {
        user_id: profile.user_id.clone(),
        name: profile.name.clone(),
        picture: profile.picture.clone(),
    }
}

/// Whoever is no more stays as they were.
fn take_up(stored: &mut StoredPost, authors: &HashMap<UserId, Answer>) {
    let author = authors.get(&stored.post.author.user_id).and_then(Option::as_ref);
    if let Some(author) = author.filter(|author| author.version >= stored.author_version) {
        stored.post.author = author_of(author);
    }
}
