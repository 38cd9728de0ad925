//! `/healthz` and `/readyz`: for whoever runs the server.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::IntoResponse,
};
use miniature_api::Problem;
use serde_json::json;

use crate::{ApiError, images::Renditions, profiles::Profiles, stop::Stop, storage::Database};

/// `GET /healthz`: the process answers.
#[utoipa::path(get, path = "/healthz", security(()), responses((status = 200)))]
pub(crate) async fn alive() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "alive" })))
}

/// `GET /readyz`: so does everything that it needs. While Redis or the store of pictures is away, what
/// is near is still served: then it says so, and is ready all the same.
///
/// # Errors
///
/// [`ApiError::Unready`] (503) names what is down.
#[utoipa::path(
    get,
    path = "/readyz",
    security(()),
    responses(
        (status = 200),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ready(
    State(database): State<Database>,
    State(profiles): State<Profiles>,
    State(renditions): State<Renditions>,
    State(stop): State<Stop>,
) -> Result<impl IntoResponse, ApiError> {
    if stop.has_begun() {
        return Err(ApiError::Unready("this server, for good"));
    }
    database.ping().await.map_err(|error| {
        tracing::error!(%error, "the database does not answer");
        ApiError::Unready("database")
    })?;
    let (images, redis) = tokio::join!(renditions.store_answers(), profiles.redis_answers());
    let told = |answers| if answers { "up" } else { "down" };
    let mut answer = json!({ "status": "ready", "database": "up", "images": told(images) });
    if let Some(redis) = redis {
        answer["redis"] = told(redis).into();
    }
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)))
}

/// Tells whoever keeps a connection open that there will be no next request on it.
///
/// # Source
///
/// RFC 9112, section 9.6.
pub(crate) fn close_when_stopping(stop: &Stop, headers: &mut HeaderMap) {
    if stop.has_begun() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}
