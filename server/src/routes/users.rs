//! `/api/users/{user_id}` and `/api/images/user/{user_id}`: one person.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use miniature_api::{Hint, PictureAnswer, Problem, Profile, Record, Size, UserId};

use super::{
    conditional::{Caching, ETag, Held, unless_held},
    guard::SignedIn,
    json::{JSON, written},
    openapi::{Invalid, NotFound, Refused},
    params::Params,
    timing::Timing,
};
use crate::{
    ApiError, App,
    images::{Hints, RenditionError},
    profiles::Layer,
    storage::Versioned,
};

/// `GET /api/users/{user_id}`: a profile.
///
/// # Errors
///
/// [`ApiError::NotFound`] (404) if there is no such user; [`ApiError::TooManyTries`] (429).
#[utoipa::path(
    get,
    path = "/api/users/{user_id}",
    params(("user_id" = UserId, Path)),
    responses(
        (status = 200, body = Profile),
        (status = 304),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        Refused, NotFound,
    )
)]
pub(crate) async fn profile(
    signed_in: SignedIn,
    State(app): State<App>,
    user: Result<Path<UserId>, PathRejection>,
    held: Held,
) -> Result<Response, ApiError> {
    let (profile, _) = find(&app, &signed_in.user, user).await?;
    let json = written(&profile.profile)?;
    let tag = ETag::strong(&app.lineage().name_for(&signed_in.user, &ETag::name_of(&json)));
    let whole = || ([JSON], json).into_response();
    Ok(unless_held(&held, tag, Caching::AskEachTime, whole))
}

/// `GET /api/images/user/{user_id}?size=256`: what picture a user has, and where to fetch it.
///
/// # Errors
///
/// [`ApiError::NotFound`] (404) if there is no such user; [`ApiError::Invalid`] (422);
/// [`ApiError::TooManyTries`] (429).
#[utoipa::path(
    get,
    path = "/api/images/user/{user_id}",
    params(("user_id" = UserId, Path), ("size" = Size, Query)),
    responses(
        (status = 200, body = PictureAnswer),
        (status = 304),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        Refused, Invalid, NotFound,
    )
)]
pub(crate) async fn picture(
    signed_in: SignedIn,
    State(app): State<App>,
    user: Result<Path<UserId>, PathRejection>,
    params: Params,
    held: Held,
) -> Result<Response, ApiError> {
    let size = params.required::<Size>("size")?;
    let mut timing = Timing::start();
    let (profile, layer) = find(&app, &signed_in.user, user).await?;
    timing.passed("profiles", layer.name(), layer.is_hit());
    let record = profile.picture.clone();
    let hint = hint(app.hints(), &record, size, &mut timing).await?;
    let state = state(&record, size, hint.as_ref());
    let tag = ETag::strong(&app.lineage().name_for(&signed_in.user, &state));
    let json = written(&PictureAnswer { record, hint })?;
    let whole = || ([JSON], json).into_response();
    Ok(timing.on(unless_held(&held, tag, Caching::AskEachTime, whole)))
}

/// Finds whom someone names. A path that is no id names nobody.
async fn find(
    app: &App,
    by: &UserId,
    user: Result<Path<UserId>, PathRejection>,
) -> Result<(std::sync::Arc<Versioned>, Layer), ApiError> {
    let Path(user) = user.map_err(|_| ApiError::NotFound)?;
    app.read_pace().0.count(by)?;
    let (found, layer) = app.profiles().find(&user).await?;
    Ok((found.ok_or(ApiError::NotFound)?, layer))
}

/// From the revision; the image is named too, for revisions count from lower after a restore for which
/// nobody renewed the lineage. A hint that expires is part of what is answered; it changes with the
/// window that it is given in.
fn state(record: &Record, size: Size, hint: Option<&Hint>) -> String {
    let revision = record.revision.0;
    let mut name = match record.image_id {
        Some(image) => format!("{revision}-{size}-{image}"),
        None => format!("{revision}-{size}-none"),
    };
    if let Some(Hint { url, expires_in_s: Some(left), .. }) = hint {
        name = format!("{name}-{}-{left}", ETag::name_of(url.as_bytes()));
    }
    name
}

/// A picture whose master is lost has a record and no hint, like one that there is not.
async fn hint(
    hints: &Hints,
    record: &Record,
    size: Size,
    timing: &mut Timing,
) -> Result<Option<Hint>, ApiError> {
    let Some(image) = record.image_id else { return Ok(None) };
    match hints.get(image, size).await {
        Ok((hint, layer)) => {
            timing.passed("hints", layer.name(), layer.is_hit());
            Ok(Some(hint))
        }
        Err(error) if matches!(*error, RenditionError::NoSuchImage) => {
            tracing::error!(%image, "a picture is recorded and not there");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
