//! Counts requests, and gives each an id under which the log speaks of it.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
};
use tokio::time::Instant;
use tracing::Span;
use uuid::Uuid;

use crate::metrics;

/// Carries a request's id, in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most bytes of an id that a proxy gave.
const ID_AT_MOST: usize = 128;

/// A request's id: one that sorts by time, unless a proxy gave one that a log can hold. That is
/// believed, for it is only for logs.
pub(crate) fn id(headers: &HeaderMap) -> HeaderValue {
    headers.get(REQUEST_ID).filter(|id| is_id(id.as_bytes())).cloned().unwrap_or_else(|| {
        let mut text = Uuid::encode_buffer();
        let id = Uuid::now_v7().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static(""))
    })
}

fn is_id(bytes: &[u8]) -> bool {
    (1..=ID_AT_MOST).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

/// What the log says of a request: nothing of its query, its headers or its body.
pub(crate) fn span(id: &HeaderValue, request: &Request) -> Span {
    let id = id.to_str().unwrap_or_default();
    let (method, path) = (request.method().as_str(), request.uri().path());
    tracing::info_span!("request", id, method, path)
}

/// A request that is to be counted, under the route that it matched, so that ids make no series of
/// their own.
#[derive(Debug)]
pub(crate) struct Counting {
    route: Option<MatchedPath>,
    method: &'static str,
    since: Instant,
}

impl Counting {
    /// It has arrived.
    pub(crate) fn begin(request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self { route, method: known(request.method().as_str()), since: Instant::now() }
    }

    /// The route that answers.
    pub(crate) fn route(&self) -> &str {
        self.route.as_ref().map_or("unrouted", MatchedPath::as_str)
    }

    /// The head of its answer is ready.
    pub(crate) fn end(self, status: StatusCode) {
        tracing::debug!(status = status.as_u16(), "answered");
        metrics::request(self.route(), self.method, status.as_u16(), self.since.elapsed());
    }
}

/// Anyone can make up a method, and each would be a series for good.
fn known(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_a_log_can_hold_is_kept() {
        let kept = ["our-own-id", &"x".repeat(128), "~!"];
        let replaced = ["", &"x".repeat(129), &"x".repeat(5_000), "two words", "\t", "naïve"];
        for (given, stays) in
            kept.map(|id| (id, true)).into_iter().chain(replaced.map(|id| (id, false)))
        {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(given.as_bytes()).unwrap());
            let id = id(&headers);
            assert_eq!(id.as_bytes() == given.as_bytes(), stays, "{given}");
            assert!(is_id(id.as_bytes()));
        }
    }
}
