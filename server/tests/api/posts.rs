use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode};
use miniature_api::{Feed, POST_LIMIT, Post, Problem, Profile, Revision};
use serde_json::json;

use crate::fixture::{Answer, Browser, Fixture, picture_of, png, user};

async fn write(browser: &Browser<'_>, text: &str) -> Post {
    let answer = browser.send_json(Method::POST, "/api/posts", &json!({ "text": text })).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    answer.json()
}

async fn feed(browser: &Browser<'_>) -> Vec<Post> {
    browser.get("/api/posts").await.json::<Feed>().posts
}

/// The feed once its first post is by this name and of this revision: it comes in the background.
async fn feed_by(browser: &Browser<'_>, name: &str, revision: u32) -> Vec<Post> {
    loop {
        let posts = feed(browser).await;
        let author = &posts[0].author;
        if (author.name.as_str(), author.picture.revision) == (name, Revision(revision)) {
            return posts;
        }
        tokio::task::yield_now().await;
    }
}

fn texts(posts: &[Post]) -> Vec<&str> {
    posts.iter().map(|post| post.text.as_str()).collect()
}

#[tokio::test]
async fn a_post_is_in_its_authors_and_their_friends_feeds_and_nowhere_else() {
    let t = Fixture::new().await;
    let (ada, bea, zoe) = (t.browser("ada").await, t.browser("bea").await, t.browser("zoe").await);
    let post = write(&ada, "  Hello\nthere ").await;
    write(&bea, "Hi").await;
    write(&zoe, "Anyone?").await;

    assert_eq!(post.text, "Hello\nthere");
    assert_eq!(post.created_at, t.hand.load(Ordering::SeqCst));
    assert_eq!((post.author.user_id.as_str(), &*post.author.name), ("ada", "Ada Lovelace"));
    assert_eq!(post.author.picture.image_id, Some(picture_of("ada")));
    let adas = feed(&ada).await;
    assert_eq!(texts(&adas), ["Hi", "Hello\nthere"]);
    assert_eq!(adas[1], post);
    assert_eq!(texts(&feed(&bea).await), ["Hi", "Hello\nthere"]);
    assert_eq!(texts(&feed(&zoe).await), ["Anyone?"]);
    assert_eq!(ada.get("/api/posts").await.header("cache-control"), "private, no-store");
}

/// An id as a client makes it, some seconds from now by the server's clock.
fn id_made(t: &Fixture, seconds: i64) -> String {
    let now = t.hand.load(Ordering::SeqCst).checked_add_signed(seconds).unwrap();
    uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, now, 0)).to_string()
}

#[tokio::test]
async fn a_post_that_is_sent_twice_under_one_id_is_there_once() {
    let t = Fixture::new().await;
    let (ada, bea) = (t.browser("ada").await, t.browser("bea").await);
    let id = id_made(&t, -30);
    let send = async |browser: &Browser<'_>, text: &str| {
        let post = json!({ "text": text, "id": id });
        browser.send_json(Method::POST, "/api/posts", &post).await
    };

    let first = send(&ada, "hello").await;
    let again = send(&ada, "hello again").await;
    let anothers = send(&bea, "hello").await;

    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
    let first = first.json::<Post>();
    assert_eq!((first.id.as_str(), first.text.as_str()), (&*id, "hello"));
    assert_eq!(again.json::<Post>(), first);
    assert_eq!(anothers.status, StatusCode::CONFLICT);
    assert_eq!(feed(&bea).await, [first]);
}

