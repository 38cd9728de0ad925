//! Pages of other origins that may use the API, and read what it answers.
//!
//! The session's cookie is `SameSite=Strict`, so such a page is of the same site: another host of the
//! domain, or another port. To any other page a browser sends no session, and we answer 401.
//!
//! # Source
//!
//! Fetch, section 3.2 (CORS protocol); Resource Timing, section 4.5 (`Timing-Allow-Origin`).

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderName, HeaderValue, Method, header};
use miniature_api::{DEMO_HEADER, MARKER_HEADER};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::lineage;
use crate::config::AllowedOrigin;

/// How long a browser may go by one answer to its question what is allowed: as long as Firefox goes,
/// Chromium goes two hours.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a page of another origin may send.
const SENT: [HeaderName; 7] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::IF_NONE_MATCH,
    HeaderName::from_static("last-event-id"),
    lineage::ACCOUNT,
    lineage::NAME,
    HeaderName::from_static(MARKER_HEADER),
];

/// What it may read, beside what any page may.
const READ: [HeaderName; 9] = [
    header::ETAG,
    header::RETRY_AFTER,
    lineage::ACCOUNT,
    lineage::EVENT,
    HeaderName::from_static(DEMO_HEADER),
    lineage::NAME,
    HeaderName::from_static("server-timing"),
    HeaderName::from_static("x-cache"),
    HeaderName::from_static("x-request-id"),
];

/// The origins whose pages may use the API beside our own. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Arc<[HeaderValue]>);

impl Origins {
    /// These origins.
    pub(crate) fn new(allowed: &[AllowedOrigin]) -> Self {
        Self(allowed.iter().map(|origin| origin.as_header().clone()).collect())
    }

    /// Whether pages of this origin may use the API.
    pub(crate) fn allow(&self, origin: &HeaderValue) -> bool {
        self.0.contains(origin)
    }

    /// What answers their browsers' questions; none if there are no such origins.
    pub(crate) fn layer(&self) -> Option<CorsLayer> {
        if self.0.is_empty() {
            return None;
        }
        let methods =
            [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.iter().cloned()))
            .allow_credentials(true)
            .allow_methods(methods)
            .allow_headers(SENT)
            .expose_headers(READ)
            .max_age(ASK_AGAIN_AFTER);
        Some(layer)
    }

    /// Who may see how long an answer took: a list, for a browser that fetches a picture into an
    /// `<img>` does not say for whom.
    pub(crate) fn timing(&self) -> Option<HeaderValue> {
        if self.0.is_empty() {
            return None;
        }
        let origins = self.0.iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
        HeaderValue::from_bytes(&origins.join(&b", "[..])).ok()
    }

    /// Whose pages may show what we answer, whether or not they may read it.
    pub(crate) fn resource_policy(&self) -> HeaderValue {
        HeaderValue::from_static(if self.0.is_empty() { "same-origin" } else { "same-site" })
    }
}
