//! `miniature-server lineage renew`: what to run between restoring a backup and starting on it.

use miniature_api::Lineage;
use thiserror::Error;

use crate::{OpenError, clock::Clock, config::Storage, state::open_database, storage::Database};

/// Why the lineage stays as it is.
#[derive(Debug, Error)]
pub enum RenewError {
    /// A database made now would have no history to tell apart.
    #[error("there is no database in {0}; put the backup back first")]
    NoDatabase(String),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database does not answer.
    #[error("the lineage was not renewed: {0}")]
    Failed(#[from] sqlx::Error),
}

/// Begins a new lineage in a database. Returns the one before, and the new one.
///
/// # Errors
///
/// Why it did not.
pub async fn renew(storage: &Storage) -> Result<(Lineage, Lineage), RenewError> {
    if storage.database_url.is_none() && !Database::is_in(&storage.data) {
        return Err(RenewError::NoDatabase(storage.data.display().to_string()));
    }
    let database = open_database(storage).await?;
    let renewed = database.renew_lineage(&Clock::system()).await;
    database.close().await;
    Ok(renewed?)
}
