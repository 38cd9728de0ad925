//! The cookies that scripts may read and write.

use std::time::Duration;

use wasm_bindgen::JsCast;
use web_sys::HtmlDocument;

/// Whether the document has a cookie of this name, with something in it.
pub fn has(name: &str) -> bool {
    let cookies = document().and_then(|document| document.cookie().ok()).unwrap_or_default();
    cookies.split("; ").any(|cookie| {
        cookie.split_once('=').is_some_and(|(key, value)| key == name && !value.is_empty())
    })
}

/// Sets a cookie of this site for `lasts`. Where the browser denies cookies, nothing is set.
pub fn set(name: &str, value: &str, lasts: Duration) {
    let seconds = lasts.as_secs();
    if let Some(document) = document() {
        let rules = format!("Path=/; Max-Age={seconds}; SameSite=Strict");
        let _ = document.set_cookie(&format!("{name}={value}; {rules}"));
    }
}

/// Removes a cookie of this site.
pub fn remove(name: &str) {
    set(name, "", Duration::ZERO);
}

fn document() -> Option<HtmlDocument> {
    web_sys::window()?.document()?.dyn_into().ok()
}
