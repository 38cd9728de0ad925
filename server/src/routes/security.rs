//! Headers that every answer carries.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::cors::Origins;

/// Tells browsers not to guess types, not to frame us, and not to run what an answer may hold. A
/// page's own policy stands. Pages of allowed origins may show what we answer, and see how long a
/// picture took.
pub(crate) fn add_headers(headers: &mut HeaderMap, origins: &Origins) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-resource-policy", origins.resource_policy());
    if headers.contains_key("server-timing")
        && let Some(seen_by) = origins.timing()
    {
        headers.insert("timing-allow-origin", seen_by);
    }
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(nothing);
}
