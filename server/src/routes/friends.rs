//! `/api/friends`: the list that pictures hang on.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use miniature_api::{BATCH_LIMIT, FRIENDS_PART, FriendsPage, ImageId, Size};

use super::{
    conditional::{Caching, ETag, Held, not_kept, tagged, unchanged},
    guard::SignedIn,
    json::{JSON, written},
    lineage::OurLineage,
    multipart::Multipart,
    openapi::{Invalid, Refused},
    params::Params,
    timing::Timing,
};
use crate::{
    ApiError,
    images::Renditions,
    storage::{Cursor, Database},
};

/// `GET /api/friends?limit=50&cursor=C&pictures=64`: a page of one's friends, by name, with their
/// pictures if a size is given; a browser keeps them once all are in our memory. The ETag is the
/// page's, with pictures or without: whoever holds the page is sent neither again.
///
/// # Errors
///
/// [`ApiError::Invalid`] (422) with the parameter named.
#[utoipa::path(
    get,
    path = "/api/friends",
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 50),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("pictures" = Option<Size>, Query, description = "with their pictures in this size"),
    ),
    responses(
        (status = 200, description = "a page, or its parts", content(
            (FriendsPage = "application/json"), (String = "multipart/form-data"),
        )),
        (status = 304), Refused, Invalid,
    )
)]
pub(crate) async fn friends(
    signed_in: SignedIn,
    State(database): State<Database>,
    State(renditions): State<Renditions>,
    State(lineage): State<OurLineage>,
    params: Params,
    held: Held,
) -> Result<Response, ApiError> {
    let limit = limit(&params)?;
    let after = params.optional::<Cursor>("cursor")?;
    let pictures = params.optional::<Size>("pictures")?;
    let mut timing = Timing::start();
    let page = database.friends(&signed_in.user, after.as_ref(), limit).await?;
    timing.passed("friends", "source", true);
    let json = written(&page)?;
    // Weak: with pictures, the boundary between the parts is another each time.
    let tag = ETag::weak(&lineage.name_for(&signed_in.user, &ETag::name_of(&json)));
    if tag.is_held(&held) {
        return Ok(timing.on(unchanged(tag, Caching::AskEachTime)));
    }
    let Some(size) = pictures else {
        return Ok(tagged(([JSON], json).into_response(), tag, Caching::AskEachTime));
    };
    let parts =
        Multipart { route: "/api/friends", name: FRIENDS_PART, json, images: images(&page), size };
    let parts = parts.look(&renditions, &mut timing).await?;
    // A picture may fail while the answer goes out. Only what is whole for certain gets a name, so
    // that nobody keeps a list with gaps, and is told that it has not changed.
    let whole = parts.is_whole();
    let answer = parts.answer(&renditions);
    let answer = if whole { tagged(answer, tag, Caching::AskEachTime) } else { not_kept(answer) };
    Ok(timing.on(answer))
}

fn limit(params: &Params) -> Result<usize, ApiError> {
    let limit = params.optional::<usize>("limit")?.unwrap_or(BATCH_LIMIT);
    if (1..=BATCH_LIMIT).contains(&limit) {
        Ok(limit)
    } else {
        Err(ApiError::invalid("limit", format!("it is 1 to {BATCH_LIMIT}")))
    }
}

/// The pictures on a page, each once.
fn images(page: &FriendsPage) -> Vec<ImageId> {
    let mut images = Vec::new();
    for image in page.friends.iter().filter_map(|friend| friend.picture.image_id) {
        if !images.contains(&image) {
            images.push(image);
        }
    }
    images
}
