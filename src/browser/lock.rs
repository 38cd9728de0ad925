//! Web Locks: one tab of the browser at a time.
//!
//! # Source
//!
//! Web Locks API. Browsers have it in a secure context alone.

use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::{
    JsCast, JsValue,
    prelude::{Closure, wasm_bindgen},
};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

#[wasm_bindgen]
extern "C" {
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &JsValue,
        callback: &JsValue,
    ) -> Result<Promise, JsValue>;
}

/// Whether the browser has locks here.
pub fn has_locks() -> bool {
    manager().is_some()
}

fn manager() -> Option<LockManager> {
    let navigator = web_sys::window()?.navigator();
    let manager = Reflect::get(&navigator, &"locks".into()).ok()?;
    manager.is_object().then(|| manager.unchecked_into())
}

/// Waits for a lock, calls `granted`, and holds it until another tab steals it. Dropping the future
/// gives the lock, or the place in the queue, up. Returns whether there are locks at all.
pub async fn hold(name: &str, steal: bool, granted: impl FnOnce() + 'static) -> bool {
    let (Some(manager), Some(held)) = (manager(), Held::new()) else { return false };
    let Ok(request) = held.request(&manager, name, steal, granted) else { return false };
    // It ends when the lock is stolen, or refused.
    let ended = JsFuture::from(request).await;
    let refused = |error: JsValue| {
        let name = Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string());
        name.as_deref() == Some("SecurityError")
    };
    !ended.is_err_and(refused)
}

/// Gives up on drop.
struct Held {
    abort: AbortController,
    /// Kept by the lock until it is resolved.
    promise: Promise,
    resolve: JsValue,
}

impl Held {
    fn new() -> Option<Self> {
        let abort = AbortController::new().ok()?;
        let mut resolve = JsValue::UNDEFINED;
        let promise = Promise::new(&mut |done, _| resolve = done.into());
        Some(Self { abort, promise, resolve })
    }

    fn request(
        &self,
        manager: &LockManager,
        name: &str,
        steal: bool,
        granted: impl FnOnce() + 'static,
    ) -> Result<Promise, JsValue> {
        let options = Object::new();
        // A request that steals does not wait, and may name no signal.
        match steal {
            true => Reflect::set(&options, &"steal".into(), &JsValue::TRUE)?,
            false => Reflect::set(&options, &"signal".into(), &self.abort.signal())?,
        };
        let promise = self.promise.clone();
        let callback = Closure::once_into_js(move |_: JsValue| {
            granted();
            promise
        });
        manager.request(name, &options, &callback)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.abort.abort();
        let resolve: &js_sys::Function = self.resolve.unchecked_ref();
        let _ = resolve.call0(&JsValue::UNDEFINED);
    }
}
