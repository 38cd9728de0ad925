//! A database that takes too long, and what happens meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::time::Duration;

use clap::Parser;
use miniature_api::UserId;
use miniature_server::{
    ApiError,
    clock::Clock,
    config::{Cli, Command},
    limits::Limits,
    sign_in::SignIn,
    storage::{Database, NewPerson},
    workers::Workers,
};
use miniature_services::Postgres;
use sqlx::{Connection, Executor, PgConnection, Row};
use tokio::time::{Instant, sleep};

/// What a busy machine adds to a limit.
const SLACK: Duration = Duration::from_millis(1_500);

fn ada() -> UserId {
    "ada".parse().unwrap()
}

async fn with_ada(database: &Database) {
    let ada = NewPerson {
        user_id: ada(),
        name: "Ada".to_owned(),
        headline: String::new(),
        password_hash: None,
    };
    database.add_people(&[ada], &[]).await.unwrap();
}

#[track_caller]
fn assert_away(outcome: sqlx::Result<()>, name: &str) {
    let error = ApiError::from(outcome.unwrap_err());
    assert!(matches!(error, ApiError::Unready("database")), "{name}: {error:?}");
}

/// Waits until somebody waits for a lock. On a connection of its own: within a transaction PostgreSQL
/// tells the same each time.
async fn until_one_waits(postgres: &Postgres) {
    let mut watching = PgConnection::connect(&postgres.url()).await.unwrap();
    let since = Instant::now();
    loop {
        assert!(since.elapsed() < Duration::from_secs(20), "nobody waits");
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        let waiting: i64 = watching.fetch_one(waiting).await.unwrap().get(0);
        if waiting > 0 {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_someone_else_has_locked_is_not_waited_for_and_others_are_read() {
    let postgres = Postgres::start().unwrap();
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    with_ada(&database).await;
    let mut other = PgConnection::connect(&postgres.url()).await.unwrap();
    other.execute("BEGIN; LOCK TABLE users").await.unwrap();

    let since = Instant::now();
    assert_away(database.profiles(&[ada()]).await.map(drop), "locked");

    let within = Limits::default().lock_takes_at_most + SLACK;
    assert!(since.elapsed() < within, "{:?}", since.elapsed());
    assert_eq!(database.session("none").await.unwrap(), None, "another table");

    other.execute("COMMIT").await.unwrap();
    assert_eq!(database.profiles(&[ada()]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stops_in_the_middle_of_a_query_is_not_waited_for() {
    let postgres = Postgres::start().unwrap();
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    with_ada(&database).await;
    let mut other = PgConnection::connect(&postgres.url()).await.unwrap();
    other.execute("BEGIN; LOCK TABLE users").await.unwrap();
    let (asking, since) = (database.clone(), Instant::now());
    let asked = tokio::spawn(async move { asking.profiles(&[ada()]).await.map(drop) });
    until_one_waits(&postgres).await;

    postgres.hang().unwrap();

    assert_away(asked.await.unwrap(), "stopped");
    let within = Limits::default().query_takes_at_most + SLACK;
    assert!(since.elapsed() < within, "{:?}", since.elapsed());

    postgres.resume().unwrap();
    drop(other);
    while database.profiles(&[ada()]).await.is_err() {
        assert!(since.elapsed() < Duration::from_secs(30), "it does not recover");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_while_it_is_looked_up_is_not_remembered() {
    let postgres = Postgres::start().unwrap();
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    with_ada(&database).await;
    let Command::Serve(config) = Cli::parse_from(["", "serve"]).command else { unreachable!() };
    for everywhere in [false, true] {
        let workers = Workers::one_a_core();
        let sign_in = SignIn::new(database.clone(), workers, Clock::system(), &config);
        let (token, _) = sign_in.begin(&ada()).await.unwrap();
        // It is found, and then it takes long to note that she is active.
        let mut other = PgConnection::connect(&postgres.url()).await.unwrap();
        other.execute("BEGIN; LOCK TABLE users IN SHARE MODE").await.unwrap();
        let (looking, looked_up) = (sign_in.clone(), token.clone());
        let looking = tokio::spawn(async move { looking.user_of(&looked_up).await });
        until_one_waits(&postgres).await;

        if everywhere {
            sign_in.end_all(&ada()).await.unwrap();
        } else {
            sign_in.end(&token, None).await.unwrap();
        }
        other.execute("COMMIT").await.unwrap();

        assert_eq!(looking.await.unwrap().unwrap(), None, "everywhere: {everywhere}");
        assert_eq!(sign_in.user_of(&token).await.unwrap(), None, "everywhere: {everywhere}");
    }
}
