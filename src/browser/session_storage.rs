//! SessionStorage: what lives as long as the tab.

use web_sys::Storage;

/// What the tab remembers under `key`; none where the browser denies this storage.
pub fn get(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Lets the tab remember `value` under `key`. Where the browser denies this storage, it forgets.
pub fn set(key: &str, value: &str) {
    let _ = try_set(key, value);
}

/// The same; false if the tab forgets, for want of room or because the browser denies this storage.
pub fn try_set(key: &str, value: &str) -> bool {
    storage().is_some_and(|storage| storage.set_item(key, value).is_ok())
}

/// Has the tab forget what is under `key`.
pub fn remove(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

/// The storage, if the browser lets us have it. gloo-storage would panic where it does not.
fn storage() -> Option<Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}
