//! `/api/users/me/picture`: one's own picture.

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::IntoResponse,
};
use bytes::BytesMut;
use futures_util::StreamExt;
use metrics::counter;
use miniature_api::{Problem, Record};
use miniature_pixels::MAX_UPLOAD_BYTES;
use tokio::time::timeout;

use super::{
    guard::SignedIn,
    openapi::{Invalid, Refused},
};
use crate::{
    ApiError,
    images::{Intake, Pictures},
    limits::Limits,
    metrics::UPLOADS,
    storage::PictureChange,
};

/// The route of both, as metrics name it.
pub(super) const ROUTE: &str = "/api/users/me/picture";

/// `PUT /api/users/me/picture`: the body is the file; whatever it is called, its content decides.
///
/// # Errors
///
/// [`ApiError::OtherAccount`] (409), [`ApiError::TooLong`] (413), [`ApiError::NotAPicture`] (415), [`ApiError::Invalid`] (422),
/// [`ApiError::TooSlow`] (408), [`ApiError::TooManyTries`] and [`ApiError::TooManyUploads`] (429),
/// [`ApiError::Busy`] (503).
#[utoipa::path(
    put,
    path = "/api/users/me/picture",
    request_body(
        content = Vec<u8>,
        content_type = "application/octet-stream",
        description = "a JPEG, PNG, GIF or WebP, whatever type is named",
    ),
    responses(
        (status = 200, body = Record),
        (status = 408, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        Refused, Invalid,
    )
)]
pub(super) async fn replace(
    signed_in: SignedIn,
    State(intake): State<Intake>,
    State(pictures): State<Pictures>,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, ApiError> {
    let changed = take(&signed_in, &intake, &pictures, &headers, body).await;
    counter!(UPLOADS, "outcome" => outcome(&changed)).increment(1);
    answer(changed?)
}

async fn take(
    signed_in: &SignedIn,
    intake: &Intake,
    pictures: &Pictures,
    headers: &HeaderMap,
    body: Body,
) -> Result<PictureChange, ApiError> {
    intake.count(&signed_in.user)?;
    let _place = intake.enter(&signed_in.user)?;
    let within = Limits::default().upload_arrives_within;
    let arrived = timeout(within, read(stated_length(headers), body)).await;
    let upload = arrived.map_err(|_| ApiError::TooSlow)??;
    intake.charge(&signed_in.user, pictures.memory_for(&upload).await?)?;
    Ok(pictures.set_picture(&signed_in.user, upload).await?)
}

/// `DELETE /api/users/me/picture`: none from now on.
///
/// # Errors
///
/// [`ApiError::OtherAccount`] (409), [`ApiError::TooManyTries`] (429).
#[utoipa::path(
    delete,
    path = "/api/users/me/picture",
    responses(
        (status = 200, body = Record),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        Refused,
    )
)]
pub(super) async fn remove(
    signed_in: SignedIn,
    State(intake): State<Intake>,
    State(pictures): State<Pictures>,
) -> Result<impl IntoResponse, ApiError> {
    intake.count(&signed_in.user)?;
    answer(pictures.remove_picture(&signed_in.user).await?)
}

/// What became of an upload, in a word.
fn outcome(changed: &Result<PictureChange, ApiError>) -> &'static str {
    match changed {
        Ok(PictureChange::Changed(_)) => "changed",
        Ok(PictureChange::AlreadySo(_)) => "unchanged",
        Ok(PictureChange::NoSuchUser) => "refused",
        Err(error) if error.status().is_client_error() => "refused",
        Err(ApiError::Busy) => "busy",
        Err(_) => "failed",
    }
}

/// Someone whose session outlived them is signed out.
fn answer(change: PictureChange) -> Result<impl IntoResponse, ApiError> {
    let record: Record = match change {
        PictureChange::Changed(of) | PictureChange::AlreadySo(of) => of.profile.picture,
        PictureChange::NoSuchUser => return Err(ApiError::SignedOut),
    };
    Ok(([(header::CACHE_CONTROL, "private, no-store")], Json(record)))
}

/// How long the body says it is, in bytes; 0 if it does not.
fn stated_length(headers: &HeaderMap) -> u64 {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or_default()
}

/// Reads a body until it is longer than an upload may be, and not a byte on.
async fn read(stated: u64, body: Body) -> Result<Bytes, ApiError> {
    let stated = usize::try_from(stated).unwrap_or(usize::MAX);
    if stated > MAX_UPLOAD_BYTES {
        return Err(ApiError::TooLong);
    }
    let mut upload = BytesMut::with_capacity(stated);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::invalid("body", "it did not arrive whole"))?;
        if upload.len() + chunk.len() > MAX_UPLOAD_BYTES {
            return Err(ApiError::TooLong);
        }
        upload.extend_from_slice(&chunk);
    }
    Ok(upload.freeze())
}
