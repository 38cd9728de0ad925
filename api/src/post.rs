//! Posts, and the feed that they make.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{IdError, Record, UserId};

/// The most characters that a post may have.
pub const POST_LIMIT: usize = 2_000;

/// Names a post: a UUID in lower case. The greater, the newer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))]
pub struct PostId(Box<str>);

impl PostId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PostId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |(at, byte): (usize, u8)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        };
        if text.len() == 36 && text.bytes().enumerate().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::Post)
        }
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PostId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<PostId> for String {
    fn from(id: PostId) -> Self {
        id.0.into()
    }
}

/// Who wrote a post: a snapshot, at most an hour behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Author {
    /// Who.
    pub user_id: UserId,
    /// The display name.
    pub name: String,
    /// Their picture.
    pub picture: Record,
}

/// A post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Post {
    /// Names it.
    pub id: PostId,
    /// Who wrote it.
    pub author: Author,
    /// What they wrote: 1 to [`POST_LIMIT`] characters.
    pub text: String,
    /// When, in seconds since 1970, UTC.
    pub created_at: u64,
}

/// A page of the feed: the answer of `GET /api/posts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Feed {
    /// At most as many as asked for, the newest first.
    pub posts: Vec<Post>,
    /// Asks for the page after this one, as `before=`; none on the last.
    pub next: Option<PostId>,
}

/// What `POST /api/posts` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewPost {
    /// Names it: a UUID of version 7 that the client makes, so that it can send the same again if the
    /// answer was lost, and there is one post. The server makes one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<PostId>,
    /// What to say: 1 to [`POST_LIMIT`] characters; white space around it is left off.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_id_reads_as_it_is_written() {
        let text = "01990000-0000-7abc-8def-0123456789ab";
        let id: PostId = text.parse().unwrap();
        assert_eq!((id.as_str(), id.to_string()), (text, text.to_owned()));
        assert_eq!(String::from(id), text);
    }

    #[test]
    fn a_post_id_is_checked_where_it_is_parsed() {
        let cases = [
            ("plain", "01990000-0000-7abc-8def-0123456789ab", true),
            ("upper case", "01990000-0000-7ABC-8def-0123456789ab", false),
            ("without dashes", "01990000000007abc08def00123456789abc", false),
            ("a dash too many", "0199000--0000-7abc-8def-0123456789ab", false),
            ("short", "01990000-0000-7abc-8def-0123456789a", false),
            ("not ASCII", "01990000-0000-7abc-8def-0123456789ä", false),
            ("empty", "", false),
        ];
        for (name, text, valid) in cases {
            let id = text.parse::<PostId>().map(|id| id.to_string());
            assert_eq!(id.ok().as_deref(), valid.then_some(text), "{name}");
        }
    }
}
