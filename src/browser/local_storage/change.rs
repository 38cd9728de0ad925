//! What a change by another tab means for a user's row.

use super::{LocalStorageShelf, PREVIEW, RECORD, row::Row, shelf::empty_line};
use crate::{browser::tabs::TabChange, cache::core::StorageChange};

impl LocalStorageShelf {
    /// What a change means for a user's row; none if it is about something else.
    pub fn changed(&self, change: &TabChange) -> Option<StorageChange> {
        let (kind, user) = self.kind_of(change.key.as_ref()?)?;
        let of_record = match kind {
            RECORD => true,
            PREVIEW => false,
            _ => return None,
        };
        let user = user.parse().ok()?;
        let known = |text: &Option<String>| {
            let text = text.as_ref().filter(|_| of_record)?;
            Row::parse(text, &user).map(|row| row.known)
        };
        let (old, new) = (known(&change.old), known(&change.new));
        let line = self.line(user.clone()).unwrap_or_else(|_| empty_line(user.clone()));
        Some(StorageChange { user, of_record, old, new, line })
    }
}
