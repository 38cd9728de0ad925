//! Answers that need not be sent again.
//!
//! # Source
//!
//! RFC 9110, sections 8.8.3 (`ETag`) and 13.1.2 (`If-None-Match`).

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

/// What the asker says it holds: the values of `If-None-Match`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held(Vec<HeaderValue>);

impl Held {
    /// The tags.
    fn tags(&self) -> impl Iterator<Item = &str> {
        let lines = self.0.iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim)
    }
}

impl<S: Sync> FromRequestParts<S> for Held {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect()))
    }
}

/// Names one state of what a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ETag(String);

impl ETag {
    /// The same tag, the same bytes. `name` has only letters, digits, `-`, `_` and `.`.
    pub(crate) fn strong(name: &str) -> Self {
        Self(format!("\"{name}\""))
    }

    /// The same tag, the same content, in other bytes perhaps.
    pub(crate) fn weak(name: &str) -> Self {
        Self(format!("W/\"{name}\""))
    }

    /// A name for content: half of its BLAKE3 hash.
    pub(crate) fn name_of(content: &[u8]) -> String {
        blake3::hash(content).to_hex()[..32].to_owned()
    }

    /// Whether the asker holds this state, by weak comparison, as `If-None-Match` wants.
    pub(crate) fn is_held(&self, held: &Held) -> bool {
        self.is_named(held) || held.tags().any(|tag| tag == "*")
    }

    /// Whether the asker names this very state as held; `*` names whatever there is.
    pub(crate) fn is_named(&self, held: &Held) -> bool {
        held.tags().any(|tag| opaque(tag) == opaque(&self.0))
    }
}

/// A tag without its weakness.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// For how long a browser may show an answer without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caching {
    /// It belongs to whoever is signed in, and may change: ask each time, with the tag.
    AskEachTime,
    /// What its URL names never changes: a year.
    Forever,
}

impl Caching {
    fn set(self, headers: &mut header::HeaderMap) {
        let value = match self {
            Self::AskEachTime => "private, no-cache",
            Self::Forever => "private, max-age=31536000, immutable",
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
        // A picture's URL names its content, whoever asks; a cookie that changes is no reason to
        // fetch it again.
        if self == Self::AskEachTime {
            headers.insert(header::VARY, HeaderValue::from_static("Cookie"));
        }
    }
}

/// The whole answer, or 304 if the asker holds it.
pub(crate) fn unless_held(
    held: &Held,
    tag: ETag,
    caching: Caching,
    whole: impl FnOnce() -> Response,
) -> Response {
    if tag.is_held(held) { unchanged(tag, caching) } else { tagged(whole(), tag, caching) }
}

/// 304: the asker holds it.
pub(crate) fn unchanged(tag: ETag, caching: Caching) -> Response {
    tagged(StatusCode::NOT_MODIFIED.into_response(), tag, caching)
}

/// An answer that no browser keeps.
pub(crate) fn not_kept(mut answer: Response) -> Response {
    let not_kept = HeaderValue::from_static("private, no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, not_kept);
    answer
}

/// An answer that may be asked for again by its tag.
pub(crate) fn tagged(mut answer: Response, tag: ETag, caching: Caching) -> Response {
    caching.set(answer.headers_mut());
    if let Ok(tag) = HeaderValue::try_from(tag.0) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_state_is_recognised() {
        let cases = [
            ("none given", None, false),
            ("the same", Some(r#""a-1""#), true),
            ("weak", Some(r#"W/"a-1""#), true),
            ("another", Some(r#""a-2""#), false),
            ("in a list", Some(r#""a-2", W/"a-1""#), true),
            ("whatever there is", Some("*"), true),
            ("unquoted", Some("a-1"), false),
        ];
        for (name, given, expected) in cases {
            let held = Held(given.map(HeaderValue::from_static).into_iter().collect());
            assert_eq!(ETag::strong("a-1").is_held(&held), expected, "{name}");
            assert_eq!(ETag::weak("a-1").is_held(&held), expected, "{name}, ours weak");
        }
    }
}
