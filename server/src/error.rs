//! Why a request is refused, and how that is told.

use std::sync::Arc;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use miniature_api::Problem;
use thiserror::Error;

use crate::{
    images::{IntakeError, PictureError, RenditionError, UploadError},
    profiles::SourceError,
    storage::passes,
};

/// Why a request is refused. Becomes an `application/problem+json` (RFC 9457).
#[derive(Debug, Error)]
pub enum ApiError {
    /// 404: nothing has this name.
    #[error("there is nothing here")]
    NotFound,
    /// 405: the route has other methods. The router names them in `Allow`.
    #[error("this route has no such method")]
    MethodNotAllowed,
    /// 401: no session, or one that has ended.
    #[error("sign in first")]
    SignedOut,
    /// 401: name and password do not belong together. Does not say which one is wrong.
    #[error("the name or the password is wrong")]
    WrongCredentials,
    /// 403: another site sent this request.
    #[error("{0}")]
    CrossSite(String),
    /// 408: the body did not arrive in time.
    #[error("the body took too long to arrive")]
    TooSlow,
    /// 409: another service says who people are.
    #[error("names and headlines are kept by another service; change them there")]
    KeptElsewhere,
    /// 409: the id that the client made names something of someone else.
    #[error("this id names another's post; make a new one")]
    IdTaken,
    /// 409: the browser's session has become another account's since the page was opened.
    #[error("this session is not of the account that the request names; nothing was changed")]
    OtherAccount,
    /// 413: the body is longer than the route takes.
    #[error("the body is too long")]
    TooLong,
    /// 415: the body is not of the type that the route takes.
    #[error("send application/json")]
    NotJson,
    /// 415: by its content it is no picture that is taken, whatever it was called.
    #[error("a picture is a JPEG, PNG, GIF or WebP")]
    NotAPicture,
    /// 422: a part of the request is wrong.
    #[error("{detail}")]
    Invalid {
        /// The part.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// 429: too many tries.
    #[error("too many tries; wait {retry_after_s} s")]
    TooManyTries {
        /// How long to wait, in seconds.
        retry_after_s: u64,
    },
    /// 503: as much as can be done at once is under way, or it took too long.
    #[error("too much at once; try again in a moment")]
    Busy,
    /// 429: too many streams of events at once.
    #[error("too many streams are open; close one")]
    TooManyStreams,
    /// 429: too many uploads of one user at once.
    #[error("other pictures of yours are being uploaded; wait for them")]
    TooManyUploads,
    /// 503: what the server needs is down.
    #[error("down: {0}; try again in a moment")]
    Unready(&'static str),
    /// 500: our fault. The cause is logged, never sent.
    #[error("something went wrong here")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ApiError {
    /// A part of the request is wrong (422).
    pub fn invalid(field: &'static str, detail: impl ToString) -> Self {
        Self::Invalid { field, detail: detail.to_string() }
    }

    /// Our fault (500).
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::SignedOut | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::CrossSite(_) => StatusCode::FORBIDDEN,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::KeptElsewhere | Self::IdTaken | Self::OtherAccount => StatusCode::CONFLICT,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson | Self::NotAPicture => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyTries { .. } | Self::TooManyStreams | Self::TooManyUploads => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Busy | Self::Unready(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::TooManyTries { retry_after_s } => Some(*retry_after_s),
            // By then a browser that went away without a word is missed.
            Self::TooManyStreams => Some(30),
            Self::Busy | Self::TooManyUploads | Self::Unready(_) => Some(1),
            _ => None,
        }
    }

    fn field(&self) -> Option<String> {
        if let Self::Invalid { field, .. } = self { Some((*field).to_owned()) } else { None }
    }

    /// What a program is to tell from others of its status: a gateway's 401 ends no session.
    fn kind(&self) -> &'static str {
        if matches!(self, Self::SignedOut) { Problem::NO_SESSION } else { "about:blank" }
    }

    fn problem(&self) -> Problem {
        let status = self.status();
        Problem {
            kind: self.kind().to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: Some(self.to_string()),
            field: self.field(),
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(cause: sqlx::Error) -> Self {
        Self::from(&Arc::new(cause))
    }
}

/// As many who waited for one answer get it.
impl From<&Arc<sqlx::Error>> for ApiError {
    fn from(cause: &Arc<sqlx::Error>) -> Self {
        if passes(cause) { Self::Unready("database") } else { Self::internal(Arc::clone(cause)) }
    }
}

impl From<PictureError> for ApiError {
    fn from(cause: PictureError) -> Self {
        match cause {
            PictureError::Refused(UploadError::TooLong) => Self::TooLong,
            PictureError::Refused(UploadError::UnknownType) => Self::NotAPicture,
            PictureError::Refused(
                fault @ (UploadError::TooLarge { .. }
                | UploadError::TooCostly { .. }
                | UploadError::Undecodable),
            ) => Self::invalid("body", fault),
            PictureError::Database(error) => error.into(),
            PictureError::Away(_) => Self::Unready("images"),
            PictureError::BeingRemoved => Self::Busy,
            PictureError::Ungiven(error) => error.into(),
        }
    }
}

impl From<IntakeError> for ApiError {
    fn from(cause: IntakeError) -> Self {
        match cause {
            IntakeError::TooOften { wait_s } => Self::TooManyTries { retry_after_s: wait_s },
            IntakeError::TooMany => Self::TooManyUploads,
            IntakeError::Full => Self::Busy,
        }
    }
}

impl From<SourceError> for ApiError {
    fn from(cause: SourceError) -> Self {
        match &cause {
            SourceError::Database(error) if passes(error) => Self::Unready("database"),
            SourceError::Service(_) => Self::Unready("users"),
            SourceError::Database(_) | SourceError::Lost => Self::internal(cause),
        }
    }
}

impl From<Arc<RenditionError>> for ApiError {
    fn from(cause: Arc<RenditionError>) -> Self {
        match &*cause {
            RenditionError::NoSuchImage => Self::NotFound,
            RenditionError::Away(_) => Self::Unready("images"), // logged by its breaker
            RenditionError::Unrecorded => Self::Unready("database"),
            RenditionError::Damaged(_) | RenditionError::Panicked(_) => Self::internal(cause),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(cause) = &self {
            tracing::error!(cause = %with_sources(cause.as_ref()), "a request failed");
        }
        let mut response = (self.status(), Json(self.problem())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An error and what caused it, in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        line = format!("{line}: {next}");
        cause = next.source();
    }
    line
}
