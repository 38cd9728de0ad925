//! `/healthz` and `/readyz`: for whoever runs the server.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::IntoResponse,
};
use miniature_api::Problem;
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::Instant};

use crate::{ApiError, App, limits::Limits, stop::Stop};

/// `GET /healthz`: the process answers.
#[utoipa::path(get, path = "/healthz", security(()), responses((status = 200)))]
pub(crate) async fn alive() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "alive" })))
}

/// What was found out a moment ago. Cheap to clone; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readiness(Arc<Mutex<Option<(Instant, Told)>>>);

/// What is told, or the name of what is down.
type Told = Result<Value, &'static str>;

impl Readiness {
    /// What was told a moment ago, or else what is the case now. However often and however many ask,
    /// what the server leans on is asked once in that time.
    async fn get(&self, ask: impl Future<Output = Told>) -> Told {
        let mut told = self.0.lock().await;
        let held_for = Limits::default().readiness_fresh_for;
        if let Some((at, told)) = &*told
            && at.elapsed() < held_for
        {
            return told.clone();
        }
        let now = ask.await;
        *told = Some((Instant::now(), now.clone()));
        now
    }
}

/// `GET /readyz`: so does everything that it needs, as of a second ago. While Redis, the store of
/// pictures or the service that knows people is away, what is near is still served: then it says so,
/// and is ready all the same.
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
pub(crate) async fn ready(State(app): State<App>) -> Result<impl IntoResponse, ApiError> {
    if app.stop().has_begun() {
        return Err(ApiError::Unready("this server, for good"));
    }
    let told = app.readiness().get(ask_all(&app)).await.map_err(ApiError::Unready)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(told)))
}

async fn ask_all(app: &App) -> Told {
    app.database().ping().await.map_err(|_| "database")?; // logged by its breaker
    let profiles = app.profiles();
    let (images, redis) = tokio::join!(app.renditions().store_answers(), profiles.redis_answers());
    let told = |answers| if answers { "up" } else { "down" };
    let mut answer = json!({ "status": "ready", "database": "up", "images": told(images) });
    for (name, answers) in [("redis", redis), ("users", profiles.service_answers())] {
        if let Some(answers) = answers {
            answer[name] = told(answers).into();
        }
    }
    Ok(answer)
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
