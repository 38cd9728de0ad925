//! What JavaScript throws, as errors of the cache.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::DomException;

use crate::cache::layer::LayerError;

/// The name of a DOM exception; empty for anything else that was thrown.
pub(crate) fn name_of(thrown: &JsValue) -> String {
    thrown.dyn_ref::<DomException>().map(DomException::name).unwrap_or_default()
}

/// What an exception of a storage means for its layer.
///
/// # Source
///
/// The names of Web IDL's DOMException, and where IndexedDB and Web Storage throw them. Firefox
/// has its own name for a spent quota of LocalStorage.
pub(crate) fn layer_error(thrown: &JsValue) -> LayerError {
    match name_of(thrown).as_str() {
        "QuotaExceededError" | "NS_ERROR_DOM_QUOTA_REACHED" => LayerError::Full,
        "InvalidStateError" | "AbortError" | "TransactionInactiveError" => LayerError::Disconnected,
        "SecurityError" | "NotAllowedError" | "VersionError" => LayerError::Unavailable,
        _ => LayerError::Failed,
    }
}
