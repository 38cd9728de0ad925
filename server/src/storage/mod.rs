//! What survives a restart: people and sessions in SQLite or PostgreSQL, pictures as files or in an
//! S3-compatible store.
//!
//! One set of queries and migrations for both databases: what is written here, both take.

mod files;
mod friends;
mod images;
mod objects;
mod people;
mod posts;
mod sessions;
mod unused;

use std::{io, path::Path, time::Duration};

use sqlx::{
    Any, AnyPool, ConnectOptions, Executor, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers},
    migrate::MigrateError,
    pool::PoolConnection,
};
use thiserror::Error;
use url::Url;

use crate::breaker::{Breaker, CallError};

pub(crate) use self::objects::is_whole_webp;
pub use self::{
    files::{FileName, Files},
    friends::{Cursor, CursorError},
    images::{Claim, ImageMetadata},
    objects::{Objects, ObjectsAway, ObjectsError},
    people::{NewPerson, NewPicture, PictureChange, Versioned},
    posts::StoredPost,
    unused::Disuse,
};

/// The database: the truth about people, friendships and sessions.
///
/// Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Database {
    pool: AnyPool,
    breaker: Breaker,
}

/// Why a database cannot be used.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// It is neither SQLite nor PostgreSQL.
    #[error("a database is named by postgres://, not {0}://")]
    Scheme(String),
    /// It does not answer, or refuses us.
    #[error("{0}")]
    Connect(#[from] sqlx::Error),
    /// Its tables cannot be brought up to date.
    #[error("{0}")]
    Migrate(#[from] MigrateError),
}

/// Readers of SQLite's write-ahead log do not wait for each other; more than this only queue for
/// the cores.
const SQLITE_CONNECTIONS: u32 = 4;

/// Of the 100 that PostgreSQL takes by default, so that several instances share them.
const POSTGRES_CONNECTIONS: u32 = 16;

/// How long a request waits for a connection before it is told that the database is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// The log is flushed when it is full, not at each commit: a crash of the machine may lose the last
/// moments, a crash of the server nothing. Writers wait for each other.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
     PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;";

impl Database {
    /// Opens the SQLite database in a folder, made if it is not there, and brings it up to date.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or was written by a newer version.
    pub async fn open(folder: &Path) -> Result<Self, DatabaseError> {
        let file = folder.canonicalize().map_err(sqlx::Error::Io)?.join("miniature.sqlite");
        let url = Url::from_file_path(&file)
            .map_err(|()| sqlx::Error::Io(io::ErrorKind::InvalidFilename.into()))?;
        let options = AnyPoolOptions::new().max_connections(SQLITE_CONNECTIONS);
        Self::sqlite(options, &format!("sqlite://{}?mode=rwc", url.path())).await
    }

    /// Opens an SQLite database that lives in memory, for tests.
    ///
    /// # Errors
    ///
    /// If the migrations fail.
    pub async fn in_memory() -> Result<Self, DatabaseError> {
        // Each connection to `:memory:` is a database of its own, so there must be one, for good.
        let one = AnyPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        Self::sqlite(one, "sqlite::memory:").await
    }

    /// Connects to a PostgreSQL database and brings it up to date; instances that start together
    /// wait for the first to do so.
    ///
    /// # Errors
    ///
    /// If it does not answer, refuses us, or was written by a newer version.
    pub async fn connect(url: &Url) -> Result<Self, DatabaseError> {
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return Err(DatabaseError::Scheme(url.scheme().to_owned()));
        }
        let pool = AnyPoolOptions::new().max_connections(POSTGRES_CONNECTIONS);
        Self::with(pool, url.as_str()).await
    }

    async fn sqlite(pool: AnyPoolOptions, url: &str) -> Result<Self, DatabaseError> {
        let pool = pool.after_connect(|connection, _| {
            Box::pin(async move { connection.execute(SQLITE_SETTINGS).await.map(drop) })
        });
        Self::with(pool, url).await
    }

    async fn with(pool: AnyPoolOptions, url: &str) -> Result<Self, DatabaseError> {
        install_default_drivers();
        let options = url.parse::<AnyConnectOptions>()?.disable_statement_logging();
        let pool = pool.acquire_timeout(PATIENCE).connect_with(options).await?;
        sqlx::migrate!().run(&pool).await?;
        Ok(Self { pool, breaker: Breaker::new("database", PATIENCE) })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn ping(&self) -> sqlx::Result<()> {
        sqlx::query("SELECT 1").execute(&mut *self.connection().await?).await.map(drop)
    }

    /// A connection that works, or soon that there is none: while the database is away, only one
    /// request in some seconds waits to find out whether it is back.
    async fn connection(&self) -> sqlx::Result<PoolConnection<Any>> {
        self.breaker.call(self.pool.acquire()).await.map_err(without_call)
    }

    /// Begins what is done whole or not at all.
    async fn begin(&self) -> sqlx::Result<Transaction<'static, Any>> {
        self.breaker.call(self.pool.begin()).await.map_err(without_call)
    }

    /// Finishes what is under way and closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn without_call(error: CallError<sqlx::Error>) -> sqlx::Error {
    match error {
        CallError::Failed(error) => error,
        CallError::Open | CallError::TimedOut => sqlx::Error::PoolTimedOut,
    }
}

/// `$1, $2, $3` for three values.
fn placeholders(count: usize) -> String {
    (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// A time as the column holds it.
fn seconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// So long before a time, in seconds since 1970.
pub(crate) fn seconds_before(time: u64, span: Duration) -> u64 {
    time.saturating_sub(span.as_secs())
}
