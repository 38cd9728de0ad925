//! Where the truth about people is: our own database, or another service.

use std::{collections::HashMap, sync::Arc};

use miniature_api::UserId;
use thiserror::Error;

use super::http::HttpSource;
use crate::storage::{Database, Versioned};

/// Knows who people are.
///
/// It judges nothing and keeps nothing: what is asked, how often, and for how long an answer holds
/// is decided by [`Profiles`](super::Profiles).
pub(super) trait ProfileSource {
    /// The profiles of those users that exist; at most [`BATCH_LIMIT`](miniature_api::BATCH_LIMIT)
    /// are asked for at once.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    fn profiles(
        &self,
        users: &[UserId],
    ) -> impl Future<Output = Result<HashMap<UserId, Versioned>, SourceError>> + Send;
}

/// Why nobody can tell who someone is. Cheap to clone: all who waited for the answer get it.
#[derive(Clone, Debug, Error)]
pub enum SourceError {
    /// The database does not answer.
    #[error("profiles cannot be read")]
    Database(#[source] Arc<sqlx::Error>),
    /// The service that knows people does not answer.
    #[error("the service that knows people is away: {0}")]
    Service(String),
    /// Whoever asked has panicked, or the server is stopping.
    #[error("the question was lost")]
    Lost,
}

impl From<sqlx::Error> for SourceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

/// The closed set of sources.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Sql(Database),
    Http(HttpSource),
    #[cfg(test)]
    ByHand(super::races::ByHand),
}

impl ProfileSource for Source {
    async fn profiles(&self, users: &[UserId]) -> Result<HashMap<UserId, Versioned>, SourceError> {
        metrics::counter!(crate::metrics::SOURCE_CALLS).increment(1);
        match self {
            Self::Sql(database) => ProfileSource::profiles(database, users).await,
            Self::Http(service) => service.profiles(users).await,
            #[cfg(test)]
            Self::ByHand(hand) => hand.profiles(users).await,
        }
    }
}

impl ProfileSource for Database {
    async fn profiles(&self, users: &[UserId]) -> Result<HashMap<UserId, Versioned>, SourceError> {
        Ok(self.profiles(users).await?)
    }
}
