//! When something runs: in a task, before the next frame, when the browser is idle.

use std::future::Future;

use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::Window;

/// Runs a future on this thread. It begins in the microtasks of this turn of the event loop.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(future);
}

/// Runs a future once the browser has nothing better to do.
pub fn spawn_idle(future: impl Future<Output = ()> + 'static) {
    on_idle(move || spawn(future));
}

/// Calls `callback` once when the browser is idle.
///
/// WebKit has no `requestIdleCallback`; there a timer does, after what is queued now.
pub fn on_idle(callback: impl FnOnce() + 'static) {
    let Some(window) = web_sys::window() else { return };
    let callback = Closure::once_into_js(callback);
    let function = callback.unchecked_ref();
    let _ = if has(&window, "requestIdleCallback") {
        window.request_idle_callback(function).map(drop)
    } else {
        window.set_timeout_with_callback(function).map(drop)
    };
}

/// Calls `callback` once, just before the next frame is painted.
pub fn next_frame(callback: impl FnOnce() + 'static) {
    let Some(window) = web_sys::window() else { return };
    let callback = Closure::once_into_js(callback);
    let _ = window.request_animation_frame(callback.unchecked_ref());
}

fn has(window: &Window, name: &str) -> bool {
    js_sys::Reflect::has(window, &JsValue::from(name)).unwrap_or(false)
}
