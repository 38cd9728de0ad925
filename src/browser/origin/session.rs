//! Signing in: what is asked without the core.

use std::time::Duration;

use miniature_api::{Account, Credentials, DEMO_HEADER, Problem};
use thiserror::Error;

use super::{
    api::Api,
    exchange::{Call, read_json, whole},
    reply::is_problem,
    retry_after::retry_after,
};
use crate::cache::layer::OriginError;

/// Why nobody was signed in, by what the user can do about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignInError {
    /// Try another name or password.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// Wait: too many attempts.
    #[error("too many attempts")]
    TooMany {
        /// For how long, if the server says so.
        retry_after: Option<Duration>,
    },
    /// Let the browser keep cookies: the server has signed one in, and the browser out again.
    #[error("the browser keeps no cookie of this page")]
    NoCookie,
    /// The server says what is wrong with the request.
    #[error("{}", .0.detail.as_deref().unwrap_or(&.0.title))]
    Refused(Problem),
    /// Try again.
    #[error(transparent)]
    Origin(#[from] OriginError),
}

impl Api {
    /// Whether there is a demo account to look around with. Not, where the server does not say so in
    /// time.
    pub async fn has_demo(&self, silence: Duration) -> bool {
        let answer = whole(Call::get(self.url("/api/session")), silence).await;
        answer.is_ok_and(|(answer, _)| answer.header(DEMO_HEADER).is_some())
    }

    /// Signs a user in; the browser keeps the session's cookie. Given up when nothing is heard of
    /// the server for `silence`.
    ///
    /// # Errors
    ///
    /// [`SignInError`], by what the user can do.
    pub async fn sign_in(
        &self,
        credentials: &Credentials,
        silence: Duration,
    ) -> Result<Account, SignInError> {
        let call = Call::new("POST", self.url("/api/session")).json(credentials)?;
        let (answer, body) = whole(call, silence).await?;
        match answer.status() {
            200 => Ok(read_json(&body)?),
            401 if is_problem(&answer) => Err(SignInError::WrongPassword),
            401 => Err(OriginError::Unreachable.into()),
            429 => Err(SignInError::TooMany { retry_after: retry_after(&answer) }),
            status @ 400..=499 => match read_json(&body) {
                Ok(problem) => Err(SignInError::Refused(problem)),
                Err(_) => Err(OriginError::Status(status).into()),
            },
            status => Err(OriginError::Status(status).into()),
        }
    }
}
