//! The components of the crate: a picture, the initials that stand in for it, the dashboard.
//!
//! Everything here reads [`crate::store`] and writes nothing but the page. The look is in
//! `style/picture.css`, `style/initials.css` and `style/dashboard.css`.
//!
//! **Invariant:** a picture never shows someone else's face, and never an empty place where a face
//! has been: the old image stays until the new one is painted.

#![expect(unreachable_pub, reason = "`#[component]` makes the body of each component `pub`")]

mod dashboard;
mod frames;
mod initials;
mod later;
mod profile_picture;
mod reveal;
mod use_profile_picture;

pub use dashboard::{CacheDashboard, DashboardPanel};
pub use initials::{Initials, initials, tone};
pub(crate) use later::later;
pub use profile_picture::CachedProfilePicture;
pub(crate) use reveal::once_finished;
pub use reveal::use_reveal;
pub use use_profile_picture::{ProfilePicture, use_profile_picture};

pub use crate::store::{rendition_size, rendition_size_untracked};
