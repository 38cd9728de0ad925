//! The signals that components read, and the one writer behind each.
//!
//! The driver puts the core of [`crate::cache`] on the bindings of [`crate::browser`]; what the
//! core calls changed becomes a signal. Beside the pictures stands what they hang on: the session,
//! the friend list, profiles.
//!
//! **Invariant:** one driver and one core for the life of the document. Everything else here belongs
//! to one account; [`Session`] ends it all at once.

mod bypass;
mod connection;
mod counters;
mod driver;
mod effects;
mod feed;
mod friends;
mod identity;
mod inventory;
mod lines;
mod monitor;
mod own;
mod page_scope;
mod picture_store;
mod profile;
mod react;
mod record;
mod room;
mod screen;
mod session;
mod shelves;
mod signals;
mod simulate;
mod surroundings;
mod sync;
mod worker;
mod writes;

pub use connection::{Connection, use_connection};
pub(crate) use feed::is_feed_held;
pub use feed::{Draft, FeedList, use_feed};
pub use friends::{FriendList, LIST_PICTURE_PX, provide_friend_list, use_friend_list};
pub use own::{
    ChangeError, Cut, FileError, OwnPicture, OwnState, describe, provide_own_picture,
    use_own_picture,
};
pub use page_scope::{PageScope, page_kept_for, provide_page_scope, use_page_shown};
pub use picture_store::{
    OpenPicture, PictureCache, PictureUrl, Shown, View, provide_picture_cache, use_picture_cache,
};
pub use profile::{ProfileState, use_profile};
pub(crate) use react::react;
pub use screen::{rendition_size, rendition_size_untracked};
pub use session::{
    Epoch, Farewell, Session, SessionState, SignInError, provide_session, use_session,
};

pub use sync::{Synced, sync_now};
pub use worker::{keep_worker, update, use_update};

pub use crate::cache::core::{ListState, Status};
