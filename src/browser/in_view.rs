//! What of the pictures in view is painted.

use std::time::Duration;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlImageElement};

use super::{clock, schedule};

/// How long a picture is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends in the frame in which all pictures in view are painted; none if that takes over 10 s.
pub async fn painted() -> Option<()> {
    let begin = clock::now().running;
    loop {
        schedule::frame().await;
        if are_painted()? {
            return Some(());
        }
        if clock::now().running - begin > PATIENCE {
            return None;
        }
    }
}

fn are_painted() -> Option<bool> {
    let document = web_sys::window()?.document()?;
    let pictures = document.query_selector_all(".picture").ok()?;
    let all = (0..pictures.length()).filter_map(|at| pictures.get(at)?.dyn_into::<Element>().ok());
    Some(all.filter(is_in_view).all(|picture| is_painted(&picture)))
}

fn is_in_view(picture: &Element) -> bool {
    let rect = picture.get_bounding_client_rect();
    let height = web_sys::window().and_then(|window| window.inner_height().ok());
    let height = height.and_then(|height| height.as_f64()).unwrap_or_default();
    rect.width() > 0.0 && rect.bottom() > 0.0 && rect.top() < height
}

fn is_painted(picture: &Element) -> bool {
    let state = picture.get_attribute("data-state");
    let image = picture.query_selector("img").ok().flatten();
    let is_loaded = image.is_some_and(|image| {
        let image: HtmlImageElement = image.unchecked_into();
        let width = Reflect::get(&image, &JsValue::from("naturalWidth"));
        image.complete() && width.ok().and_then(|width| width.as_f64()).is_some_and(|w| w > 0.0)
    });
    match state.as_deref() {
        Some("ready") => is_loaded,
        Some("fallback") => true,
        _ => false,
    }
}
