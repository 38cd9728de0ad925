//! The signals that components read, and the one writer behind each.
//!
//! [`PictureCache`] puts the pipeline of [`crate::cache`] on the shelves of [`crate::browser`] and
//! turns its changes into signals. Beside the pictures stands what they hang on: the session, the
//! friend list, profiles.
//!
//! **Invariant:** everything here belongs to one account; [`Session`] ends it all at once.

mod connection;
mod environment;
mod friends;
mod picture_store;
mod profile;
mod screen;
mod session;

pub use connection::{Connection, provide_connection, use_connection, use_reachability};
pub use friends::{FriendList, LIST_PICTURE_PX, ListState, provide_friend_list, use_friend_list};
pub use picture_store::{
    OpenPicture, PictureCache, PictureUrl, Shown, View, provide_picture_cache, use_picture_cache,
};
pub use profile::{ProfileState, use_profile};
pub use screen::rendition_size;
pub use session::{Farewell, Session, SessionState, SignInError, provide_session, use_session};

pub use crate::cache::memory::Status;
