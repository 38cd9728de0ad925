//! `/api/posts`: the feed, and writing for it.

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use miniature_api::{BATCH_LIMIT, Feed, NewPost, POST_LIMIT, Post, PostId, Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    guard::SignedIn,
    json::JsonBody,
    openapi::{Invalid, Refused},
    params::Params,
    words::Field,
};
use crate::{
    ApiError, App,
    posts::{Accepted, Posts},
};

/// How many posts a page has if nobody says.
const PAGE: usize = 20;

/// The longest post in JSON, each character written as two escapes of six bytes, and some to spare.
const MAX_BODY: usize = 12 * POST_LIMIT + (4 << 10);

const TEXT: Field = Field { name: "text", least: 1, most: POST_LIMIT, lines: true };

/// What one reads is nobody else's, and another a moment later.
const NOT_KEPT: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "private, no-store")];

/// Both routes, for longer bodies than others take.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(feed, write)).layer(DefaultBodyLimit::max(MAX_BODY))
}

/// `GET /api/posts?limit=20&before=ID`: what one and one's friends wrote, the newest first.
///
/// # Errors
///
/// [`ApiError::Invalid`] (422) with the parameter named.
#[utoipa::path(
    get,
    path = "/api/posts",
    params(
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 50),
        ("before" = Option<PostId>, Query, description = "the `next` of the page before"),
    ),
    responses((status = 200, body = Feed), Refused, Invalid)
)]
async fn feed(
    signed_in: SignedIn,
    State(posts): State<Posts>,
    params: Params,
) -> Result<impl IntoResponse, ApiError> {
    let limit = params.optional::<usize>("limit")?.unwrap_or(PAGE);
    if !(1..=BATCH_LIMIT).contains(&limit) {
        return Err(ApiError::invalid("limit", format!("it is 1 to {BATCH_LIMIT}")));
    }
    let before = params.optional::<PostId>("before")?;
    let feed = posts.feed(&signed_in.user, before.as_ref(), limit).await?;
    Ok((NOT_KEPT, Json(feed)))
}

/// `POST /api/posts`: writes a post. 201 with it.
///
/// A client may make its `id`, a UUID of version 7. If it does not hear the answer, it sends the same
/// again: 200 with the post that was written the first time.
///
/// # Errors
///
/// [`ApiError::Invalid`] (422) with the field named; [`ApiError::TooManyTries`] (429);
/// [`ApiError::IdTaken`] (409) if the id names a post of someone else.
#[utoipa::path(
    post,
    path = "/api/posts",
    request_body = NewPost,
    responses(
        (status = 200, body = Post, description = "it was written before, under this id"),
        (status = 201, body = Post),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        Refused, Invalid,
    )
)]
async fn write(
    signed_in: SignedIn,
    State(posts): State<Posts>,
    body: JsonBody,
) -> Result<impl IntoResponse, ApiError> {
    let text = TEXT.take(&body.text(TEXT.name)?)?;
    let id = body.optional_text("id")?.map(|id| id.parse::<PostId>());
    let id = id.transpose().map_err(|error| ApiError::invalid("id", error))?;
    let (status, post) = match posts.write(&signed_in.user, text, id).await? {
        Accepted::Now(post) => (StatusCode::CREATED, post),
        Accepted::Before(post) => (StatusCode::OK, post),
    };
    Ok((status, NOT_KEPT, Json(post)))
}
