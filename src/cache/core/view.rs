//! What is handed out: everything that a page needs to know, and nothing to decide.

use miniature_api::{Profile, Revision, UserId};

use super::{feed::PostRow, rows::Rows, session::Epoch};
use crate::cache::{
    entry::Rendition,
    key::{RenditionKey, Source},
    layer::OriginError,
    tint::Tint,
};

/// A rendition to show, and the layer that gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown<B> {
    /// What to paint. Smaller or larger than asked for while the right size is on its way.
    pub rendition: Rendition<B>,
    /// Where it came from.
    pub source: Source,
}

/// How far the answer for a picture has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Still looking; what is shown meanwhile may be an older picture, or one of another size.
    Loading,
    /// What is shown is the answer; nothing shown: the user has no picture.
    Settled,
    /// The last attempt failed and the next one has not begun. What is shown is the best that is
    /// held.
    Failed(OriginError),
}

/// Everything a component needs to know of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct View<B> {
    /// What to paint; none: initials.
    pub shown: Option<Shown<B>>,
    /// Whether more is to come.
    pub status: Status,
    /// Why the last attempt to learn or load something newer failed, until the next one begins.
    /// What is shown may be as good as ever.
    pub error: Option<OriginError>,
    /// The revision that is known, if any is.
    pub revision: Option<Revision>,
    /// The colour of a picture that is on its way from the server, if nothing of it is here.
    pub tint: Option<Tint>,
}

/// What of a [`View`] can change, in a few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handed {
    pub(super) shown: Option<RenditionKey>,
    pub(super) status: Status,
    pub(super) error: Option<OriginError>,
    pub(super) revision: Option<Revision>,
    pub(super) tint: Option<Tint>,
}

impl<B> View<B> {
    /// Nothing to show, but how far it has come.
    pub(super) fn bare(status: Status) -> Self {
        Self { shown: None, status, error: None, revision: None, tint: None }
    }

    pub(super) fn handed(&self) -> Handed {
        Handed {
            shown: self.shown.as_ref().map(|shown| shown.rendition.key),
            status: self.status,
            error: self.error,
            revision: self.revision,
            tint: self.tint,
        }
    }
}

/// How far a list has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListState {
    /// Rows that are looked at are on their way.
    Loading,
    /// What is shown is what there is, as far as it was scrolled to.
    Ready,
    /// Rows that are looked at could not be had; they are tried again.
    Failed(OriginError),
}

/// The friend list.
#[derive(Clone, Debug, PartialEq)]
pub struct FriendsView {
    /// The friends as far as they are known.
    pub friends: Rows,
    /// How far it has come.
    pub state: ListState,
    /// Whether there are friends beyond these.
    pub has_more: bool,
}

/// The feed.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedView {
    /// The posts as far as they are known and shown, the newest first.
    pub posts: Vec<PostRow>,
    /// How many newer ones wait to be asked for.
    pub new: usize,
    /// How far it has come.
    pub state: ListState,
    /// Whether there are posts beyond these.
    pub has_more: bool,
}

/// A profile.
#[derive(Clone, Debug, PartialEq)]
pub enum ProfileView {
    /// Being asked for.
    Loading,
    /// What is known; an older one while a newer is on its way.
    Known(Profile),
    /// There is no such user.
    NotFound,
    /// It could not be had; it is tried again.
    Failed(OriginError),
}

/// The session, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Changes whenever what was shown before must go.
    pub epoch: Epoch,
    /// As far as is known.
    pub state: SessionState,
}

/// What is known of who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Only the server knows, and it has not answered yet.
    Unknown,
    /// Only the server knows, and it cannot be reached.
    Unreachable,
    /// Nobody; and if somebody was, why no more.
    SignedOut(Option<Farewell>),
    /// This account, as far as is known.
    SignedIn(UserId),
}

/// Why somebody is not signed in any more who did not sign out here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// The server does not know the session any more.
    Expired,
    /// Signed out in another tab.
    Elsewhere,
}

/// Whether the server is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionView {
    /// As far as is known.
    Reachable,
    /// What is wanted cannot be had.
    Unreachable,
    /// It answers with data older than what this browser has seen.
    Outdated,
}
