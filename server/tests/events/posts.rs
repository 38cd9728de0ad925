//! Posts that are written while their author changes.

use std::sync::atomic::Ordering;

use miniature_api::Post;
use miniature_server::{clock::Clock, limits::Limits, posts::Posts, storage::Database};
use miniature_services::Postgres;
use sqlx::{Connection, Executor, PgConnection};

use crate::fixture::{Instance, populated, until_the_post_shows, user, within};

/// Has PostgreSQL hold back new posts, and nothing else, for as long as another connection has a
/// lock.
const HELD_BACK: &str = "CREATE FUNCTION hold_back() RETURNS trigger AS \
     $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$ LANGUAGE plpgsql; \
     CREATE TRIGGER held_back BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION hold_back();";

/// Waits until a post is held back.
async fn until_one_waits(elsewhere: &mut PgConnection) {
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    let waits = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *elsewhere).await.unwrap() == 0 {
        }
    };
    within("a post waits", waits).await;
}

#[tokio::test]
async fn a_post_that_is_written_while_its_author_changes_is_by_the_author_as_they_are_now() {
    let postgres = Postgres::start().unwrap();
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    let t = Instance::on(&populated(database.clone()).await, &[]).await;
    let (ada, bea) = (t.browser("ada").await, t.browser("bea").await);
    let mut stream = ada.listen().await;
    bea.write("before").await;
    stream.until_post("before").await;
    let mut elsewhere = PgConnection::connect(&postgres.url()).await.unwrap();
    elsewhere.execute(HELD_BACK).await.unwrap();
    elsewhere.execute("SELECT pg_advisory_lock(7)").await.unwrap();

    let rename_meanwhile = async {
        until_one_waits(&mut elsewhere).await;
        bea.rename("Beatrice").await;
        until_the_post_shows(&database, "Beatrice", 0).await;
        elsewhere.execute("SELECT pg_advisory_unlock(7)").await.unwrap();
    };
    tokio::join!(bea.write("meanwhile"), rename_meanwhile);

    assert_eq!(stream.next().await.name, "profile");
    let told = serde_json::from_str::<Post>(&stream.next().await.data).unwrap();
    assert_eq!((told.text.as_str(), told.author.name.as_str()), ("meanwhile", "Beatrice"));
    let (posts, _) = database.feed(&user("ada"), None, 1).await.unwrap();
    assert_eq!(posts[0].post, told);
}

/// Has PostgreSQL count the statements that rewrite posts, and hold them back likewise.
const COUNTED: &str = "CREATE TABLE counted (n INT); \
     CREATE FUNCTION count_up() RETURNS trigger AS $$ BEGIN PERFORM pg_advisory_xact_lock(7); \
     INSERT INTO counted VALUES (1); RETURN NULL; END $$ LANGUAGE plpgsql; \
     CREATE TRIGGER counted BEFORE UPDATE ON posts EXECUTE FUNCTION count_up();";

#[tokio::test]
async fn snapshots_that_many_find_old_at_once_are_written_back_once() {
    let postgres = Postgres::start().unwrap();
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    let t = Instance::on(&populated(database.clone()).await, &[]).await;
    t.browser("bea").await.write("long ago").await;
    let mut elsewhere = PgConnection::connect(&postgres.url()).await.unwrap();
    elsewhere.execute(COUNTED).await.unwrap();
    elsewhere.execute("SELECT pg_advisory_lock(7)").await.unwrap();
    let (clock, later) = Clock::by_hand(9_999_999_999);
    let (profiles, relay) = (t.collection.profiles.clone(), t.collection.relay.clone());
    let posts = Posts::new(database.clone(), profiles, relay, clock, &Limits::default());

    for _ in 0..5 {
        posts.feed(&user("ada"), None, 10).await.unwrap();
    }
    until_one_waits(&mut elsewhere).await;
    elsewhere.execute("SELECT pg_advisory_unlock(7)").await.unwrap();

    let later = later.load(Ordering::SeqCst);
    let written_back = async {
        while database.feed(&user("ada"), None, 1).await.unwrap().0[0].author_as_of != later {}
    };
    within("it is written back", written_back).await;
    posts.feed(&user("ada"), None, 10).await.unwrap();
    let count = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM counted");
    assert_eq!(count.fetch_one(&mut elsewhere).await.unwrap(), 1);
}