#[tokio::test]
async fn an_id_that_would_sort_its_post_wrongly_is_refused() {
    let t = Fixture::new().await;
    let ada = t.browser("ada").await;
    let cases = [
        ("of now", id_made(&t, 0), 201),
        ("a clock four minutes ahead", id_made(&t, 240), 201),
        ("a clock an hour ahead", id_made(&t, 3_600), 422),
        ("sent a night later", id_made(&t, -43_200), 201),
        ("two days old", id_made(&t, -2 * 86_400), 422),
        ("version 4", "0c2f9d1e-3f7b-4c55-9d0a-0123456789ab".to_owned(), 422),
        ("later than every other", "ffffffff-ffff-ffff-ffff-ffffffffffff".to_owned(), 422),
        ("no id", "x".to_owned(), 422),
    ];
    for (name, id, status) in cases {
        let post = json!({ "text": name, "id": id });
        let answer = ada.send_json(Method::POST, "/api/posts", &post).await;
        assert_eq!(answer.status, status, "{name}");
        if status == 422 {
            assert_eq!(answer.json::<Problem>().field.as_deref(), Some("id"), "{name}");
        }
    }
}

#[tokio::test]
async fn pages_of_the_feed_join_without_a_gap_or_a_repeat() {
    let t = Fixture::new().await;
    let ada = t.browser("ada").await;
    let mut written = Vec::new();
    for n in 0..7 {
        written.push(write(&ada, &n.to_string()).await.text);
    }
    written.reverse();
    for limit in 1..=8 {
        let mut seen = Vec::new();
        let mut path = format!("/api/posts?limit={limit}");
        loop {
            let page = ada.get(&path).await.json::<Feed>();
            assert!(page.posts.len() <= limit);
            seen.extend(page.posts.into_iter().map(|post| post.text));
            let Some(next) = page.next else { break };
            path = format!("/api/posts?limit={limit}&before={next}");
        }
        assert_eq!(seen, written, "{limit}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_post_or_a_profile_is_told_by_field() {
    let t = Fixture::new().await;
    let ada = t.browser("ada").await;
    let longest = "ä".repeat(POST_LIMIT);
    write(&ada, &longest).await;
    write(&ada, &"\u{1F600}".repeat(POST_LIMIT)).await;
    let (posts, me) = ((Method::POST, "/api/posts"), (Method::PATCH, "/api/users/me"));
    let cases = [
        ("nothing", &posts, json!({}), 422, Some("text")),
        ("no object", &posts, json!([]), 422, Some("body")),
        ("no object either", &me, json!([null, null]), 422, Some("body")),
        ("a number", &posts, json!({ "text": 1 }), 422, Some("text")),
        ("white space", &posts, json!({ "text": " \n\t " }), 422, Some("text")),
        ("nothing but a NUL", &posts, json!({ "text": "\0" }), 422, Some("text")),
        ("too long", &posts, json!({ "text": format!("{longest}a") }), 422, Some("text")),
        ("far too long", &posts, json!({ "text": "a".repeat(40_000) }), 413, None),
        ("no name", &me, json!({ "name": " " }), 422, Some("name")),
        ("no text", &me, json!({ "name": 1 }), 422, Some("name")),
        ("two lines", &me, json!({ "name": "a\nb" }), 422, Some("name")),
        ("a long name", &me, json!({ "name": "a".repeat(81) }), 422, Some("name")),
        ("a long headline", &me, json!({ "headline": "a".repeat(161) }), 422, Some("headline")),
    ];
    for (name, (method, path), body, status, field) in cases {
        let answer = ada.send_json(method.clone(), path, &body).await;
        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.json::<Problem>().field.as_deref(), field, "{name}");
    }
    for path in ["/api/posts?limit=0", "/api/posts?limit=51", "/api/posts?before=nonsense"] {
        assert_eq!(ada.get(path).await.status, 422, "{path}");
    }
}

#[tokio::test]
async fn whoever_writes_too_much_is_told_to_wait() {
    let t = Fixture::new().await;
    let ada = t.browser("ada").await;
    let mut refused: Option<Answer> = None;
    for n in 0..21 {
        let answer = ada.send_json(Method::POST, "/api/posts", &json!({ "text": "again" })).await;
        match answer.status {
            StatusCode::CREATED => {}
            _ => refused = Some(answer),
        }
        assert_eq!(refused.is_some(), n == 20, "{n}");
    }
    let refused = refused.unwrap();
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!refused.header("retry-after").is_empty());
    write(&t.browser("bea").await, "I have written nothing yet").await;
}

