//! What pictures hang on: pages of lists, and profiles.

use std::sync::Arc;

use miniature_api::{Feed, FriendsPage, Lineage, Profile, UserId};
use serde::{Deserialize, Serialize};

use super::clock::Timestamp;

/// Names a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DocumentKey {
    /// The page of friends after the one that named this cursor; the first page without.
    Friends(Option<Box<str>>),
    /// The page of the feed before this post; the newest without.
    Feed(Option<Box<str>>),
    /// The profile of a user.
    Profile(UserId),
}

impl DocumentKey {
    /// Whether it is the page that a list begins with: the first frame may show it.
    pub fn is_first_page(&self) -> bool {
        matches!(self, Self::Friends(None) | Self::Feed(None))
    }
}

/// A document as layers keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its name.
    pub key: DocumentKey,
    /// What it says.
    pub body: Body,
    /// Names this state of it, where the server gave it a name.
    pub etag: Option<Box<str>>,
    /// The lineage of the answer that brought it.
    pub lineage: Lineage,
    /// When the server last confirmed it. The time is of this browser's clock.
    pub checked_at: Timestamp,
}

impl Document {
    /// Whether this may replace `held` in a layer at `now`: it is of a later lineage, or was checked
    /// no earlier in the same one. A check that is still to come was made by a clock that ran ahead.
    pub fn supersedes(&self, held: &Self, now: Timestamp) -> bool {
        (self.lineage, self.checked_at) >= (held.lineage, held.checked_at.unless_after(now))
    }
}

/// What a document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// A page of friends. What shows it shares it.
    Friends(Arc<FriendsPage>),
    /// A page of the feed. What shows it shares it.
    Feed(Arc<Feed>),
    /// A profile.
    Profile(Profile),
}

impl Body {
    /// How many rows of a list it is.
    pub fn rows(&self) -> usize {
        match self {
            Self::Friends(page) => page.friends.len(),
            Self::Feed(page) => page.posts.len(),
            Self::Profile(_) => 0,
        }
    }

    /// The page after it, in a list. One without rows is the last.
    pub fn next(&self) -> Option<DocumentKey> {
        match self {
            Self::Friends(page) => {
                let next = page.next.as_deref().filter(|_| !page.friends.is_empty())?;
                Some(DocumentKey::Friends(Some(next.into())))
            }
            Self::Feed(page) => {
                let next = page.next.as_ref().filter(|_| !page.posts.is_empty())?;
                Some(DocumentKey::Feed(Some(next.as_str().into())))
            }
            Self::Profile(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(lineage: u64, at: u64) -> Document {
        Document {
            key: DocumentKey::Friends(None),
            body: Body::Friends(FriendsPage { friends: Vec::new(), next: None }.into()),
            etag: None,
            lineage: Lineage::new(lineage, 1).unwrap(),
            checked_at: Timestamp(at),
        }
    }

    #[test]
    fn a_later_check_of_the_same_lineage_or_any_of_a_later_one_replaces() {
        let (first, second) = (1_700_000_000_000, 1_700_000_000_001);
        let cases = [
            ("later", (first, 5), (first, 4), true),
            ("the same", (first, 5), (first, 5), true),
            ("earlier", (first, 4), (first, 5), false),
            ("a later lineage", (second, 1), (first, 5), true),
            ("an earlier lineage", (first, 9), (second, 1), false),
            ("over a check that is still to come", (first, 4), (first, 11), true),
        ];
        for (name, new, held, expected) in cases {
            let (new, held) = (checked(new.0, new.1), checked(held.0, held.1));
            assert_eq!(new.supersedes(&held, Timestamp(10)), expected, "{name}");
        }
    }
}
