//! The half of the program that comes after the first frame, where there is one.
//!
//! A release build of the app is split (`cargo xtask split`); its JavaScript has an object that brings
//! the later half. Any other build is whole from the start.

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type LaterHalf;
    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = miniatureLater)]
    static LATER_HALF: Option<LaterHalf>;
    #[wasm_bindgen(method, getter, js_name = isHere)]
    fn is_here(this: &LaterHalf) -> bool;
    #[wasm_bindgen(method, catch, js_name = bring)]
    async fn bring(this: &LaterHalf) -> Result<JsValue, JsValue>;
}

/// Whether all of the program is here.
pub fn is_here() -> bool {
    LATER_HALF.with(|half| half.as_ref().is_none_or(LaterHalf::is_here))
}

/// Brings the later half, unless it is here or on its way.
///
/// # Errors
///
/// [`NotLoaded`] if it cannot be loaded now. It can be asked for again.
pub async fn bring() -> Result<(), NotLoaded> {
    let Some(half) = LATER_HALF.with(Clone::clone) else { return Ok(()) };
    half.bring().await.map(drop).map_err(|_| NotLoaded)
}

/// The later half of the program did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the later half of the program could not be loaded")]
pub struct NotLoaded;
