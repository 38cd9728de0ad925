//! Friends and profiles.

use serde::{Deserialize, Serialize};

use crate::{Record, UserId};

/// A friend, as a row of the list shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Friend {
    /// Who.
    pub user_id: UserId,
    /// The display name.
    pub name: String,
    /// What they say of themselves, in a line.
    pub headline: String,
    /// Their picture.
    pub picture: Record,
}

/// A page of the friend list: the answer of `GET /api/friends`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FriendsPage {
    /// At most as many as asked for, in the order of the list.
    pub friends: Vec<Friend>,
    /// Asks for the page after this one, as `cursor=`; none on the last.
    pub next: Option<String>,
}

/// What `PATCH /api/users/me` takes; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileChange {
    /// The display name: 1 to 80 characters.
    pub name: Option<String>,
    /// What to say of oneself: one line of at most 160 characters.
    pub headline: Option<String>,
}

/// A user's profile: the answer of `GET /api/users/{user_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// Who.
    pub user_id: UserId,
    /// The display name.
    pub name: String,
    /// What they say of themselves, in a line.
    pub headline: String,
    /// How many friends they have.
    pub friend_count: u32,
    /// Their picture.
    pub picture: Record,
}
