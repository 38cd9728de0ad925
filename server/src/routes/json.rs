//! Bodies in JSON: those that come, each mistake in them named, and those that go.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderName, header},
};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::{ApiError, limits::Limits};

/// Says that a body is JSON.
pub(crate) const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

/// How long most answers are at most, in bytes.
const MOST: usize = 512;

/// An answer in JSON.
///
/// # Errors
///
/// [`ApiError::Internal`] if the value cannot be written as JSON.
pub(crate) fn written(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    let mut json = Vec::with_capacity(MOST);
    serde_json::to_writer(&mut json, value).map_err(ApiError::internal)?;
    Ok(json)
}

/// The body of a request: a JSON object. Fields that a route does not know are ignored.
#[derive(Clone, Debug)]
pub(crate) struct JsonBody(Map<String, Value>);

impl JsonBody {
    /// A field that is a text.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] if it is not there, or no text.
    pub(crate) fn text(&self, field: &'static str) -> Result<String, ApiError> {
        self.optional_text(field)?.ok_or_else(|| no_text(field))
    }

    /// A field that is a text, or none if it is not there or null.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] if it is no text.
    pub(crate) fn optional_text(&self, field: &'static str) -> Result<Option<String>, ApiError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(no_text(field)),
        }
    }
}

fn no_text(field: &'static str) -> ApiError {
    ApiError::invalid(field, "give it as a text")
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let is_json = content_type.is_some_and(|value| value.starts_with("application/json"));
        let arrives = Bytes::from_request(request, state);
        let arrived = timeout(Limits::default().body_arrives_within, arrives).await;
        let body = arrived.map_err(|_| ApiError::TooSlow)?.map_err(|_| ApiError::TooLong)?;
        if !is_json {
            return Err(ApiError::NotJson);
        }
        let body = serde_json::from_slice(&body);
        body.map(Self).map_err(|_| ApiError::invalid("body", "it is no JSON object"))
    }
}
