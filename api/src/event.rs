//! What happens to those whom one knows: the events of `GET /api/events`.
//!
//! The name of an event tells what its data is: that of [`RESET_EVENT`] is nothing to read, that of
//! the others is what [`Change`] holds.

use serde::{Deserialize, Serialize};

use crate::{Post, Profile, Record, UserId};

/// Someone has another picture; the data is a [`Record`].
pub const PICTURE_EVENT: &str = "picture";

/// Someone's profile is another; the data is a [`Profile`].
pub const PROFILE_EVENT: &str = "profile";

/// Someone has written a post; the data is a [`Post`].
pub const POST_EVENT: &str = "post";

/// Events may have been missed: whatever is held is to be asked for anew.
pub const RESET_EVENT: &str = "reset";

/// Something that happened to someone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// They have another picture, or none.
    Picture(Record),
    /// They say something else of themselves.
    Profile(Profile),
    /// They have written a post.
    Post(Post),
}

impl Change {
    /// To whom it happened. They and their friends may know.
    pub fn about(&self) -> &UserId {
        match self {
            Self::Picture(record) => &record.user_id,
            Self::Profile(profile) => &profile.user_id,
            Self::Post(post) => &post.author.user_id,
        }
    }

    /// The name of the event that tells of it.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Picture(_) => PICTURE_EVENT,
            Self::Profile(_) => PROFILE_EVENT,
            Self::Post(_) => POST_EVENT,
        }
    }
}
