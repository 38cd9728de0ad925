//! Who someone is: passwords, sessions, and how often one may try.

mod password;
mod session;
mod tries;

use std::{net::IpAddr, sync::Arc, time::Duration};

use miniature_api::{Credentials, Marker, UserId};
use tokio::sync::Semaphore;

pub(crate) use self::password::is_right;
use self::{password::MAX_PASSWORD, session::Sessions, tries::Tries};
pub use self::{password::hash_password, session::Token};
use crate::{
    ApiError, clock::Clock, config::Config, limits::Limits, storage::Database, workers::Workers,
};

/// Signs people in and out. Cheap to clone; clones share how often someone tried.
#[derive(Clone, Debug)]
pub struct SignIn {
    database: Database,
    workers: Workers,
    sessions: Sessions,
    tries: Arc<Tries>,
    places: Arc<Semaphore>,
    lasts: Duration,
    secure: bool,
    demo: bool,
    proxies: u8,
}

impl SignIn {
    /// Signs in the people of this database.
    pub fn new(database: Database, workers: Workers, clock: Clock, config: &Config) -> Self {
        let limits = Limits::default();
        Self {
            sessions: Sessions::new(database.clone(), clock, &limits),
            database,
            workers,
            tries: Arc::new(Tries::new(config)),
            places: Arc::new(Semaphore::new(limits.sign_ins)),
            lasts: limits.session_lasts,
            secure: config.secure_cookies(),
            demo: config.demo,
            proxies: config.trusted_proxies,
        }
    }

    /// For how long a session lasts.
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// How many proxies stand before this server.
    pub fn proxies(&self) -> u8 {
        self.proxies
    }

    /// Whether there are demo people to sign in as.
    pub fn is_demo(&self) -> bool {
        self.demo
    }

    /// Whether the cookie may travel by HTTPS only: unless this is a loopback server, yes.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// Checks a name and a password that came from an address, from a browser that may have a session
    /// already.
    ///
    /// # Errors
    ///
    /// [`ApiError::WrongCredentials`], not saying which one is wrong; [`ApiError::TooManyTries`];
    /// [`ApiError::Busy`] if too many are checked already.
    pub async fn check(
        &self,
        from: IpAddr,
        given: Credentials,
        session: Option<&Token>,
    ) -> Result<UserId, ApiError> {
        let session_of = match session {
            Some(token) => self.user_of(token).await?,
            None => None,
        };
        let name = given.username.trim();
        self.tries.count(from, name, session_of.as_ref())?;
        let _place = self.places.try_acquire().map_err(|_| ApiError::Busy)?;
        if given.password.len() > MAX_PASSWORD {
            return Err(ApiError::WrongCredentials);
        }
        let (user, hash) = self.named(name).await?;
        let right = self.workers.run(move || is_right(&given.password, hash)).await;
        match (user, right.map_err(ApiError::internal)?) {
            (Some(user), true) => {
                self.tries.succeeded(from, &user);
                Ok(user)
            }
            (_, _) => Err(ApiError::WrongCredentials),
        }
    }

    /// The user of this name, and the hash of their password. A telephone's keyboard adds a capital:
    /// if nobody has the very name, the same in small letters is tried.
    async fn named(&self, name: &str) -> Result<(Option<UserId>, Option<String>), ApiError> {
        for name in [name, &name.to_lowercase()] {
            let Ok(user) = name.parse::<UserId>() else { continue };
            if let Some(hash) = self.database.password_hash(&user).await? {
                return Ok((Some(user), Some(hash)));
            }
        }
        Ok((None, None))
    }

    /// Begins a session: what proves it, and what names it to the page.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn begin(&self, user: &UserId) -> Result<(Token, Marker), ApiError> {
        self.sessions.begin(user).await
    }

    /// Whose session this is, or none if it has ended; by up to 5 seconds ago, if that was at
    /// another instance.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn user_of(&self, token: &Token) -> Result<Option<UserId>, ApiError> {
        self.sessions.user_of(token).await
    }

    /// Resolves once a session has ended: at once if it ends here, within 5 seconds if at another
    /// instance. While the database is away no session ends.
    pub fn until_ended(&self, token: Token) -> impl Future<Output = ()> + Send + use<> {
        self.sessions.clone().until_ended(token)
    }

    /// Ends a session; if a marker is given, only where it is this session's. Returns whether it
    /// was.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn end(&self, token: &Token, marker: Option<&Marker>) -> Result<bool, ApiError> {
        self.sessions.end(token, marker).await
    }

    /// Ends every session of a user, in all their browsers.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn end_all(&self, user: &UserId) -> Result<(), ApiError> {
        self.sessions.end_all(user).await
    }
}
