//! Notes what the core is told, in a tab in which a developer has asked for that: from the next document on,
//! before anything else happens. There all of the program comes before it starts (`scripts/later.js`); in any
//! other tab nothing of this is loaded.
//!
//! A document that ends leaves its recording to the next one of the tab. What a recording tells of an account goes
//! when the account does.

mod session;

pub(super) use session::{ask_for, begin, count, opened, polled, reset, session, told};

use crate::browser::session_storage;

/// What a tab remembers that records: the settings of its policy.
const KEY: &str = "miniature:v1:record";

/// Whether this document records.
pub(super) fn is_asked_for() -> bool {
    session_storage::get(KEY).is_some()
}
