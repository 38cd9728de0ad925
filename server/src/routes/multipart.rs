//! One answer with JSON and many pictures, which browsers take apart by themselves
//! (`Response.formData()`).
//!
//! # Source
//!
//! RFC 7578. A part with a `filename` becomes a `File` in the browser, one without a string.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt, stream};
use miniature_api::{ImageId, Size};

use super::timing::Timing;
use crate::{
    ApiError,
    images::{CONTENT_TYPE, RenditionError, Renditions},
    metrics::rendition_sent,
};

/// How many renditions are looked up at once; they go out in order.
const AHEAD: usize = 16;

/// The most parts that go out in one write.
const PARTS_A_WRITE: usize = 64;

/// An answer of one JSON part and some pictures.
#[derive(Debug)]
pub(crate) struct Multipart {
    /// The route, in metrics.
    pub(crate) route: &'static str,
    /// The JSON part's name.
    pub(crate) name: &'static str,
    /// The JSON part.
    pub(crate) json: Vec<u8>,
    /// The pictures, each once.
    pub(crate) images: Vec<ImageId>,
    /// Their size.
    pub(crate) size: Size,
}

impl Multipart {
    /// Notes whether every picture is in memory. Where the others come from shows only while they
    /// go out, after the head of the answer.
    pub(crate) fn note(&self, renditions: &Renditions, timing: &mut Timing) {
        let in_memory = self.images.iter().all(|image| renditions.holds(*image, self.size));
        timing.passed("renditions", if in_memory { "memory" } else { "streamed" }, in_memory);
    }

    /// Sends the JSON, then each picture as soon as it is there. A picture that cannot be had is
    /// left out: the JSON names it, so the browser can ask for it again.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
    pub(crate) fn answer(self, renditions: Renditions) -> Result<Response, ApiError> {
        let boundary = boundary()?;
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let Self { route, name, json, images, size } = self;
        let first = text_part(&boundary, name, &json);
        let last = Bytes::from(format!("--{boundary}--\r\n"));
        let pictures = stream::iter(images)
            .map(move |image| picture(renditions.clone(), image, size))
            .buffered(AHEAD)
            .filter_map(std::future::ready)
            .map(move |(image, bytes)| {
                rendition_sent(route, bytes.len());
                picture_part(&boundary, image, &bytes)
            });
        let parts = stream::iter([first]).chain(pictures).chain(stream::iter([last]));
        let writes =
            parts.ready_chunks(PARTS_A_WRITE).map(|parts| Ok::<_, Infallible>(parts.concat()));
        Ok(([(header::CONTENT_TYPE, content_type)], Body::from_stream(writes)).into_response())
    }
}

async fn picture(renditions: Renditions, image: ImageId, size: Size) -> Option<(ImageId, Bytes)> {
    match renditions.get(image, size).await {
        Ok(rendition) => Some((image, rendition.bytes)),
        Err(error) => {
            // That the store is away is logged once a minute by its breaker.
            if !matches!(*error, RenditionError::Away(_)) {
                tracing::error!(%image, %error, "a picture is left out");
            }
            None
        }
    }
}

/// 256 random bits: no picture holds them but by a chance of one in 2^256 a byte.
fn boundary() -> Result<String, ApiError> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).map_err(ApiError::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bits))
}

fn text_part(boundary: &str, name: &str, json: &[u8]) -> Bytes {
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\
         Content-Type: application/json\r\n\r\n"
    );
    [head.as_bytes(), json, b"\r\n"].concat().into()
}

fn picture_part(boundary: &str, image: ImageId, bytes: &[u8]) -> Bytes {
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{image}\"; filename=\"{image}\"\r\n\
         Content-Type: {CONTENT_TYPE}\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n"].concat().into()
}