#[tokio::test]
async fn a_changed_profile_is_seen_everywhere_and_in_posts_that_were_there() {
    let t = Fixture::new().await;
    let (ada, bea) = (t.browser("ada").await, t.browser("bea").await);
    write(&bea, "first").await;
    write(&bea, "second").await;
    let before = ada.get("/api/users/bea").await.json::<Profile>();

    let change = json!({ "name": " Beatrice ", "headline": "" });
    let changed = bea.send_json(Method::PATCH, "/api/users/me", &change).await;

    assert_eq!(changed.status, StatusCode::OK);
    let expected = Profile { name: "Beatrice".into(), headline: String::new(), ..before };
    assert_eq!(changed.json::<Profile>(), expected);
    assert_eq!(ada.get("/api/users/bea").await.json::<Profile>(), expected);
    let posts = feed_by(&ada, "Beatrice", 1).await;
    assert!(posts.iter().all(|post| post.author.name == "Beatrice"));

    t.collection.pictures.set_picture(&user("bea"), png(77)).await.unwrap();
    feed_by(&ada, "Beatrice", 2).await;
    let nothing = bea.send_json(Method::PATCH, "/api/users/me", &json!({})).await;
    assert_eq!(nothing.json::<Profile>().name, "Beatrice");
}

#[tokio::test]
async fn a_snapshot_past_its_hour_is_refreshed_on_reading_and_written_back() {
    let t = Fixture::new().await;
    let (ada, bea) = (t.browser("ada").await, t.browser("bea").await);
    write(&bea, "hello").await;
    // Behind our back, as another service would: no event, nothing rewritten.
    t.collection.database.describe(&user("bea"), Some("Beatrice"), None).await.unwrap();
    t.collection.profiles.invalidate(&user("bea")).await;

    t.hand.fetch_add(3_599, Ordering::SeqCst);
    assert_eq!(feed(&ada).await[0].author.name, "Bea", "it is fresh still");
    t.hand.fetch_add(1, Ordering::SeqCst);
    assert_eq!(feed(&ada).await[0].author.name, "Beatrice");

    loop {
        let (stored, _) = t.collection.database.feed(&user("ada"), None, 1).await.unwrap();
        if stored[0].author_as_of == t.hand.load(Ordering::SeqCst) {
            assert_eq!(stored[0].post.author.name, "Beatrice");
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_older_snapshot_never_replaces_a_newer_one() {
    let t = Fixture::new().await;
    let (database, bea) = (&t.collection.database, user("bea"));
    write(&t.browser("bea").await, "hello").await;
    let profiles = &t.collection.profiles;
    let old = profiles.get(&bea).await.unwrap().unwrap();
    database.describe(&bea, Some("Beatrice"), None).await.unwrap();
    let new = profiles.refresh(&bea).await.unwrap().unwrap();

    assert_eq!(database.rewrite_author(&new, None).await.unwrap(), 1);
    assert_eq!(database.rewrite_author(&old, Some(u64::MAX >> 1)).await.unwrap(), 0);

    let (stored, _) = database.feed(&bea, None, 1).await.unwrap();
    assert_eq!(stored[0].post.author.name, "Beatrice");
    let now = t.hand.load(Ordering::SeqCst);
    assert_eq!(stored[0].author_as_of, now);
    for (as_of, rewritten) in [(None, 0), (Some(now), 0), (Some(now - 1), 0), (Some(now + 1), 1)] {
        let count = database.rewrite_author(&new, as_of).await.unwrap();
        assert_eq!(count, rewritten, "{as_of:?}: what is so already is not written again");
    }
}
