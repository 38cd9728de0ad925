//! `/api/users/{user_id}` and `/api/images/user/{user_id}`: one person.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use miniature_api::{Hint, PictureAnswer, Record, Size, UserId};

use super::{
    conditional::{Caching, ETag, unless_held},
    guard::SignedIn,
    params::Params,
    timing::Timing,
};
use crate::{
    ApiError,
    images::{CONTENT_TYPE, Renditions},
    profiles::{Layer, Profiles},
    storage::Versioned,
};

/// `GET /api/users/{user_id}`: a profile.
///
/// # Errors
///
/// [`ApiError::NotFound`] (404) if there is no such user.
pub(crate) async fn profile(
    _: SignedIn,
    State(profiles): State<Profiles>,
    user: Result<Path<UserId>, PathRejection>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let (profile, _) = find(&profiles, user).await?;
    let json = serde_json::to_vec(&profile.profile).map_err(ApiError::internal)?;
    let tag = ETag::strong(&ETag::name_of(&json));
    let whole = || ([(header::CONTENT_TYPE, "application/json")], json).into_response();
    Ok(unless_held(&asked, &tag, Caching::AskEachTime, whole))
}

/// `GET /api/images/user/{user_id}?size=256`: what picture a user has, and where to fetch it.
///
/// # Errors
///
/// [`ApiError::NotFound`] (404) if there is no such user; [`ApiError::Invalid`] (422).
pub(crate) async fn picture(
    _: SignedIn,
    State(profiles): State<Profiles>,
    State(renditions): State<Renditions>,
    user: Result<Path<UserId>, PathRejection>,
    params: Params,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let size = params.required::<Size>("size")?;
    let mut timing = Timing::start();
    let (profile, layer) = find(&profiles, user).await?;
    timing.passed("profiles", layer.name(), layer.is_hit());
    let record = profile.picture.clone();
    let tag = tag(&record, size);
    let hint = hint(&renditions, &record, size, &mut timing).await?;
    let whole = || Json(PictureAnswer { record, hint }).into_response();
    Ok(timing.on(unless_held(&asked, &tag, Caching::AskEachTime, whole)))
}

/// A path that is no id names nobody.
async fn find(
    profiles: &Profiles,
    user: Result<Path<UserId>, PathRejection>,
) -> Result<(std::sync::Arc<Versioned>, Layer), ApiError> {
    let Path(user) = user.map_err(|_| ApiError::NotFound)?;
    let (mut found, layer) = profiles.get_many(std::slice::from_ref(&user)).await?;
    Ok((found.remove(&user).flatten().ok_or(ApiError::NotFound)?, layer))
}

/// From the revision; the image is named too, lest a database begun anew counts to the same number.
fn tag(record: &Record, size: Size) -> ETag {
    let image = record.image_id.map_or("none".to_owned(), |image| image.to_string());
    ETag::strong(&format!("{}-{size}-{image}", record.revision.0))
}

async fn hint(
    renditions: &Renditions,
    record: &Record,
    size: Size,
    timing: &mut Timing,
) -> Result<Option<Hint>, ApiError> {
    let Some(image) = record.image_id else { return Ok(None) };
    let rendition = renditions.get(image, size).await.map_err(ApiError::internal)?;
    timing.passed("renditions", rendition.layer.name(), rendition.layer.is_hit());
    Ok(Some(Hint {
        url: format!("/images/{image}?size={size}"),
        expires_in_s: None,
        content_type: CONTENT_TYPE.to_owned(),
        bytes: rendition.bytes.len() as u64,
    }))
}
