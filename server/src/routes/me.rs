//! `/api/users/me`: what one says of oneself.

use axum::{Json, extract::State, http::header, response::IntoResponse};

use miniature_api::{Problem, Profile, ProfileChange};

use super::{
    guard::SignedIn,
    json::JsonBody,
    openapi::{Invalid, Refused},
    words::Field,
};
use crate::{ApiError, changes::Changes, profiles::Profiles, state::ProfilePace};

const NAME: Field = Field { name: "name", least: 1, most: 80, lines: false };

const HEADLINE: Field = Field { name: "headline", least: 0, most: 160, lines: false };

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
    let given =
        |field: Field| body.optional_text(field.name)?.map(|text| field.take(&text)).transpose();
    let (name, headline) = (given(NAME)?, given(HEADLINE)?);
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
