//! Origins whose pages may use the API.

use std::str::FromStr;

use axum::http::HeaderValue;
use thiserror::Error;
use url::{Origin, Url};

/// An origin whose pages may use the API: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin(HeaderValue);

/// A text names no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an origin is a scheme, a host and perhaps a port, as https://app.example")]
pub struct OriginError;

impl AllowedOrigin {
    /// As browsers send it.
    pub fn as_header(&self) -> &HeaderValue {
        &self.0
    }
}

impl FromStr for AllowedOrigin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url = text.parse::<Url>().map_err(|_| OriginError)?;
        let origin = url.origin();
        let says_no_more = matches!(origin, Origin::Tuple(..)) && url.path() == "/";
        if !says_no_more || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginError);
        }
        let origin = HeaderValue::try_from(origin.ascii_serialization());
        origin.map(Self).map_err(|_| OriginError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_no_more_than_that() {
        let cases = [
            ("https://app.example", Some("https://app.example")),
            ("https://app.example/", Some("https://app.example")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("https://app.example/page", None),
            ("https://app.example/?a", None),
            ("app.example", None),
            ("file:///etc", None),
            ("*", None),
        ];
        for (text, expected) in cases {
            let origin = text.parse::<AllowedOrigin>().ok();
            let origin = origin.as_ref().map(|origin| origin.as_header().to_str().unwrap());
            assert_eq!(origin, expected, "{text}");
        }
    }
}
