//! Sessions: a random token with the browser, its hash with us.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use blake3::Hash;
use miniature_api::{Marker, UserId};
use moka::future::Cache;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::{ApiError, clock::Clock, limits::Limits, storage::Database};

/// Proves a session: 256 random bits, in base64. With the browser alone; we keep its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// What a browser sent as its token. Whether it is one, the database tells.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it is sent to the browser.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn random() -> Result<Self, ApiError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    fn hash(&self) -> Hash {
        blake3::hash(self.0.as_bytes())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// Whose session, and until when in seconds since 1970.
type Found = Option<(UserId, u64)>;

/// Every session. Cheap to clone; clones share what they remember.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    database: Database,
    clock: Clock,
    lasts: Duration,
    checked_every: Duration,
    /// By hash of the token: found a moment ago.
    found: Cache<Hash, Found>,
    /// By hash of the token: found some minutes ago. Only asked while the database is away.
    known: Cache<Hash, Found>,
    /// By hash of the token: ended here a moment ago, while it may have been looked up.
    ended: Cache<Hash, ()>,
    /// Changes whenever a session has ended here.
    ends: watch::Sender<()>,
    /// Users who are known to be active.
    active: Cache<UserId, ()>,
}

impl Sessions {
    pub(super) fn new(database: Database, clock: Clock, limits: &Limits) -> Self {
        let found = Cache::builder()
            .max_capacity(limits.sessions)
            .time_to_live(limits.session_trusted_for)
            .build();
        let known = Cache::builder()
            .max_capacity(limits.sessions)
            .time_to_live(limits.session_trusted_in_need_for)
            .build();
        let ended = Cache::builder()
            .max_capacity(limits.sessions)
            .time_to_live(limits.session_trusted_in_need_for)
            .build();
        let active = Cache::builder()
            .max_capacity(limits.sessions)
            .time_to_live(limits.activity_noted_every)
            .build();
        Self {
            database,
            clock,
            lasts: limits.session_lasts,
            checked_every: limits.session_checked_every,
            found,
            known,
            ended,
            ends: watch::Sender::new(()),
            active,
        }
    }

    pub(super) async fn begin(&self, user: &UserId) -> Result<(Token, Marker), ApiError> {
        let token = Token::random()?;
        let marker = Marker::new(user, getrandom::u32().map_err(ApiError::internal)?);
        let now = self.clock.now();
        let expires_at = now + self.lasts.as_secs();
        self.database.add_session(&token.hash().to_hex(), user, &marker, now, expires_at).await?;
        Ok((token, marker))
    }

    /// Whose session this is.
    pub(super) async fn user_of(&self, token: &Token) -> Result<Option<UserId>, ApiError> {
        let hash = token.hash();
        let found = match self.found.get(&hash).await {
            Some(found) => found,
            // In a box: what is rare would be room that every request carries about.
            None => Box::pin(self.look_once(hash)).await?,
        };
        let now = self.clock.now();
        Ok(found.filter(|(_, expires_at)| *expires_at > now).map(|(user, _)| user))
    }

