//! `/images/{image_id}`: the bytes of a picture.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{Method, header},
    response::{IntoResponse, Response},
};
use miniature_api::{ImageId, Size};

use super::{
    conditional::{Caching, ETag, Held, unchanged, unless_held},
    guard::SignedIn,
    openapi::{Invalid, NotFound, Refused},
    params::Params,
    timing::Timing,
};
use crate::{ApiError, App, images::CONTENT_TYPE, metrics::renditions_sent};

/// `GET /images/{image_id}?size=256`: a rendition, which never changes.
///
/// # Errors
///
/// [`ApiError::NotFound`] (404) if there is no such image; [`ApiError::Invalid`] (422) if there is
/// no such size.
#[utoipa::path(
    get,
    path = "/images/{image_id}",
    params(("image_id" = ImageId, Path), ("size" = Size, Query)),
    responses(
        (status = 200, description = "a square WebP", content_type = "image/webp"),
        (status = 304), Refused, Invalid, NotFound,
    )
)]
pub(crate) async fn image(
    _: SignedIn,
    State(app): State<App>,
    image: Result<Path<ImageId>, PathRejection>,
    params: Params,
    method: Method,
    held: Held,
) -> Result<Response, ApiError> {
    let Path(image) = image.map_err(|_| ApiError::NotFound)?;
    let size = params.required::<Size>("size")?;
    let mut timing = Timing::start();
    let tag = ETag::strong(&format!("{image}-{size}"));
    if tag.is_named(&held) {
        // It has not changed; but anyone can make up an image and name it as held.
        app.hints().find(image, size).await?;
        timing.passed("renditions", "held", true);
        return Ok(timing.on(unchanged(tag, Caching::Forever)));
    }
    let rendition = app.renditions().get(image, size).await?;
    timing.passed("renditions", rendition.layer.name(), rendition.layer.is_hit());
    let whole = || {
        if method == Method::GET {
            renditions_sent("/images/{image_id}", 1, rendition.bytes.len() as u64);
        }
        ([(header::CONTENT_TYPE, CONTENT_TYPE)], rendition.bytes).into_response()
    };
    Ok(timing.on(unless_held(&held, tag, Caching::Forever, whole)))
}
