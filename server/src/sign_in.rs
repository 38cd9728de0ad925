//! Who someone is: passwords, sessions, and how often one may try.

use std::{net::IpAddr, sync::Arc, time::Duration};

use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{self, phc::PasswordHash},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use miniature_api::{Credentials, UserId};

use crate::{
    ApiError, clock::Clock, config::Config, limits::Limits, storage::Database, workers::Workers,
};

/// Looks like the hash of a password, and is that of none: what an unknown name is checked against,
/// so that it takes as long to refuse as a known one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ibw\
     $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The longest password, in bytes. Hashing takes time with length.
const MAX_PASSWORD: usize = 1_024;

/// From this many remembered names or addresses on, those that may try again anyway are forgotten.
const MANY_TRIERS: usize = 10_000;

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

    fn hash(&self) -> String {
        blake3::hash(self.0.as_bytes()).to_string()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// Signs people in and out. Cheap to clone; clones share how often someone tried.
#[derive(Clone, Debug)]
pub struct SignIn {
    database: Database,
    workers: Workers,
    clock: Clock,
    tries: Arc<Tries>,
    lasts: Duration,
    secure: bool,
}

impl SignIn {
    /// Signs in the people of this database.
    pub fn new(database: Database, workers: Workers, clock: Clock, config: &Config) -> Self {
        let tries = Arc::new(Tries::new(config));
        let secure = config.secure_cookies.unwrap_or(!config.listen.ip().is_loopback());
        let lasts = Limits::default().session_lasts;
        Self { database, workers, clock, tries, lasts, secure }
    }

    /// For how long a session lasts.
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// Whether the cookie may travel by HTTPS only: unless this is a loopback server, yes.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// Checks a name and a password that came from an address.
    ///
    /// # Errors
    ///
    /// [`ApiError::WrongCredentials`], not saying which one is wrong; [`ApiError::TooManyTries`].
    pub async fn check(&self, from: IpAddr, given: Credentials) -> Result<UserId, ApiError> {
        self.tries.count(from, &given.username)?;
        if given.password.len() > MAX_PASSWORD {
            return Err(ApiError::WrongCredentials);
        }
        let user = given.username.parse::<UserId>().ok();
        let hash = match &user {
            Some(user) => self.database.password_hash(user).await?,
            None => None,
        };
        let right = self.workers.run(move || is_right(&given.password, hash)).await;
        match (user, right.map_err(ApiError::internal)?) {
            (Some(user), true) => Ok(user),
            (_, _) => Err(ApiError::WrongCredentials),
        }
    }

    /// Begins a session.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn begin(&self, user: &UserId) -> Result<Token, ApiError> {
        let token = Token::random()?;
        let now = self.clock.now();
        let expires_at = now + self.lasts.as_secs();
        self.database.add_session(&token.hash(), user, now, expires_at).await?;
        Ok(token)
    }

    /// Whose session this is, or none if it has ended.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn user_of(&self, token: &Token) -> Result<Option<UserId>, ApiError> {
        Ok(self.database.session(&token.hash(), self.clock.now()).await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn end(&self, token: &Token) -> Result<(), ApiError> {
        Ok(self.database.end_session(&token.hash()).await?)
    }
}

/// Hashes a password for the database, with a salt of its own. Keeps a core busy for some 20 ms.
///
/// # Errors
///
/// If the system gives no random bytes.
pub fn hash_password(password: &str) -> Result<String, password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

/// Keeps a core busy for some 20 ms, whether there is a hash or not.
fn is_right(password: &str, hash: Option<String>) -> bool {
    let known = hash.is_some();
    let hash = hash.as_deref().unwrap_or(NOBODY);
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let matches = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    known && matches
}

/// How often someone tried to sign in.
#[derive(Debug)]
struct Tries {
    by_name: DefaultKeyedRateLimiter<(IpAddr, String)>,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
}

impl Tries {
    fn new(config: &Config) -> Self {
        Self {
            by_name: RateLimiter::keyed(Quota::per_minute(config.sign_ins_per_name)),
            by_address: RateLimiter::keyed(Quota::per_minute(config.sign_ins_per_address)),
        }
    }

    fn count(&self, from: IpAddr, name: &str) -> Result<(), ApiError> {
        self.forget_if_many();
        let name = name.chars().take(64).collect::<String>().to_lowercase();
        let tried = self.by_address.check_key(&from);
        let tried = tried.and_then(|()| self.by_name.check_key(&(from, name)));
        tried.map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            ApiError::TooManyTries { retry_after_s: wait.as_secs() + 1 }
        })
    }

    fn forget_if_many(&self) {
        if self.by_name.len() > MANY_TRIERS {
            self.by_name.retain_recent();
        }
        if self.by_address.len() > MANY_TRIERS {
            self.by_address.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_right_or_not() {
        let hash = hash_password("miniature").unwrap();
        let cases = [
            ("right", "miniature", Some(hash.clone()), true),
            ("wrong", "Miniature", Some(hash), false),
            ("nobody's", "miniature", None, false),
            ("not a hash", "miniature", Some("miniature".to_owned()), false),
        ];
        for (name, password, hash, expected) in cases {
            assert_eq!(is_right(password, hash), expected, "{name}");
        }
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = hash_password("x").unwrap();
        let somebody = PasswordHash::new(&somebody).unwrap();
        assert_eq!(nobody.algorithm, somebody.algorithm);
        assert_eq!(nobody.params, somebody.params);
    }
}
