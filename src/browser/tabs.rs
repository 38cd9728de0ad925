//! What other tabs of this origin do to LocalStorage.

use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

use super::listener::Listener;

/// Another tab wrote, or removed, a key of LocalStorage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageChange {
    /// Which; none if the other tab cleared everything.
    pub key: Option<String>,
    /// What it holds now; none if it was removed.
    pub value: Option<String>,
}

/// Calls `callback` when another tab changes a key that begins with `prefix`, or clears all.
///
/// # Source
///
/// The `storage` event of the HTML standard: the tab that makes the change does not hear of it.
pub fn on_storage(
    prefix: impl Into<String>,
    callback: impl Fn(StorageChange) + 'static,
) -> Option<Listener> {
    let prefix = prefix.into();
    Listener::on_window("storage", move |event| {
        let Ok(event) = event.dyn_into::<StorageEvent>() else { return };
        let change = StorageChange { key: event.key(), value: event.new_value() };
        if change.key.as_ref().is_none_or(|key| key.starts_with(&prefix)) {
            callback(change);
        }
    })
}
