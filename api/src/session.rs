//! Signing in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Record, UserId};

/// The cookie that tells the page, not the server, that a session's cookie is there, and whose: the
/// session's own cannot be read by scripts. Without it nobody is signed in, and nothing is asked.
pub const ACCOUNT_COOKIE: &str = "miniature_account";

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
