//! The wire types of Miniature: what the frontend and the server say to each other.
//!
//! Serde types and their validation, no I/O. Both sides use these, so an answer that one side can
//! write, the other can read.
//!
//! **Invariant:** a [`UserId`], an [`ImageId`], a [`Lineage`] or a [`Size`] that exists is valid; bad
//! input is refused where it is parsed.

mod event;
mod friend;
mod id;
mod lineage;
pub mod multipart;
mod picture;
mod post;
mod problem;
mod session;
pub mod sse;

pub use event::{Change, EVENT_HEADER, PICTURE_EVENT, POST_EVENT, PROFILE_EVENT, RESET_EVENT};
pub use friend::{Friend, FriendsPage, Profile, ProfileChange};
pub use id::{IdError, ImageId, UserId};
pub use lineage::{LINEAGE_HEADER, Lineage, LineageError};
pub use picture::{
    BatchEntry, BatchUser, Hint, NotFound, PictureAnswer, Record, Revision, Size, SizeError,
};
pub use post::{Author, Feed, NewPost, POST_LIMIT, Post, PostId};
pub use problem::Problem;
pub use session::{
    ACCOUNT_COOKIE, ACCOUNT_HEADER, Account, Credentials, DEMO_HEADER, MARKER_HEADER, Marker,
};

/// The most users that one batch of pictures may name, and the most friends on one page.
pub const BATCH_LIMIT: usize = 50;

/// The name of the multipart part that carries the records of a batch, as JSON.
pub const RECORDS_PART: &str = "records";

/// The name of the multipart part that carries a page of friends, as JSON.
pub const FRIENDS_PART: &str = "friends";
