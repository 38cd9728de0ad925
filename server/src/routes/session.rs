//! `/api/session`: signing in and out.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
};
use miniature_api::{ACCOUNT_COOKIE, Account, Credentials, Problem, UserId};

use super::{
    address::Address,
    guard::{SignedIn, session_cookie, token},
    json::JsonBody,
    openapi::{Invalid, Refused},
    params::Params,
};
use crate::{ApiError, profiles::Profiles, sign_in::SignIn};

/// What a session is answered with is nobody else's, and never kept.
const NOT_KEPT: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "private, no-store")];

/// `POST /api/session`: begins a session, and ends the one that there was.
///
/// # Errors
///
/// [`ApiError::WrongCredentials`] (401), [`ApiError::TooManyTries`] (429), [`ApiError::Busy`] (503).
#[utoipa::path(
    post,
    path = "/api/session",
    security(()),
    request_body = Credentials,
    responses(
        (status = 200, body = Account),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        Refused, Invalid,
    )
)]
pub(super) async fn sign_in(
    State(sessions): State<SignIn>,
    State(profiles): State<Profiles>,
    Address(address): Address,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let credentials = credentials(&body)?;
    let before = token(&headers, &sessions);
    let user = sessions.check(address, credentials, before.as_ref()).await?;
    let account = account(&profiles, user).await?;
    let begun = sessions.begin(&account.user_id).await?;
    if let Some(ended) = before {
        sessions.end(&ended).await?;
    }
    let user = account.user_id.as_str();
    let cookies = cookies(&sessions, begun.as_str(), user, sessions.lasts().as_secs());
    Ok((NOT_KEPT, cookies, Json(account)))
}

/// `GET /api/session`: who is signed in.
#[utoipa::path(
    get,
    path = "/api/session",
    responses((status = 200, body = Account), Refused)
)]
pub(super) async fn current(
    signed_in: SignedIn,
    State(profiles): State<Profiles>,
) -> Result<impl IntoResponse, ApiError> {
    Ok((NOT_KEPT, Json(account(&profiles, signed_in.user).await?)))
}

/// `DELETE /api/session`: ends the session, here and in the browser; with `everywhere=1` every
/// session of this user.
#[utoipa::path(
    delete,
    path = "/api/session",
    params(("everywhere" = Option<u8>, Query, maximum = 1, description = "1: every session")),
    responses((status = 204), Refused, Invalid)
)]
pub(super) async fn sign_out(
    signed_in: SignedIn,
    State(sessions): State<SignIn>,
    params: Params,
) -> Result<impl IntoResponse, ApiError> {
    if params.flag("everywhere")?.unwrap_or(false) {
        sessions.end_all(&signed_in.user).await?;
    }
    sessions.end(&signed_in.token).await?;
    Ok((StatusCode::NO_CONTENT, NOT_KEPT, cookies(&sessions, "", "", 0)))
}

async fn account(profiles: &Profiles, user: UserId) -> Result<Account, ApiError> {
    let profile = profiles.get(&user).await?.ok_or(ApiError::SignedOut)?;
    Ok(Account { user_id: user, name: profile.name.clone(), picture: profile.picture.clone() })
}

/// Sets the session's cookie, and the one that tells the page of it, for some seconds; for 0,
/// removes them.
fn cookies(
    sessions: &SignIn,
    token: &str,
    user: &str,
    lasts_s: u64,
) -> AppendHeaders<[(HeaderName, String); 2]> {
    let session = session_cookie(sessions);
    let secure = if sessions.secure() { "; Secure" } else { "" };
    let rules = format!("Path=/; Max-Age={lasts_s}; SameSite=Strict{secure}");
    AppendHeaders([
        (header::SET_COOKIE, format!("{session}={token}; HttpOnly; {rules}")),
        (header::SET_COOKIE, format!("{ACCOUNT_COOKIE}={user}; {rules}")),
    ])
}

/// Read by hand, so that each mistake names its field.
fn credentials(body: &JsonBody) -> Result<Credentials, ApiError> {
    Ok(Credentials { username: body.text("username")?, password: body.text("password")? })
}
