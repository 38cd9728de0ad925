//! The cookies that scripts may read.

use wasm_bindgen::JsCast;
use web_sys::HtmlDocument;

/// Whether the document has a cookie of this name, with something in it.
pub fn has(name: &str) -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    let document = document.and_then(|document| document.dyn_into::<HtmlDocument>().ok());
    let cookies = document.and_then(|document| document.cookie().ok()).unwrap_or_default();
    cookies.split("; ").any(|cookie| {
        cookie.split_once('=').is_some_and(|(key, value)| key == name && !value.is_empty())
    })
}
