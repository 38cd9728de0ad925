//! What a developer can do to the cache.

use crate::{browser::json, store::PictureCache};
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

#[component]
pub(super) fn Actions(cache: PictureCache) -> impl IntoView {
    let (cleared, counted) = (cache.clone(), cache.clone());
    let clear = move |_| cleared.clear();
    view! {
        <div class="dashboard-actions">
            <button
                type="button"
                data-action="clear"
                title="Empty every layer; pictures on screen stay"
                on:click=clear
            >
                "Clear"
            </button>
            <button
                type="button"
                data-action="reset"
                title="Count from zero"
                on:click=move |_| counted.reset_metrics()
            >
                "Reset"
            </button>
            <button
                type="button"
                data-action="export"
                title="Save the numbers as JSON"
                on:click=move |_| export(&cache)
            >
                "Export"
            </button>
        </div>
    }
}

/// Lets the browser save the metrics as a file.
fn export(cache: &PictureCache) {
    let Some(json) = json::write(&cache.metrics()) else { return };
    let Ok(link) = document().create_element("a") else { return };
    let link: web_sys::HtmlAnchorElement = link.unchecked_into();
    // No `blob:` URL: there is no telling when the download would be done with it.
    let encoded = String::from(js_sys::encode_uri_component(&json));
    link.set_href(&format!("data:application/json;charset=utf-8,{encoded}"));
    link.set_download("miniature-cache.json");
    link.click();
}
