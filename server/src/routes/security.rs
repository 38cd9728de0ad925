//! Headers that every answer carries.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{cors::Origins, timing::SERVER_TIMING};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Tells browsers not to guess types, not to frame us, and not to run what an answer may hold. A
/// page's own policy stands. Pages of allowed origins may show what we answer, and see how long a
/// picture took.
pub(crate) fn add_headers(headers: &mut HeaderMap, origins: &Origins) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(RESOURCE_POLICY, origins.resource_policy());
    if let Some(seen_by) = origins.timing()
        && headers.contains_key(SERVER_TIMING)
    {
        headers.insert("timing-allow-origin", seen_by);
    }
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(nothing);
}
