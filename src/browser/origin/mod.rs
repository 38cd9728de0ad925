//! The API behind all caches, by `fetch`.
//!
//! **Invariants:** dropping a future aborts its request. A status is believed before a body is
//! read. Nothing is followed elsewhere: a redirect is an error. No answer is taken from, or left
//! in, the HTTP cache.

mod api;
mod arriving;
mod boot;
mod change;
mod exchange;
mod listen;
mod reply;
mod retry_after;
mod session;

pub use api::Api;
pub use arriving::Reader;
pub use boot::{Begun, take_boot};
pub use change::{ChangeError, Changed};
pub use listen::{Heard, as_reset, overheard};
pub use session::SignInError;
