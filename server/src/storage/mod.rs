//! What survives a restart: people and sessions in SQLite, images as files.
//!
//! Queries are written so that PostgreSQL takes them too.

mod files;
mod friends;
mod people;
mod sessions;

use std::path::Path;

use sqlx::{
    SqlitePool,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::{
    files::{FileName, Files},
    friends::{Cursor, CursorError},
    people::{NewPerson, PictureChange},
};

/// The database: the truth about people, friendships and sessions.
///
/// Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Database {
    pool: SqlitePool,
}

/// Readers of SQLite's write-ahead log do not wait for each other; more than this only queue for
/// the cores.
const CONNECTIONS: u32 = 4;

impl Database {
    /// Opens the database in a folder, made if it is not there, and brings it up to date.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or was written by a newer version.
    pub async fn open(folder: &Path) -> Result<Self, MigrateError> {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("miniature.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        Self::connect(SqlitePoolOptions::new().max_connections(CONNECTIONS), options).await
    }

    /// Opens a database that lives in memory, for tests.
    ///
    /// # Errors
    ///
    /// If the migrations fail.
    pub async fn in_memory() -> Result<Self, MigrateError> {
        // Each connection to `:memory:` is a database of its own, so there must be one, for good.
        let one = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        Self::connect(one, SqliteConnectOptions::new().in_memory(true)).await
    }

    async fn connect(
        pool: SqlitePoolOptions,
        options: SqliteConnectOptions,
    ) -> Result<Self, MigrateError> {
        let pool = pool.connect_with(options).await?;
        sqlx::migrate!().run(&pool).await?;
        Ok(Self { pool })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn ping(&self) -> sqlx::Result<()> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map(drop)
    }

    /// Finishes what is under way and closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
