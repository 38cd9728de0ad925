//! Whether the browser decodes a picture.

use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlImageElement;

use crate::cache::entry::Rendition;

/// Whether the browser decodes the rendition.
///
/// By a `data:` URL: fifty pictures of a kilobyte hold Chromium's main thread up for 1 ms, and for 18 as
/// blobs, each of which it registers with another process. In Chromium and Firefox this refuses a WebP
/// that was cut off, which `createImageBitmap` accepts.
pub async fn decodes(rendition: &Rendition) -> bool {
    let Ok(image) = HtmlImageElement::new() else { return false };
    image.set_src(&rendition.content.to_data_url());
    JsFuture::from(image.decode()).await.is_ok()
}
