//! A file that a person has chosen, as text.

use wasm_bindgen_futures::JsFuture;
use web_sys::{File, HtmlInputElement};

/// The file that is chosen in an input; none without one.
pub fn chosen(input: &HtmlInputElement) -> Option<File> {
    input.files()?.get(0)
}

/// All of it; none if it cannot be read.
pub async fn read(file: &File) -> Option<String> {
    JsFuture::from(file.text()).await.ok()?.as_string()
}
