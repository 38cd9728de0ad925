//! What other tabs of this origin do to LocalStorage.

use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

use super::listener::Listener;

/// Another tab wrote, or removed, a key of LocalStorage.
///
/// [`LocalStorageShelf::changed`](super::local_storage::LocalStorageShelf::changed) says what it
/// means for a user's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabChange {
    /// Which; none if the other tab cleared everything.
    pub key: Option<String>,
    /// What it held; none if it was not there.
    pub old: Option<String>,
    /// What it holds now; none if it was removed.
    pub new: Option<String>,
}

/// Calls `callback` when another tab changes a key that begins with `prefix`, or clears all.
///
/// # Source
///
/// The `storage` event of the HTML standard: the tab that makes the change does not hear of it.
pub fn on_storage(
    prefix: impl Into<String>,
    callback: impl Fn(TabChange) + 'static,
) -> Option<Listener> {
    let prefix = prefix.into();
    Listener::on_window("storage", move |event| {
        let Ok(event) = event.dyn_into::<StorageEvent>() else { return };
        let key = event.key();
        if key.as_ref().is_none_or(|key| key.starts_with(&prefix)) {
            callback(TabChange { key, old: event.old_value(), new: event.new_value() });
        }
    })
}
