//! `/api/users/me`: what one says of oneself.

use axum::{Json, extract::State, http::header, response::IntoResponse};

use miniature_api::{Problem, Profile, ProfileChange};

use super::{
    guard::SignedIn,
    json::JsonBody,
    openapi::{Invalid, Refused},
};
use crate::{ApiError, changes::Changes, profiles::Profiles, state::ProfilePace};

/// The most characters of a name.
const NAME_LIMIT: usize = 80;

/// The most characters of a headline.
const HEADLINE_LIMIT: usize = 160;

/// `PATCH /api/users/me`: changes one's name, headline or both. 200 with the profile.
///
/// # Errors
///
/// [`ApiError::Invalid`] (422) with the field named; [`ApiError::TooManyTries`] (429);
/// [`ApiError::KeptElsewhere`] (409) if another service says who people are.
#[utoipa::path(
    patch,
    path = "/api/users/me",
    request_body = ProfileChange,
    responses(
        (status = 200, body = Profile),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        Refused, Invalid,
    )
)]
pub(crate) async fn describe(
    signed_in: SignedIn,
    State(changes): State<Changes>,
    State(profiles): State<Profiles>,
    State(ProfilePace(pace)): State<ProfilePace>,
    body: JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let name = line("name", body.optional_text("name")?, 1, NAME_LIMIT)?;
    let headline = line("headline", body.optional_text("headline")?, 0, HEADLINE_LIMIT)?;
    if !profiles.are_ours() {
        return Err(ApiError::KeptElsewhere);
    }
    let profile = if name.is_none() && headline.is_none() {
        profiles.get(&signed_in.user).await?
    } else {
        pace.count(&signed_in.user)?;
        changes.describe(&signed_in.user, name, headline).await?
    };
    let profile = profile.ok_or(ApiError::SignedOut)?;
    Ok(([(header::CACHE_CONTROL, "private, no-store")], Json(profile.profile.clone())))
}

/// A text of one line, without the white space around it.
fn line(
    field: &'static str,
    text: Option<String>,
    least: usize,
    most: usize,
) -> Result<Option<String>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(ApiError::invalid(field, "it is one line"));
    }
    if !(least..=most).contains(&text.chars().count()) {
        return Err(ApiError::invalid(field, format!("it has {least} to {most} characters")));
    }
    Ok(Some(text.to_owned()))
}
