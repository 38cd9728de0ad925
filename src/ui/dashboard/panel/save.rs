//! Lets the browser save a text as a file.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

/// Saves a JSON text under a name.
pub(super) fn save(name: &str, text: &str) {
    let Ok(link) = document().create_element("a") else { return };
    let link: web_sys::HtmlAnchorElement = link.unchecked_into();
    // No `blob:` URL: there is no telling when the download would be done with it.
    let encoded = String::from(js_sys::encode_uri_component(text));
    link.set_href(&format!("data:application/json;charset=utf-8,{encoded}"));
    link.set_download(name);
    link.click();
}
