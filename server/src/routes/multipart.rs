//! One answer with JSON and many pictures, which browsers take apart by themselves
//! (`Response.formData()`).
//!
//! # Source
//!
//! RFC 7578. A part with a `filename` becomes a `File` in the browser, one without a string.

use std::{convert::Infallible, io::Write};

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt, stream};
use miniature_api::{ImageId, Size};
use tracing::{Instrument, Span};

use super::timing::Timing;
use crate::{
    ApiError,
    images::{CONTENT_TYPE, RenditionError, Renditions},
    metrics::{cache_hit, renditions_sent},
};

/// How many renditions are looked up at once; they go out in order.
const AHEAD: usize = 16;

/// The most parts that go out in one write.
const PARTS_A_WRITE: usize = 64;

/// More than the head of a part takes, in bytes.
const PART_HEAD: usize = 256;

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
    /// Looks which pictures are in memory, and notes whether all are. Where the others come from
    /// shows only while they go out, after the head of the answer.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
    pub(crate) async fn look(
        self,
        renditions: &Renditions,
        timing: &mut Timing,
    ) -> Result<Looked, ApiError> {
        let boundary = boundary()?;
        let mut held = Vec::with_capacity(self.images.len());
        for image in &self.images {
            held.extend(renditions.held(*image, self.size).await);
        }
        let all = held.len() == self.images.len();
        timing.passed("renditions", if all { "memory" } else { "streamed" }, all);
        Ok(Looked { parts: self, boundary, held: all.then_some(held) })
    }

    fn whole(&self, boundary: &str, held: &[Bytes]) -> Body {
        let bytes = held.iter().map(Bytes::len).sum::<usize>();
        let mut body = Vec::with_capacity(self.json.len() + bytes + PART_HEAD * (held.len() + 2));
        text_part(&mut body, boundary, self.name, &self.json);
        for (image, bytes) in self.images.iter().zip(held) {
            picture_part(&mut body, boundary, *image, bytes);
        }
        end(&mut body, boundary);
        cache_hit("renditions", "memory", held.len() as u64);
        renditions_sent(self.route, held.len() as u64, bytes as u64);
        body.into()
    }

    /// Sends the JSON, then each picture as soon as it is there. A picture that cannot be had is
    /// left out: the JSON names it, so the browser can ask for it again.
    fn streamed(self, boundary: String, renditions: Renditions) -> Body {
        let Self { route, name, json, images, size } = self;
        let span = Span::current(); // it goes on after the request has been answered
        let (mut first, mut last) = (Vec::new(), Vec::new());
        text_part(&mut first, &boundary, name, &json);
        end(&mut last, &boundary);
        let pictures = stream::iter(images)
            .map(move |image| picture(renditions.clone(), image, size).instrument(span.clone()))
            .buffered(AHEAD)
            .filter_map(std::future::ready)
            .map(move |(image, bytes)| {
                renditions_sent(route, 1, bytes.len() as u64);
                let mut part = Vec::with_capacity(bytes.len() + PART_HEAD);
                picture_part(&mut part, &boundary, image, &bytes);
                part
            });
        let parts = stream::iter([first]).chain(pictures).chain(stream::iter([last]));
        let writes =
            parts.ready_chunks(PARTS_A_WRITE).map(|parts| Ok::<_, Infallible>(parts.concat()));
        Body::from_stream(writes)
    }
}

/// An answer of which it is known whether every picture is in memory.
#[derive(Debug)]
pub(crate) struct Looked {
    parts: Multipart,
    boundary: String,
    /// The pictures, in order, if all are there.
    held: Option<Vec<Bytes>>,
}

impl Looked {
    /// Whether every picture is sure to be in the answer.
    pub(crate) fn is_whole(&self) -> bool {
        self.held.is_some()
    }

    /// The whole at once, with its length, if every picture is in memory; else one after another.
    pub(crate) fn answer(self, renditions: &Renditions) -> Response {
        let Self { parts, boundary, held } = self;
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let body = match held {
            Some(held) => parts.whole(&boundary, &held),
            None => parts.streamed(boundary, renditions.clone()),
        };
        ([(header::CONTENT_TYPE, content_type)], body).into_response()
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

/// 128 random bits: no picture holds them but by a chance of one in 2^128 a byte. It stands before each part.
fn boundary() -> Result<String, ApiError> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(ApiError::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bits))
}

// Writing into a `Vec` does not fail.

fn text_part(body: &mut Vec<u8>, boundary: &str, name: &str, json: &[u8]) {
    let _ = write!(
        body,
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\
         Content-Type: application/json\r\n\r\n"
    );
    body.extend_from_slice(json);
    body.extend_from_slice(b"\r\n");
}

fn picture_part(body: &mut Vec<u8>, boundary: &str, image: ImageId, bytes: &[u8]) {
    let _ = write!(
        body,
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{image}\"; filename=\"picture\"\r\n\
         Content-Type: {CONTENT_TYPE}\r\n\r\n"
    );
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n");
}

fn end(body: &mut Vec<u8>, boundary: &str) {
    let _ = write!(body, "--{boundary}--\r\n");
}
