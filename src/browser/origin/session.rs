//! Signing in and out.

use std::time::Duration;

use miniature_api::{Account, Credentials, Problem};
use thiserror::Error;

use super::{
    api::Api,
    boot::BootSession,
    exchange::{Call, Exchange},
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
    /// The server says what is wrong with the request.
    #[error("{}", .0.detail.as_deref().unwrap_or(&.0.title))]
    Refused(Problem),
    /// Try again.
    #[error(transparent)]
    Origin(#[from] OriginError),
}

impl Api {
    /// The signed-in user; none if nobody is.
    ///
    /// # Errors
    ///
    /// [`OriginError`], by what can help; never [`OriginError::SignedOut`].
    pub async fn session(&self) -> Result<Option<Account>, OriginError> {
        read(Call::get(self.url("/api/session")).send().await?).await
    }

    /// The answer to the request that `boot.js` sent.
    ///
    /// # Errors
    ///
    /// As [`Api::session`].
    pub async fn boot_session(&self, begun: BootSession) -> Result<Option<Account>, OriginError> {
        read(Exchange::begun_elsewhere(begun.response).await?).await
    }

    /// Signs a user in; the browser keeps the session's cookie.
    ///
    /// # Errors
    ///
    /// [`SignInError`], by what the user can do.
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<Account, SignInError> {
        let call = Call::new("POST", self.url("/api/session")).json(credentials)?;
        let answer = call.send().await?;
        match answer.status() {
            200 => Ok(answer.read_json().await?),
            401 => Err(SignInError::WrongPassword),
            429 => Err(SignInError::TooMany { retry_after: retry_after(&answer) }),
            400..=499 => Err(refusal(&answer).await),
            status => Err(OriginError::Status(status).into()),
        }
    }

    /// Ends the session. That there is none is no error.
    ///
    /// # Errors
    ///
    /// [`OriginError::Unreachable`]: the session lives on, at the server.
    pub async fn sign_out(&self) -> Result<(), OriginError> {
        let answer = Call::new("DELETE", self.url("/api/session")).send().await?;
        match answer.accepted() {
            Ok(_) | Err(OriginError::SignedOut) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

async fn read(answer: Exchange) -> Result<Option<Account>, OriginError> {
    match answer.accepted() {
        Ok(answer) => answer.read_json().await.map(Some),
        Err(OriginError::SignedOut) => Ok(None),
        Err(error) => Err(error),
    }
}

/// RFC 9110, section 10.2.3: seconds, or a date, which our server does not send.
fn retry_after(answer: &Exchange) -> Option<Duration> {
    answer.header("retry-after")?.parse().ok().map(Duration::from_secs)
}

async fn refusal(answer: &Exchange) -> SignInError {
    match answer.read_json().await {
        Ok(problem) => SignInError::Refused(problem),
        Err(_) => OriginError::Status(answer.status()).into(),
    }
}
