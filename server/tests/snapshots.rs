//! What a post and a change cost. In a process of its own, for it counts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use metrics_exporter_prometheus::PrometheusHandle;
use miniature_api::{Post, UserId};
use miniature_server::{
    Collection,
    changes::Changes,
    clock::Clock,
    images::ImageStore,
    limits::Limits,
    metrics,
    posts::{Accepted, Posts},
    profiles::Profiles,
    storage::{Database, NewPerson},
};
use tempfile::TempDir;

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

struct Fixture {
    posts: Posts,
    changes: Changes,
    _folder: TempDir,
}

impl Fixture {
    /// `ada` and `bea` are friends.
    async fn on(database: Database) -> Self {
        let people = ["ada", "bea"].map(|id| NewPerson {
            user_id: user(id),
            name: id.to_owned(),
            headline: String::new(),
            password_hash: None,
        });
        database.add_people(&people, &[(user("ada"), user("bea"))]).await.unwrap();
        let (folder, limits) = (tempfile::tempdir().unwrap(), Limits::default());
        let profiles = Profiles::new(database.clone(), None, &limits);
        let images = ImageStore::in_folder(folder.path()).unwrap();
        let collection = Collection::of(database.clone(), profiles.clone(), images, &limits);
        let changes = collection.changes;
        let posts = Posts::new(database, profiles, collection.relay, Clock::system(), &limits);
        Self { posts, changes, _folder: folder }
    }

    /// `bea` writes a post.
    async fn write(&self, text: &str) -> Post {
        let accepted = self.posts.write(&user("bea"), text.to_owned(), None).await.unwrap();
        let Accepted::Now(post) = accepted else { panic!("{accepted:?}") };
        post
    }

    async fn texts(&self, of: &str) -> Vec<String> {
        let feed = self.posts.feed(&user(of), None, 50).await.unwrap();
        feed.posts.into_iter().map(|post| post.text).collect()
    }
}

fn questions(handle: &PrometheusHandle) -> u64 {
    let text = handle.render();
    let line = text.lines().find_map(|line| line.strip_prefix(metrics::SOURCE_CALLS));
    line.map_or(0, |number| number.trim().parse().unwrap())
}

#[tokio::test]
async fn neither_posts_nor_the_feed_nor_changes_ask_who_someone_is_if_a_cache_knows() {
    let handle = metrics::install().unwrap();
    let t = Fixture::on(Database::in_memory().await.unwrap()).await;
    assert_eq!(questions(&handle), 0);
    t.write("cold").await;
    assert_eq!(questions(&handle), 1, "nobody knew");

    let post = t.write("warm").await;
    assert_eq!(post.author.name, "bea");
    assert_eq!(t.texts("ada").await, ["warm", "cold"]);

    assert_eq!(questions(&handle), 1);

    t.changes.describe(&user("bea"), Some("Beatrice".to_owned()), None).await.unwrap();
    t.changes.picture(&user("bea"), None, 0).await.unwrap();
    let post = t.write("renamed").await;
    assert_eq!(post.author.name, "Beatrice");
    assert_eq!(questions(&handle), 1, "the change itself says what is so now");
}
