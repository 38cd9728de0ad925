//! `/api/openapi.json`: what the API is, for programs.
//!
//! Each route is described where it is written; the router collects them, so none is forgotten.
//!
//! # Source
//!
//! OpenAPI 3.1.

use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use miniature_api::{ImageId, Problem, Size, UserId};
use utoipa::{
    IntoResponses, Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};

use super::guard::{SESSION_COOKIE, SignedIn};

/// What holds for all routes.
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Miniature", description = "Profile pictures that are already there."),
    security(("session" = [])),
    modifiers(&Session),
    components(schemas(ImageId, Problem, Size, UserId))
)]
pub(super) struct Description;

/// Everything but signing in needs the cookie that signing in sets.
struct Session;

impl Modify for Session {
    fn modify(&self, description: &mut openapi::OpenApi) {
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("session", cookie);
    }
}

/// What every route that needs a session may answer.
#[derive(Debug, IntoResponses)]
#[expect(dead_code, reason = "it only describes")]
pub(super) enum Refused {
    /// Sign in first.
    #[response(status = 401, content_type = "application/problem+json")]
    SignedOut(#[to_schema] Problem),
    /// What the server needs is down; `Retry-After` says when to ask again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unready(#[to_schema] Problem),
}

/// A part of the request is wrong.
#[derive(Debug, IntoResponses)]
#[response(status = 422, content_type = "application/problem+json")]
#[expect(dead_code, reason = "it only describes")]
pub(super) struct Invalid(#[to_schema] Problem);

/// Nothing has this name.
#[derive(Debug, IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
#[expect(dead_code, reason = "it only describes")]
pub(super) struct NotFound(#[to_schema] Problem);

/// `GET /api/openapi.json`: the description itself.
pub(super) fn answer(_: SignedIn, description: &Arc<openapi::OpenApi>) -> Response {
    Json(&**description).into_response()
}
