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

/// Names on an answer the last event that had happened when it was made: a stream that resumes after
/// that event tells all that the answer may not know.
pub const EVENT_HEADER: &str = "miniature-event";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Author, Revision};

    #[test]
    fn an_event_says_what_happened_and_to_whom() {
        let user = |id: &str| -> UserId { id.parse().unwrap() };
        let picture = |id| Record {
            user_id: user(id),
            revision: Revision(1),
            image_id: None,
            thumbhash: None,
        };
        let (name, headline) = (String::new(), String::new());
        let profile = Profile {
            user_id: user("bea"),
            name: name.clone(),
            headline,
            friend_count: 0,
            picture: picture("bea"),
        };
        let author = Author { user_id: user("cem"), name, picture: picture("cem") };
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let post = Post { id, author, text: "hello".to_owned(), created_at: 1 };
        let cases = [
            (Change::Picture(picture("ada")), "picture", "ada"),
            (Change::Profile(profile), "profile", "bea"),
            (Change::Post(post), "post", "cem"),
        ];
        for (change, name, whom) in cases {
            assert_eq!((change.event(), change.about().as_str()), (name, whom));
        }
    }
}
