//! The API behind all caches, by `fetch`.
//!
//! **Invariants:** dropping a future aborts its request. A status is believed before a body is
//! read. Nothing is followed elsewhere: a redirect is an error.

mod api;
mod boot;
mod exchange;
mod friends;
mod session;

pub use api::Api;
pub use boot::{BootFriends, BootSession, take_boot_friends, take_boot_session};
pub use friends::{FriendsAnswer, FriendsQuery};
pub use session::SignInError;
