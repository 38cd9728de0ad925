//! What is made of an answer.

use std::{rc::Rc, time::Duration};

use miniature_api::{
    ACCOUNT_HEADER, EVENT_HEADER, FRIENDS_PART, ImageId, LINEAGE_HEADER, Problem, RECORDS_PART,
    Size,
    multipart::{self, Part},
};

use super::{
    arriving::{Arriving, Reader},
    exchange::{Exchange, read_json},
    retry_after::retry_after,
};
use crate::{
    browser::json,
    cache::{
        core::{Checked, Fetched, FriendsReply, Refusal, Reply, Request},
        entry::Content,
        layer::OriginError,
        raster::RasterType,
    },
};

/// Problem details (RFC 9457): what tells an answer of the API from one of something before it.
const PROBLEM: &str = "application/problem+json";

/// Reads the answer to `request`, which was sent at `asked` if that was not now.
pub(super) async fn read(
    answer: Result<Exchange, OriginError>,
    request: &Request,
    reader: &Reader<'_>,
    asked: Option<Duration>,
) -> Fetched<Content> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let outcome = Err(error.into());
            return Fetched { lineage: None, account: None, asked, event: None, outcome };
        }
    };
    (reader.progressed)(0);
    let outcome = reply_to(request, &answer, reader, asked).await;
    let outcome = outcome.map_err(|error| Refusal { error, retry_after: retry_after(&answer) });
    fetched(&answer, asked, outcome)
}

/// What an answer says, with what its headers say of all of it.
pub(super) fn fetched(
    answer: &Exchange,
    asked: Option<Duration>,
    outcome: Result<Reply<Content>, Refusal>,
) -> Fetched<Content> {
    let lineage = answer.header(LINEAGE_HEADER).and_then(|lineage| lineage.parse().ok());
    let account = answer.header(ACCOUNT_HEADER).and_then(|account| account.parse().ok());
    let event = answer.header(EVENT_HEADER).map(Into::into);
    Fetched { lineage, account, asked, event, outcome }
}

/// Why an answer that is no success is none, to a request that needs a session.
pub(super) async fn refusal(answer: &Exchange, progressed: &dyn Fn(u64)) -> OriginError {
    match answer.status() {
        401 if has_no_session(answer, progressed).await => OriginError::SignedOut,
        401 => OriginError::Unreachable,
        status => OriginError::Status(status),
    }
}

async fn reply_to(
    request: &Request,
    answer: &Exchange,
    reader: &Reader<'_>,
    asked: Option<Duration>,
) -> Result<Reply<Content>, OriginError> {
    match (answer.status(), request) {
        (204, Request::SignOut(_)) => Ok(Reply::SignedOut),
        (200..=299, Request::SignOut(_)) => Err(OriginError::Malformed),
        (200..=299, _) => {
            let mut arriving = Arriving::new(request, answer, reader, asked);
            let body = answer.growing(&mut |body, more| arriving.grown(body, more)).await?;
            body_of(request, answer, &body, reader.limit, &arriving.told)
        }
        (304, Request::Friends { etag: Some(_), .. }) => Ok(Reply::Friends(None)),
        (404, Request::Profile(_)) if is_problem(answer) => Ok(Reply::Profile(None)),
        _ => match (refusal(answer, reader.progressed).await, request) {
            (OriginError::SignedOut, Request::Session) => Ok(Reply::Session(None)),
            (OriginError::SignedOut, Request::SignOut(_)) => Ok(Reply::SignedOut),
            (error, _) => Err(error),
        },
    }
}

/// Whether this 401 is the API's own, and says that there is no session. A gateway's is not.
async fn has_no_session(answer: &Exchange, progressed: &dyn Fn(u64)) -> bool {
    let problem = |body: Vec<u8>| read_json::<Problem>(&body).ok();
    let problem = answer.bytes(progressed).await.ok().and_then(problem);
    is_problem(answer) && problem.is_some_and(|problem| problem.kind == Problem::NO_SESSION)
}

