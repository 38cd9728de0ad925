//! The dashboard's panel as a program of its own: the page brings it when it is first opened.

use js_sys::Function;
use leptos::{mount::mount_to, prelude::*};
use miniature::ui::DashboardPanel;
use wasm_bindgen::{JsValue, prelude::*};

fn main() {
    console_error_panic_hook::set_once();
}

/// Puts the panel at the end of the document. Its button calls `close`. Returns a function that takes it away.
#[wasm_bindgen]
pub fn open(close: Function) -> JsValue {
    let close = move || {
        // What it throws is the page's own.
        let _ = close.call0(&JsValue::NULL);
    };
    let Some(body) = document().body() else { return JsValue::UNDEFINED };
    let panel = mount_to(body, move || {
        let close = close.clone();
        view! { <DashboardPanel close=Callback::new(move |()| close()) /> }
    });
    Closure::once_into_js(move || drop(panel))
}
