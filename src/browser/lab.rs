//! The dashboard's panel, which is a program of its own and comes when it is first opened.

use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = globalThis, js_name = miniatureLab)]
    async fn open_panel(close: &Function) -> Result<JsValue, JsValue>;
}

/// Puts the panel into the document, and returns what takes it away. Its button calls `close`.
///
/// # Errors
///
/// [`super::later::NotLoaded`] if it cannot be loaded now. It can be asked for again.
pub async fn open(close: &Function) -> Result<Function, super::later::NotLoaded> {
    let opened = open_panel(close).await.map_err(|_| super::later::NotLoaded)?;
    opened.dyn_into().map_err(|_| super::later::NotLoaded)
}