/// Whether a refusal is the API's.
pub(super) fn is_problem(answer: &Exchange) -> bool {
    answer.is_of_type(PROBLEM)
}

fn body_of(
    request: &Request,
    answer: &Exchange,
    body: &[u8],
    limit: usize,
    told: &[ImageId],
) -> Result<Reply<Content>, OriginError> {
    let parts = match request {
        Request::Pictures { .. } | Request::Friends { .. } => parts(answer, body)?.without(told),
        Request::Rendition { key, .. } => Parts { json: &[], images: vec![(key.image, body)] },
        _ => Parts { json: body, images: Vec::new() },
    };
    reply_of(request, answer, &parts, limit)
}

/// What an answer says, or a part of it with all of its JSON.
pub(super) fn reply_of(
    request: &Request,
    answer: &Exchange,
    parts: &Parts<'_>,
    limit: usize,
) -> Result<Reply<Content>, OriginError> {
    match request {
        Request::Pictures { size, .. } => {
            let text = std::str::from_utf8(parts.json).map_err(|_| OriginError::Malformed)?;
            // A line that a newer server words in another way costs that user alone.
            let entries = json::read_lines(text).ok_or(OriginError::Malformed)?;
            Ok(Reply::Pictures { entries, renditions: parts.checked(*size, limit) })
        }
        Request::Rendition { key, .. } => {
            parts.checked(key.size, limit).pop().map(Reply::Rendition).ok_or(OriginError::Malformed)
        }
        Request::Friends { pictures, .. } => Ok(Reply::Friends(Some(FriendsReply {
            page: read_json(parts.json)?,
            etag: answer.header("etag").map(Into::into),
            pictures: *pictures,
            renditions: pictures.map_or_else(Vec::new, |size| parts.checked(size, limit)),
        }))),
        Request::Feed(_) => Ok(Reply::Feed(read_json(parts.json)?)),
        Request::Profile(_) => Ok(Reply::Profile(Some(read_json(parts.json)?))),
        Request::Session => Ok(Reply::Session(Some(read_json(parts.json)?))),
        Request::SignOut(_) => Ok(Reply::SignedOut),
    }
}

/// An answer's JSON, and the images that came with it by what they claim to be.
pub(super) struct Parts<'a> {
    pub(super) json: &'a [u8],
    pub(super) images: Vec<(ImageId, &'a [u8])>,
}

fn parts<'a>(answer: &Exchange, body: &'a [u8]) -> Result<Parts<'a>, OriginError> {
    if answer.is_of_type("application/json") {
        return Ok(Parts { json: body, images: Vec::new() });
    }
    let content_type = answer.header("content-type").ok_or(OriginError::Malformed)?;
    Parts::of(multipart::parts(&content_type, body).map_err(|_| OriginError::Malformed)?)
}

impl<'a> Parts<'a> {
    pub(super) fn of(parts: Vec<Part<'a>>) -> Result<Self, OriginError> {
        let (mut json, mut images) = (None, Vec::new());
        for part in parts {
            match part.name.parse() {
                Ok(image) => images.push((image, part.bytes)),
                Err(_) if [RECORDS_PART, FRIENDS_PART].contains(&part.name) => {
                    json = Some(part.bytes);
                }
                Err(_) => return Err(OriginError::Malformed),
            }
        }
        Ok(Self { json: json.ok_or(OriginError::Malformed)?, images })
    }

    /// The same without images that were handed out before.
    pub(super) fn without(mut self, told: &[ImageId]) -> Self {
        self.images.retain(|(image, _)| !told.contains(image));
        self
    }

    pub(super) fn checked(&self, size: Size, limit: usize) -> Vec<Checked<Content>> {
        let check = |bytes: &[u8]| {
            let kind = RasterType::check(bytes, size, limit)?;
            Ok(Content::Bytes(kind, Rc::from(bytes)))
        };
        self.images.iter().map(|(image, bytes)| (*image, check(bytes))).collect()
    }
}
