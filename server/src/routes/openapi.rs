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
    IntoResponses, OpenApi,
    openapi::{
        self, ObjectBuilder, Ref, RefOr, Required, Type,
        path::{ParameterBuilder, ParameterIn},
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};

use super::{
    guard::{SignedIn, session_cookie},
    is_under,
};
use crate::sign_in::SignIn;

/// What holds for all routes.
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Miniature", description = "Profile pictures that are already there."),
    security(("session" = [])),
    components(schemas(ImageId, Problem, Size, UserId))
)]
pub(super) struct Description;

/// Everything but signing in needs the cookie that signing in sets.
pub(super) fn add_session(description: &mut openapi::OpenApi, sign_in: &SignIn) {
    let cookie = ApiKeyValue::new(session_cookie(sign_in));
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
}

/// Every route under `/api/` takes the lineage of what the client holds. Those of the session hold
/// nothing.
pub(super) fn add_lineage(description: &mut openapi::OpenApi) {
    add_header(
        description,
        "Lineage",
        "the lineage of what the client holds, as an answer named it; if it is not the server's, held \
         revisions, ETags and event ids are ignored",
    );
    let paths = description.paths.paths.iter_mut();
    for (_, item) in paths.filter(|(path, _)| is_under(path, "/api") && *path != "/api/session") {
        let lineage = RefOr::Ref(Ref::new("#/components/parameters/Lineage"));
        item.parameters.get_or_insert_default().push(lineage);
    }
}

/// Every request under `/api/` that changes something may name its account. One that signs in or out has
/// other means.
pub(super) fn add_account(description: &mut openapi::OpenApi) {
    add_header(
        description,
        "Account",
        "the account that means to change something; if the session is another's by now, nothing is \
         changed (409)",
    );
    let paths = description.paths.paths.iter_mut();
    for (_, item) in paths.filter(|(path, _)| is_under(path, "/api") && *path != "/api/session") {
        let changing = [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in changing.into_iter().flatten() {
            let account = RefOr::Ref(Ref::new("#/components/parameters/Account"));
            operation.parameters.get_or_insert_default().push(account);
        }
    }
}

/// Describes an optional header, `Miniature-` and its name, for routes to refer to.
fn add_header(description: &mut openapi::OpenApi, name: &str, says: &str) {
    let header = ParameterBuilder::new()
        .name(format!("Miniature-{name}"))
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(says))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build();
    let components = description.components.get_or_insert_default();
    components.parameters.insert(name.to_owned(), RefOr::T(header));
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
