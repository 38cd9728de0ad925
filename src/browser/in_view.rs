//! What of the pictures in view is painted.

use std::time::Duration;

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlImageElement};

use super::{clock, schedule};

/// How long a picture is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends in the frame in which all pictures in view are painted from addresses that begin so, or do not; none if
/// that takes over 10 s.
pub async fn painted(from: &str, is_from: bool) -> Option<()> {
    let begin = clock::now().running;
    loop {
        schedule::frame().await;
        if are_painted(|src| src.starts_with(from) == is_from)? {
            return Some(());
        }
        if clock::now().running - begin > PATIENCE {
            return None;
        }
    }
}

fn are_painted(is_wanted: impl Fn(&str) -> bool) -> Option<bool> {
    let document = web_sys::window()?.document()?;
    let pictures = document.query_selector_all(".picture").ok()?;
    let all = (0..pictures.length()).filter_map(|at| pictures.get(at)?.dyn_into::<Element>().ok());
    Some(all.filter(is_in_view).all(|picture| is_painted(&picture, &is_wanted)))
}

fn is_in_view(picture: &Element) -> bool {
    let rect = picture.get_bounding_client_rect();
    let height = web_sys::window().and_then(|window| window.inner_height().ok());
    let height = height.and_then(|height| height.as_f64()).unwrap_or_default();
    rect.width() > 0.0 && rect.bottom() > 0.0 && rect.top() < height
}

/// An old image stays until the new one is painted.
fn is_painted(picture: &Element, is_wanted: &impl Fn(&str) -> bool) -> bool {
    let Ok(images) = picture.query_selector_all("img") else { return false };
    match picture.get_attribute("data-state").as_deref() {
        Some("ready") if images.length() == 1 => {
            let image = images.get(0).map(JsCast::unchecked_into::<HtmlImageElement>);
            image.is_some_and(|image| {
                let src = image.get_attribute("src").unwrap_or_default();
                is_wanted(&src) && image.complete() && image.natural_width() > 0
            })
        }
        Some("fallback") => true,
        _ => false,
    }
}
