//! `/api/session`: signing in and out.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
};
use miniature_api::{
    ACCOUNT_COOKIE, Account, Credentials, DEMO_HEADER, MARKER_HEADER, Marker, Problem, UserId,
};

use super::{
    address::Address,
    guard::{SignedIn, session_cookie, token},
    json::JsonBody,
    openapi::{Invalid, Refused},
    params::Params,
};
use crate::{
    ApiError,
    profiles::Profiles,
    sign_in::{SignIn, Token},
};

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
    let (token, marker) = sessions.begin(&account.user_id).await?;
    if let Some(ended) = before {
        sessions.end(&ended, None).await?;
    }
    Ok((NOT_KEPT, cookies(&sessions, &token, &marker), Json(account)))
}

/// `GET /api/session`: who is signed in. Its answers say whether there is a demo account.
#[utoipa::path(
    get,
    path = "/api/session",
    responses((status = 200, body = Account), Refused)
)]
pub(super) async fn current(
    signed_in: Result<SignedIn, ApiError>,
    State(profiles): State<Profiles>,
    State(sessions): State<SignIn>,
) -> impl IntoResponse {
    let answer = async { Ok((NOT_KEPT, Json(account(&profiles, signed_in?.user).await?))) };
    let answer: Result<_, ApiError> = answer.await;
    let demo = sessions.is_demo().then_some([(DEMO_HEADER, "1")]);
    (demo, answer)
}

/// `DELETE /api/session`: ends the session; with `everywhere=1` every session of this user. If the
/// request names another session than its cookie's, nothing ends.
///
/// No cookie is set: a dead token says nothing, and an answer that comes late would end a session that
/// has begun since.
#[utoipa::path(
    delete,
    path = "/api/session",
    params(
        ("everywhere" = Option<u8>, Query, maximum = 1, description = "1: every session"),
        (
            "Miniature-Session" = Option<String>,
            Header,
            description = "the session to end, as the cookie `miniature_account` names it",
        ),
    ),
    responses((status = 204), Refused, Invalid)
)]
pub(super) async fn sign_out(
    signed_in: SignedIn,
    State(sessions): State<SignIn>,
    headers: HeaderMap,
    params: Params,
) -> Result<impl IntoResponse, ApiError> {
    let marker = headers.get(MARKER_HEADER).map(marker);
    let everywhere = params.flag("everywhere")?.unwrap_or(false);
    if sessions.end(&signed_in.token, marker.as_ref()).await? && everywhere {
        sessions.end_all(&signed_in.user).await?;
    }
    Ok((StatusCode::NO_CONTENT, NOT_KEPT))
}

/// What is not text is nobody's marker.
fn marker(value: &HeaderValue) -> Marker {
    Marker::from(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

async fn account(profiles: &Profiles, user: UserId) -> Result<Account, ApiError> {
    let profile = profiles.get(&user).await?.ok_or(ApiError::SignedOut)?;
    Ok(Account { user_id: user, name: profile.name.clone(), picture: profile.picture.clone() })
}

/// Sets the session's cookie, and the one that tells the page of it.
fn cookies(
    sessions: &SignIn,
    token: &Token,
    marker: &Marker,
) -> AppendHeaders<[(HeaderName, String); 2]> {
    let (session, token, marker) = (session_cookie(sessions), token.as_str(), marker.as_str());
    let lasts_s = sessions.lasts().as_secs();
    let secure = if sessions.secure() { "; Secure" } else { "" };
    let rules = format!("Path=/; Max-Age={lasts_s}; SameSite=Strict{secure}");
    AppendHeaders([
        (header::SET_COOKIE, format!("{session}={token}; HttpOnly; {rules}")),
        (header::SET_COOKIE, format!("{ACCOUNT_COOKIE}={marker}; {rules}")),
    ])
}

/// Read by hand, so that each mistake names its field.
fn credentials(body: &JsonBody) -> Result<Credentials, ApiError> {
    Ok(Credentials { username: body.text("username")?, password: body.text("password")? })
}
