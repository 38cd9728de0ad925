//! Pictures and profiles.

use std::rc::Rc;

use js_sys::Promise;
use miniature_api::{
    BATCH_LIMIT, BatchUser, ImageId, Profile, RECORDS_PART, Size, UserId, multipart,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlImageElement, ImageBitmap};

use super::exchange::{Call, Exchange, read_json};
use crate::{
    browser::object_url,
    cache::{
        entry::{Content, Rendition},
        layer::{BatchAnswer, Origin, OriginError},
    },
};

/// The API, on this origin unless told otherwise.
#[derive(Clone, Debug, Default)]
pub struct Api {
    base: Rc<str>,
}

/// Encoded images by what they claim to be.
type Pictures = Vec<(ImageId, Rc<[u8]>)>;

impl Api {
    /// The API under `base`, without a slash at its end. It has to accept this origin's session.
    pub fn at(base: &str) -> Self {
        Self { base: base.into() }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A user's profile; none if there is no such user.
    ///
    /// # Errors
    ///
    /// [`OriginError`], by what can help.
    pub async fn profile(&self, user: &UserId) -> Result<Option<Profile>, OriginError> {
        let answer = Call::get(self.url(&format!("/api/users/{user}"))).send().await?;
        match answer.status() {
            404 => Ok(None),
            _ => answer.accepted()?.read_json().await.map(Some),
        }
    }
}

/// An answer's JSON part, and the pictures that came with it.
pub(super) async fn read_parts(
    answer: &Exchange,
    json_part: &str,
) -> Result<(Vec<u8>, Pictures), OriginError> {
    let content_type = answer.header("content-type").ok_or(OriginError::Malformed)?;
    let body = answer.bytes().await?;
    if content_type.starts_with("application/json") {
        return Ok((body, Vec::new()));
    }
    let parts = multipart::parts(&content_type, &body).map_err(|_| OriginError::Malformed)?;
    let (mut json, mut pictures) = (None, Vec::new());
    for part in parts {
        match part.name.parse() {
            Ok(image) => pictures.push((image, Rc::from(part.bytes))),
            Err(_) if part.name == json_part => json = Some(part.bytes.to_vec()),
            Err(_) => return Err(OriginError::Malformed),
        }
    }
    Ok((json.ok_or(OriginError::Malformed)?, pictures))
}

impl Origin for Api {
    async fn batch(&self, size: Size, users: &[BatchUser]) -> Result<BatchAnswer, OriginError> {
        debug_assert!(users.len() <= BATCH_LIMIT, "the API refuses more");
        let users: Vec<String> = users.iter().map(BatchUser::to_string).collect();
        let path = format!("/api/images/batch?size={size}&users={}", users.join(","));
        let call = Call::get(self.url(&path)).header("accept", "multipart/form-data");
        let answer = call.send().await?.accepted()?;
        let (records, renditions) = read_parts(&answer, RECORDS_PART).await?;
        Ok(BatchAnswer { entries: read_json(records)?, renditions })
    }

    async fn decodes(&self, rendition: &Rendition) -> bool {
        match &rendition.content {
            Content::Bytes(kind, bytes) => match object_url::blob(*kind, bytes) {
                Some(blob) => bitmap_decodes(&blob).await,
                None => false,
            },
            Content::DataUrl(url) => url_decodes(url).await,
        }
    }
}

async fn bitmap_decodes(blob: &web_sys::Blob) -> bool {
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

async fn settle(promise: Promise) -> Option<wasm_bindgen::JsValue> {
    JsFuture::from(promise).await.ok()
}
