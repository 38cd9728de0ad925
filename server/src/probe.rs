//! Whether a server that runs answers: for containers, whose images have no program to ask with.

use std::time::Duration;

use reqwest::{Client, Error, StatusCode};
use thiserror::Error as ThisError;
use url::Url;

use crate::tls;

/// How long it may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Why a server is not healthy.
#[derive(Debug, ThisError)]
pub enum Unhealthy {
    /// It cannot be asked.
    #[error("it does not answer: {0}")]
    Silent(#[from] Error),
    /// It answers something else.
    #[error("it answers {0}")]
    Answers(StatusCode),
}

/// Asks a server at a URL that is to answer 200.
///
/// # Errors
///
/// What is amiss.
pub async fn healthy(url: Url) -> Result<(), Unhealthy> {
    tls::choose_provider();
    let client = Client::builder().no_proxy().timeout(ANSWERS_WITHIN).build()?;
    let status = client.get(url).send().await?.status();
    if status == StatusCode::OK { Ok(()) } else { Err(Unhealthy::Answers(status)) }
}
