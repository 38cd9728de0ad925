//! How much this origin stores, and whether the browser may throw it away.

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{StorageEstimate, StorageManager};

use super::number;

/// What this origin stores, as the browser estimates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Bytes in use by all storages together; browsers round or pad it.
    pub usage_bytes: u64,
    /// Bytes that may be used.
    pub quota_bytes: u64,
}

/// The estimate; none where the browser has no such API or refuses.
pub async fn estimate() -> Option<Estimate> {
    let promise = manager()?.estimate().ok()?;
    let estimate = StorageEstimate::from(JsFuture::from(promise).await.ok()?);
    Some(Estimate {
        usage_bytes: number::whole(estimate.get_usage()?),
        quota_bytes: number::whole(estimate.get_quota()?),
    })
}

/// Whether the browser promised not to throw the storage away when the disk is full; none where
/// it has no such API.
pub async fn persisted() -> Option<bool> {
    let promise = manager()?.persisted().ok()?;
    JsFuture::from(promise).await.ok()?.as_bool()
}

/// Asks the browser for that promise, which may ask a person. Whether it gives it; none where it has no such API.
pub async fn persist() -> Option<bool> {
    let promise = manager()?.persist().ok()?;
    JsFuture::from(promise).await.ok()?.as_bool()
}

/// None outside a secure context, where `navigator.storage` is undefined.
fn manager() -> Option<StorageManager> {
    let navigator = web_sys::window()?.navigator();
    let storage = js_sys::Reflect::get(&navigator, &JsValue::from("storage")).ok()?;
    (!storage.is_undefined()).then(|| navigator.storage())
}
