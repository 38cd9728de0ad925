//! Whether the browser decodes a picture.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlImageElement, ImageBitmap};

use super::object_url;
use crate::cache::entry::{Content, Rendition};

/// Whether the browser decodes the rendition.
pub async fn decodes(rendition: &Rendition) -> bool {
    match &rendition.content {
        Content::Bytes(kind, bytes) => match object_url::blob(*kind, bytes) {
            Some(blob) => bitmap_decodes(&blob).await,
            None => false,
        },
        Content::DataUrl(url) => url_decodes(url).await,
    }
}

async fn bitmap_decodes(blob: &Blob) -> bool {
    let Some(window) = web_sys::window() else { return false };
    let Ok(promise) = window.create_image_bitmap_with_blob(blob) else { return false };
    let bitmap = settle(promise).await.and_then(|bitmap| bitmap.dyn_into::<ImageBitmap>().ok());
    // Its pixels would otherwise wait for the garbage collector.
    bitmap.map(|bitmap| bitmap.close()).is_some()
}

async fn url_decodes(url: &str) -> bool {
    let Ok(image) = HtmlImageElement::new() else { return false };
    image.set_src(url);
    settle(image.decode()).await.is_some()
}

async fn settle(promise: js_sys::Promise) -> Option<JsValue> {
    JsFuture::from(promise).await.ok()
}
