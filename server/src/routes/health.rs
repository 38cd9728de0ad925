//! `/healthz` and `/readyz`: for whoever runs the server.

use axum::{Json, extract::State, http::header, response::IntoResponse};
use serde_json::json;

use crate::{ApiError, storage::Database};

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "alive" })))
}

/// `GET /readyz`: so does everything that it needs.
///
/// # Errors
///
/// [`ApiError::Unready`] (503) names what is down.
pub(crate) async fn ready(State(database): State<Database>) -> Result<impl IntoResponse, ApiError> {
    database.ping().await.map_err(|error| {
        tracing::error!(%error, "the database does not answer");
        ApiError::Unready("database")
    })?;
    Ok((
        [(header::CACHE_CONTROL, "no-store")],
        Json(json!({ "status": "ready", "database": "up" })),
    ))
}
