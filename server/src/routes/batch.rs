//! `/api/images/batch`: many users' pictures in one answer.

use std::{collections::HashMap, convert::Infallible, str::FromStr};

use axum::{
    extract::{FromRequestParts, State},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use miniature_api::{
    BATCH_LIMIT, BatchEntry, BatchUser, Hint, IdError, ImageId, NotFound, Problem, RECORDS_PART,
    Size, UserId,
};
use thiserror::Error;

use super::{
    conditional::not_kept,
    guard::SignedIn,
    json::{JSON, written},
    lineage::HoldsOurs,
    multipart::Multipart,
    openapi::{Invalid, Refused},
    params::Params,
    timing::Timing,
};
use crate::{ApiError, App, profiles::Answer};

/// `GET /api/images/batch?size=64&users=ada:12,grace`: the records of up to 50 users, and the
/// pictures that are newer than those held. In presigned delivery the store has the bytes of the larger
/// sizes: their records carry a hint instead.
///
/// # Errors
///
/// [`ApiError::Invalid`] (422) with the parameter named; [`ApiError::TooManyTries`] (429).
#[utoipa::path(
    get,
    path = "/api/images/batch",
    params(
        ("size" = Size, Query),
        ("users" = String, Query, description = "up to 50, by commas: `ada:12` or `grace`"),
        ("bytes" = Option<u8>, Query, maximum = 1, description = "0: the records alone"),
    ),
    responses(
        (status = 200, description = "the records, or their parts", content(
            (Vec<BatchEntry> = "application/json"), (String = "multipart/form-data"),
        )),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        Refused, Invalid,
    )
)]
pub(crate) async fn batch(
    signed_in: SignedIn,
    State(app): State<App>,
    params: Params,
    holds_ours: HoldsOurs,
    accept: Accept,
) -> Result<Response, ApiError> {
    let size = params.required::<Size>("size")?;
    let Users(users) = params.required("users")?;
    let with_bytes = params.flag("bytes")?.unwrap_or(accept.multipart);
    app.read_pace().0.count_many(&signed_in.user, users.len())?;
    let mut timing = Timing::start();
    let ids = users.iter().map(|user| user.user_id.clone()).collect::<Vec<_>>();
    let (found, layer) = app.profiles().get_many(&ids).await?;
    timing.passed("profiles", layer.name(), layer.is_hit());
    let mut entries = ids.into_iter().zip(found).map(entry).collect::<Vec<_>>();
    let mut images = newer(&users, holds_ours, &entries);
    if size > Size::PREVIEW {
        let signed = app.hints().signed_of(&images, size).await;
        images.retain(|image| !signed.contains_key(image));
        give(&mut entries, &signed);
    }
    let answer = if with_bytes {
        let parts = Multipart {
            route: "/api/images/batch",
            name: RECORDS_PART,
            json: written(&entries)?,
            images,
            size,
        };
        parts.look(app.renditions(), &mut timing).await?.answer(app.renditions())
    } else {
        ([JSON], written(&entries)?).into_response()
    };
    Ok(timing.on(not_kept(answer)))
}

/// What types the asker takes.
pub(crate) struct Accept {
    /// Whether it takes the parts. Who accepts JSON and no multipart wants the records alone.
    multipart: bool,
}

impl<S: Sync> FromRequestParts<S> for Accept {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let accept = parts.headers.get(header::ACCEPT).and_then(|types| types.to_str().ok());
        let json_alone = accept.is_some_and(|types| {
            types.contains("application/json") && !types.contains("multipart/form-data")
        });
        Ok(Self { multipart: !json_alone })
    }
}

/// The users in `users=`.
struct Users(Vec<BatchUser>);

/// Why there is no telling whose pictures are wanted.
#[derive(Debug, Error)]
enum UsersError {
    /// There are more than 50.
    #[error("at most {BATCH_LIMIT} users a request")]
    TooMany,
    /// There is none, or one is misspelt.
    #[error("each is an id, or an id, a colon and a revision; {0}")]
    Misspelt(#[from] IdError),
}

impl FromStr for Users {
    type Err = UsersError;

    fn from_str(text: &str) -> Result<Self, UsersError> {
        if text.split(',').count() > BATCH_LIMIT {
            return Err(UsersError::TooMany);
        }
        Ok(Self(text.split(',').map(BatchUser::from_str).collect::<Result<_, _>>()?))
    }
}

fn entry((user_id, found): (UserId, Answer)) -> BatchEntry {
    match found {
        Some(profile) => profile.picture.clone().into(),
        None => BatchEntry::Missing { user_id, error: NotFound::NotFound },
    }
}

/// The pictures of a newer revision than the one held, each once. Any is newer than one of another
/// lineage.
fn newer(
    users: &[BatchUser],
    HoldsOurs(holds_ours): HoldsOurs,
    entries: &[BatchEntry],
) -> Vec<ImageId> {
    let mut images = Vec::new();
    for (user, entry) in users.iter().zip(entries) {
        let BatchEntry::Found { record, .. } = entry else { continue };
        let Some(image) = record.image_id else { continue };
        let held = user.held.filter(|_| holds_ours);
        if held < Some(record.revision) && !images.contains(&image) {
            images.push(image);
        }
    }
    images
}

/// Puts hints to the records whose images they lead to.
fn give(entries: &mut [BatchEntry], hints: &HashMap<ImageId, Hint>) {
    for entry in entries {
        if let BatchEntry::Found { record, hint } = entry {
            let found = record.image_id.and_then(|image| hints.get(&image));
            *hint = found.cloned().map(Box::new);
        }
    }
}

#[cfg(test)]
mod tests {
    use miniature_api::{Record, Revision};

    use super::*;

    #[test]
    fn only_what_is_newer_than_the_revision_held_is_sent() {
        let cases = [
            ("ada", Some(7), 1),
            ("ada:2", Some(7), 1),
            ("ada:3", Some(7), 0),
            ("ada:4", Some(7), 0),
            ("ada", None, 0),
            ("ada,ada", Some(7), 1),
        ];
        for (users, image, expected) in cases {
            let Users(users) = users.parse().unwrap();
            let record = Record {
                user_id: "ada".parse().unwrap(),
                revision: Revision(3),
                image_id: image.map(|byte| ImageId::from_bytes([byte; 16])),
                thumbhash: None,
            };
            let entries = vec![BatchEntry::from(record); users.len()];
            let images = newer(&users, HoldsOurs(true), &entries);
            assert_eq!(images.len(), expected, "{users:?} {image:?}");
            let images = newer(&users, HoldsOurs(false), &entries);
            assert_eq!(images.len(), usize::from(image.is_some()), "another lineage: {users:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn users_are_read_or_refused_and_never_more_than_asked(text: String) {
            if let Ok(Users(users)) = text.parse::<Users>() {
                let again = users.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                proptest::prop_assert_eq!(again.split(',').count(), text.split(',').count());
                proptest::prop_assert!(users.len() <= BATCH_LIMIT);
            }
        }

        #[test]
        fn whoever_can_be_asked_for_is_read(
            users in proptest::collection::vec("[A-Za-z0-9_-]{1,64}(:(0|[1-9][0-9]{0,8}))?", 1..60)
        ) {
            let read = users.join(",").parse::<Users>();
            proptest::prop_assert_eq!(read.is_ok(), users.len() <= BATCH_LIMIT);
            if let Ok(Users(read)) = read {
                let written = read.iter().map(ToString::to_string).collect::<Vec<_>>();
                proptest::prop_assert_eq!(written, users);
            }
        }
    }
}
