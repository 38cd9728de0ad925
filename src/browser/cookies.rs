//! The cookies that scripts may read and write.

use std::time::Duration;

use wasm_bindgen::JsCast;
use web_sys::HtmlDocument;

/// The value of a cookie; none if the document has none of this name, or an empty one.
pub fn get(name: &str) -> Option<String> {
    let cookies = document()?.cookie().ok()?;
    let value = cookies.split("; ").find_map(|cookie| {
        let (key, value) = cookie.split_once('=')?;
        (key == name).then_some(value)
    });
    value.filter(|value| !value.is_empty()).map(str::to_owned)
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
