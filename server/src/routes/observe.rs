//! Counts requests, and gives each an id under which the log speaks of it.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, StatusCode},
};
use tokio::time::Instant;
use tower_http::request_id::{MakeRequestId, RequestId};
use tracing::Span;
use uuid::Uuid;

use crate::metrics;

/// Carries a request's id, in and out. A proxy that gives one is believed: it is only for logs.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Makes ids that sort by time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByTime;

impl MakeRequestId for ByTime {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        Some(RequestId::new(Uuid::now_v7().to_string().parse().ok()?))
    }
}

/// What the log says of a request: nothing of its query, its headers or its body.
pub(crate) fn span(request: &Request) -> Span {
    let id = request.extensions().get::<RequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    let (method, path) = (request.method(), request.uri().path());
    tracing::info_span!("request", %id, %method, path)
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

    /// The head of its answer is ready.
    pub(crate) fn end(self, status: StatusCode) {
        let route = self.route.as_ref().map_or("unrouted", MatchedPath::as_str);
        tracing::debug!(status = status.as_u16(), "answered");
        metrics::request(route, self.method, status.as_u16(), self.since.elapsed());
    }
}

/// Anyone can make up a method, and each would be a series for good.
fn known(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}