    /// Resolves once this session has ended.
    pub(super) async fn until_ended(self, token: Token) {
        let hash = token.hash();
        let mut ends = self.ends.subscribe();
        let mut checks = interval(self.checked_every);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let has_ended = tokio::select! {
                biased;
                // All streams wake: none of them may ask the database now.
                _ = ends.changed() => self.ended.contains_key(&hash),
                _ = checks.tick() => matches!(self.user_of(&token).await, Ok(None)),
            };
            if has_ended {
                return;
            }
        }
    }

    /// Of many who ask at once, one looks: in a task of its own, for a stream that nobody reads is not
    /// polled. What it finds is forgotten again if the session ended meanwhile.
    async fn look_once(&self, hash: Hash) -> Result<Found, ApiError> {
        let sessions = self.clone();
        let look = async move { sessions.found.try_get_with(hash, sessions.look(hash)).await };
        let found = tokio::spawn(look).await.map_err(ApiError::internal)?;
        let found = found.map_err(|error: Arc<sqlx::Error>| ApiError::from(&error))?;
        if self.ended.contains_key(&hash) {
            self.forget(hash).await;
            return Ok(None);
        }
        Ok(found)
    }

    /// In the database; while that is away, among those that it knew some minutes ago.
    async fn look(&self, hash: Hash) -> sqlx::Result<Found> {
        match self.database.session(&hash.to_hex()).await {
            Ok(found) => {
                if let Some((user, _)) = &found {
                    self.note_active(user).await;
                }
                self.known.insert(hash, found.clone()).await;
                Ok(found)
            }
            Err(error) => self.known.get(&hash).await.ok_or(error),
        }
    }

    pub(super) async fn end(
        &self,
        token: &Token,
        marker: Option<&Marker>,
    ) -> Result<bool, ApiError> {
        let hash = token.hash();
        let is_meant = self.database.end_session(&hash.to_hex(), marker).await? || marker.is_none();
        if is_meant {
            self.forget(hash).await;
            self.ends.send_replace(());
        }
        Ok(is_meant)
    }

    async fn forget(&self, hash: Hash) {
        self.ended.insert(hash, ()).await; // before: a look that ends after this sees it
        self.found.invalidate(&hash).await;
        self.known.invalidate(&hash).await;
    }

    pub(super) async fn end_all(&self, user: &UserId) -> Result<(), ApiError> {
        for hash in self.database.end_sessions(user).await? {
            self.forget(Hash::from_hex(hash).map_err(ApiError::internal)?).await;
        }
        self.ends.send_replace(());
        Ok(())
    }

    /// For the warm-up alone, so a failure is nobody's concern.
    async fn note_active(&self, user: &UserId) {
        if self.active.contains_key(user) {
            return;
        }
        self.active.insert(user.clone(), ()).await;
        if let Err(error) = self.database.note_active(user, self.clock.now()).await {
            tracing::debug!(%error, "activity was not noted");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;
    use tokio::time::{pause, timeout};

    use super::*;
    use crate::storage::NewPerson;

    async fn signed_in(database: &Database, limits: &Limits) -> (Sessions, Token) {
        let ada = "ada".parse::<UserId>().unwrap();
        let person = NewPerson {
            user_id: ada.clone(),
            name: "Ada".to_owned(),
            headline: String::new(),
            password_hash: None,
        };
        database.add_people(&[person], &[]).await.unwrap();
        let sessions = Sessions::new(database.clone(), Clock::system(), limits);
        let (token, _) = sessions.begin(&ada).await.unwrap();
        assert_eq!(sessions.user_of(&token).await.unwrap(), Some(ada));
        (sessions, token)
    }

    #[tokio::test]
    async fn a_stream_that_nobody_reads_holds_up_no_request_of_its_session() {
        let database = Database::in_memory().await.unwrap();
        let limits = Limits { session_trusted_for: Duration::ZERO, ..Limits::default() };
        let (sessions, token) = signed_in(&database, &limits).await;
        let mut unread = pin!(sessions.user_of(&token)); // as a stream asks, once a second
        assert!(unread.as_mut().now_or_never().is_none(), "it looks");

        let found = timeout(Duration::from_secs(10), sessions.user_of(&token)).await;

        assert!(found.expect("it is looked up").unwrap().is_some());
    }

    #[tokio::test]
    async fn no_session_ends_while_the_database_is_away() {
        let database = Database::in_memory().await.unwrap();
        let limits = Limits {
            session_trusted_for: Duration::ZERO,
            session_trusted_in_need_for: Duration::ZERO,
            ..Limits::default()
        };
        let (sessions, token) = signed_in(&database, &limits).await;
        let mut ended = pin!(sessions.clone().until_ended(token.clone()));
        assert!(ended.as_mut().now_or_never().is_none());

        database.close().await;

        assert!(sessions.user_of(&token).await.is_err(), "no cache knows");
        pause();
        assert!(timeout(Duration::from_secs(60), ended).await.is_err(), "it ended");
    }
}
