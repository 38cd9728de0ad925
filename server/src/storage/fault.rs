//! What a database's refusal means for whoever asks.

use sqlx::Error;

/// Whose fault it is that there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The database is restarting, cut off, too slow, or has no connection to spare.
    Away,
    /// It answers, and cannot do this now: its disk is full, or someone else holds the lock.
    Hindered,
    /// What we asked, or what it holds, makes no sense.
    Ours,
}

/// SQLite's primary result codes for what passes: busy, locked, an error of the disk, a full disk.
///
/// # Source
///
/// sqlite.org/rescode.html: the lowest eight bits of an extended code are its primary one.
const HINDERED: [u32; 4] = [5, 6, 10, 13];

/// PostgreSQL's classes and codes for what passes: lost connections, too few resources, shutting down
/// and starting up; what it gave up as it took too long, or waited too long for a lock.
///
/// # Source
///
/// PostgreSQL, appendix A: 08, 53, 57P, `query_canceled` and `lock_not_available`.
const AWAY: [&str; 5] = ["08", "53", "57P", "57014", "55P03"];

impl Fault {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Io(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::Protocol(_)
            | Error::WorkerCrashed => Self::Away,
            Error::Database(refusal) => {
                refusal.code().map_or(Self::Ours, |code| Self::of_code(&code))
            }
            _ => Self::Ours,
        }
    }

    /// PostgreSQL's codes have five characters, SQLite's are numbers below 10 000.
    fn of_code(code: &str) -> Self {
        let primary = code.parse::<u32>().map(|code| code & 0xff);
        match code.len() {
            5 if AWAY.iter().any(|away| code.starts_with(away)) => Self::Away,
            1..5 if primary.is_ok_and(|code| HINDERED.contains(&code)) => Self::Hindered,
            _ => Self::Ours,
        }
    }
}

/// Whether the database may answer a moment later. What only hinders it is logged here: no breaker
/// tells of it.
pub(crate) fn passes(error: &Error) -> bool {
    let fault = Fault::of(error);
    if fault == Fault::Hindered {
        tracing::warn!(%error, "the database cannot do this now");
    }
    fault != Fault::Ours
}

#[cfg(test)]
mod tests {
    use sqlx::{AnyConnection, Connection, Executor};

    use super::*;
    use crate::{
        ApiError,
        storage::{Database, NewPerson},
    };

    fn person(name: &str) -> NewPerson {
        NewPerson {
            user_id: "ada".parse().unwrap(),
            name: name.to_owned(),
            headline: String::new(),
            password_hash: None,
        }
    }

    #[track_caller]
    fn assert_hindered(outcome: sqlx::Result<()>) {
        let error = outcome.unwrap_err();
        assert_eq!(Fault::of(&error), Fault::Hindered, "{error}");
        assert!(matches!(ApiError::from(error), ApiError::Unready("database")));
    }

    #[tokio::test]
    async fn a_full_disk_is_said_to_pass_and_what_is_kept_is_read_meanwhile() {
        let database = Database::in_memory().await.unwrap();
        database.pool.execute("PRAGMA max_page_count = 1").await.unwrap(); // as many as there are
        let endless = "x".repeat(100_000);
        for _ in 0..4 {
            assert_hindered(database.add_people(&[person(&endless)], &[]).await);
        }
        assert!(!database.has_people().await.unwrap());
    }

    #[tokio::test]
    async fn a_lock_that_someone_else_holds_is_said_to_pass_and_what_is_kept_is_read_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path()).await.unwrap();
        let file = folder.path().join("miniature.sqlite");
        let url = format!("sqlite://{}", file.display());
        let mut other = AnyConnection::connect(&url).await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();

        assert_hindered(database.add_people(&[person("Ada")], &[]).await);

        assert!(!database.has_people().await.unwrap());
        other.execute("COMMIT").await.unwrap();
        database.add_people(&[person("Ada")], &[]).await.unwrap();
    }

    #[test]
    fn codes_of_both_databases_are_told_apart() {
        let cases = [
            ("08006", Fault::Away),
            ("53300", Fault::Away),
            ("57P03", Fault::Away),
            ("57014", Fault::Away),
            ("55P03", Fault::Away),
            ("23505", Fault::Ours),
            ("5", Fault::Hindered),
            ("13", Fault::Hindered),
            ("517", Fault::Hindered), // busy, as what was read is old
            ("2067", Fault::Ours),    // a constraint
        ];
        for (code, expected) in cases {
            assert_eq!(Fault::of_code(code), expected, "{code}");
        }
    }
}
