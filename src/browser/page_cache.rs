//! The browser's back/forward cache, in which a page sleeps while another one is shown.
//!
//! # Source
//!
//! HTML standard, `pagehide` and `pageshow`; Page Lifecycle, `resume`.

use super::listener::Listener;

/// Calls `callback` with false when the page is left, and with true when it is there again, from the
/// cache or from having been frozen.
pub fn on_change(callback: impl Fn(bool) + Clone + 'static) -> [Option<Listener>; 3] {
    let (on_show, on_hide) = (callback.clone(), callback.clone());
    let document = web_sys::window().and_then(|window| window.document());
    [
        Listener::on_window("pageshow", move |event| {
            let persisted = js_sys::Reflect::get(&event, &"persisted".into());
            if persisted.is_ok_and(|persisted| persisted.is_truthy()) {
                on_show(true);
            }
        }),
        Listener::on_window("pagehide", move |_| on_hide(false)),
        document.and_then(|document| Listener::on(&document, "resume", move |_| callback(true))),
    ]
}

/// Shows the body, or hides it.
pub fn show(shown: bool) {
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(body) = document.and_then(|document| document.body()) {
        body.set_hidden(!shown);
    }
}
