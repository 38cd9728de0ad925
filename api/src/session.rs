//! Signing in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Record, UserId};

/// The cookie that tells the page, not the server, which session the browser has: the session's own
/// cannot be read by scripts. It holds a [`Marker`].
pub const ACCOUNT_COOKIE: &str = "miniature_account";

/// The header that names the account an answer was given to: on every answer under `/api/` to a
/// session, but for signing in and out, 401 and 304.
pub const ACCOUNT_HEADER: &str = "miniature-account";

/// The header of `DELETE /api/session` that names the session to end, as its [`Marker`]. Where the
/// cookie is another session's, nothing ends.
pub const MARKER_HEADER: &str = "miniature-session";

/// The header of answers to `GET /api/session` that says that there is a demo account to look around
/// with: `ada`, password `miniature`.
pub const DEMO_HEADER: &str = "miniature-demo";

/// Names one session to the page: `{user_id}.{8 hex digits}`, new at each sign-in. It proves nothing,
/// and is unrelated to the token. What a browser holds may be any text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marker(Box<str>);

impl Marker {
    /// The marker of a user's session; `nonce` tells it from the user's others.
    pub fn new(user: &UserId, nonce: u32) -> Self {
        Self(format!("{user}.{nonce:08x}").into())
    }

    /// Whose session it says it is; none if it names nobody.
    pub fn user(&self) -> Option<UserId> {
        self.0.split('.').next()?.parse().ok()
    }

    /// As a cookie or a header holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Marker {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// What `POST /api/session` takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Credentials {
    /// The user's name for signing in.
    pub username: String,
    /// In the clear; kept as an argon2 hash.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// The signed-in user: the answer of `POST` and `GET /api/session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// Who.
    pub user_id: UserId,
    /// The display name.
    pub name: String,
    /// Their own picture.
    pub picture: Record,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_written_into_a_log() {
        let credentials = Credentials { username: "ada".into(), password: "lovelace".into() };
        let log = format!("{credentials:?}");
        assert!(log.contains("ada") && !log.contains("lovelace"), "{log}");
    }

    #[test]
    fn a_marker_names_its_user() {
        let ada: UserId = "ada".parse().unwrap();
        let marker = Marker::new(&ada, 0xbeef);
        assert_eq!((marker.as_str(), marker.user()), ("ada.0000beef", Some(ada.clone())));
        let cases =
            [("ada", true), ("ada.", true), ("ada.x.y", true), ("", false), (".ada", false)];
        for (text, is_hers) in cases {
            let user = Marker::from(text.to_owned()).user();
            assert_eq!(user, is_hers.then(|| ada.clone()), "{text:?}");
        }
    }
}
