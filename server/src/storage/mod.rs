//! What survives a restart: people and sessions in SQLite or PostgreSQL, pictures as files or in an
//! S3-compatible store.
//!
//! One set of queries and migrations for both databases: what is written here, both take.

mod fault;
mod files;
mod friends;
mod images;
mod lineage;
mod objects;
mod outbox;
mod people;
mod posts;
mod sessions;
mod unused;

use std::{io, path::Path, time::Duration};

use miniature_api::Lineage;
use sqlx::{
    AnyConnection, AnyPool, ConnectOptions, Connection, Executor,
    any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers},
    migrate::MigrateError,
};
use thiserror::Error;
use tokio::time::timeout;
use url::Url;

use self::fault::Fault;
use crate::{
    breaker::{Breaker, CallError},
    clock::Clock,
    limits::Limits,
};

pub(crate) use self::{fault::passes, objects::is_whole_webp};
pub use self::{
    files::{FileName, Files},
    friends::{Cursor, CursorError},
    images::{Claim, ImageMetadata},
    objects::{Objects, ObjectsAway, ObjectsError},
    outbox::Message,
    people::{Described, NewPerson, NewPicture, PictureChange, Versioned},
    posts::{StoredPost, Written},
    unused::Disuse,
};

/// The database: the truth about people, friendships and sessions.
///
/// Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Database {
    pool: AnyPool,
    breaker: Breaker,
    ends: Ends,
    lineage: Lineage,
}

/// How long something may take in the database.
#[derive(Clone, Copy, Debug)]
struct Ends {
    query: Duration,
    lengthy: Duration,
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

/// The file of an SQLite database.
const FILE: &str = "miniature.sqlite";

/// Readers of SQLite's write-ahead log do not wait for each other; more than this only queue for
/// the cores.
const SQLITE_CONNECTIONS: u32 = 4;

/// Of the 100 that PostgreSQL takes by default, so that several instances share them.
const POSTGRES_CONNECTIONS: u32 = 16;

/// What a connection to PostgreSQL calls itself.
const POSTGRES: &str = "PostgreSQL";

/// How long a request waits for a connection before it is told that the database is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// The log is flushed at each commit: what was said to be changed is, whatever happens to the machine.
/// Else the change after a power failure would get the revision of one that was lost, and whoever
/// holds that would never fetch the new. Writers wait for each other.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON;";

impl Database {
    /// Whether there is an SQLite database in a folder.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Opens the SQLite database in a folder, made if it is not there, and brings it up to date.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or was written by a newer version.
    pub async fn open(folder: &Path) -> Result<Self, DatabaseError> {
        let file = folder.canonicalize().map_err(sqlx::Error::Io)?.join(FILE);
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
        Self::with(pool, ending(url.clone(), &Limits::default()).as_str()).await
    }

    async fn sqlite(pool: AnyPoolOptions, url: &str) -> Result<Self, DatabaseError> {
        let patience = Limits::default().lock_takes_at_most.as_millis();
        let pool = pool.after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(SQLITE_SETTINGS).await?;
                let patience = format!("PRAGMA busy_timeout = {patience}");
                connection.execute(&*patience).await.map(drop)
            })
        });
        Self::with(pool, url).await
    }

    async fn with(pool: AnyPoolOptions, url: &str) -> Result<Self, DatabaseError> {
        install_default_drivers();
        let options = url.parse::<AnyConnectOptions>()?.disable_statement_logging();
        let pool = pool.acquire_timeout(PATIENCE).connect_with(options).await?;
        migrate(&pool).await?;
        let lineage = lineage::read_or_create(&pool, &Clock::system()).await?;
        let limits = Limits::default();
        let (query, lengthy) = (limits.query_takes_at_most, limits.lengthy_query_takes_at_most);
        let (breaker, ends) = (Breaker::new("database", query), Ends { query, lengthy });
        Ok(Self { pool, breaker, ends, lineage })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn ping(&self) -> sqlx::Result<()> {
        self.ask(async |c| sqlx::query("SELECT 1").execute(c).await.map(drop)).await
    }

    /// Asks, on a connection of its own. An answer comes in time, or soon that there is none: while
    /// the database is away, only one request in some seconds waits to find out whether it is back.
    async fn ask<T>(
        &self,
        query: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        self.ask_within(self.ends.query, query).await
    }

    /// As [`Self::ask`], for what nobody waits for and may touch many rows.
    async fn ask_at_length<T>(
        &self,
        query: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        let ends = self.ends.lengthy;
        let patiently = async |c: &mut AnyConnection| {
            if c.backend_name() == POSTGRES {
                let longer = format!("SET LOCAL statement_timeout = {}", ends.as_millis());
                c.execute(&*longer).await?;
            }
            query(c).await
        };
        self.ask_within(ends, async |c| whole(c, patiently).await).await
    }

    /// Does something whole or not at all.
    async fn transact<T>(
        &self,
        work: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        self.ask(async |c| whole(c, work).await).await
    }

    async fn ask_within<T>(
        &self,
        within: Duration,
        query: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        let answer = async {
            let mut connection = self.pool.acquire().await?;
            match timeout(within, query(&mut connection)).await {
                Ok(Err(error)) if Fault::of(&error) == Fault::Away => Err(error),
                Ok(answer) => Ok(answer),
                Err(_) => {
                    // What comes over it now, if anything, answers a question that nobody asks any more.
                    if connection.backend_name() == POSTGRES {
                        connection.close_on_drop();
                    }
                    // Not as if no connection was to be had: it may have been done.
                    Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()))
                }
            }
        };
        // The pool ends the waiting for a connection.
        self.breaker.call_within(PATIENCE + within, answer).await.map_err(without_call)?
    }

    /// Finishes what is under way and closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// All of it or nothing.
async fn whole<T>(
    connection: &mut AnyConnection,
    work: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    let mut transaction = connection.begin().await?;
    let answer = work(&mut transaction).await?;
    transaction.commit().await?;
    Ok(answer)
}

/// On a connection of which nothing is in a hurry: a table of many rows takes its time, and so does
/// another instance that is at it already.
async fn migrate(pool: &AnyPool) -> Result<(), DatabaseError> {
    let mut connection = pool.acquire().await?;
    let endless = connection.backend_name() == POSTGRES;
    if endless {
        connection.execute("SET statement_timeout = 0; SET lock_timeout = 0").await?;
    }
    sqlx::migrate!().run(&mut *connection).await?;
    if endless {
        connection.close().await?;
    }
    Ok(())
}

/// Has PostgreSQL itself give up what we no longer wait for, unless the URL says how.
fn ending(mut url: Url, limits: &Limits) -> Url {
    for (option, ends) in [
        ("options[statement_timeout]", limits.query_takes_at_most),
        ("options[lock_timeout]", limits.lock_takes_at_most),
    ] {
        if !url.query_pairs().any(|(name, _)| name == option) {
            url.query_pairs_mut().append_pair(option, &ends.as_millis().to_string());
        }
    }
    url
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_commit_is_on_disk_before_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path()).await.unwrap();
        let query = sqlx::query_scalar::<_, i64>("PRAGMA synchronous");
        let synchronous = database.ask(async |c| query.fetch_one(c).await).await.unwrap();
        assert_eq!(synchronous, 2, "FULL");
    }
}
