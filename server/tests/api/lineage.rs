//! Which history of the database an answer belongs to, and what that makes of what a browser holds.

use std::num::NonZeroU32;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use miniature_api::Lineage;
use miniature_server::{config::Config, limits::Limits};
use serde_json::json;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::fixture::{Answer, Browser, Fixture, assert_pictures, config, picture_of};

const LINEAGE: &str = "miniature-lineage";
const ACCOUNT: &str = "miniature-account";

impl Fixture {
    fn lineage(&self) -> Lineage {
        self.collection.database.lineage()
    }
}

impl Browser<'_> {
    async fn post(&self, content_type: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::post("/api/posts").header(header::CONTENT_TYPE, content_type);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header(header::COOKIE, &self.cookie);
        self.fixture.send(request.body(body).unwrap()).await
    }
}

#[track_caller]
fn assert_named(t: &Fixture, answers: impl IntoIterator<Item = (u16, Answer)>) {
    for (status, answer) in answers {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header(LINEAGE), t.lineage().to_string(), "{status}");
        assert_eq!(answer.header(ACCOUNT), "ada", "{status}");
    }
}

/// Without the database it is not known whose session it is.
#[track_caller]
fn assert_names_lineage_alone(t: &Fixture, answer: &Answer) {
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header(LINEAGE), t.lineage().to_string());
    assert!(!answer.headers.contains_key(ACCOUNT));
}

#[tokio::test]
async fn every_answer_of_the_api_to_a_session_names_lineage_and_account() {
    let folder = tempfile::tempdir().unwrap();
    let t = Fixture::on_disk(&folder, &Limits::default()).await;
    let ada = t.browser("ada").await;
    let url = format!("sqlite://{}", folder.path().join("miniature.sqlite").display());
    let mut damage = SqliteConnection::connect(&url).await.unwrap();
    let damaged =
        "INSERT INTO users (id, name, headline, image_id) VALUES ('eve', '', '', 'damaged')";
    damage.execute(damaged).await.unwrap();
    damage.close().await.unwrap();
    let json = "application/json";
    let post = json!({ "text": "hello" });
    let cross_site = [("sec-fetch-site", "cross-site")];

    assert_named(
        &t,
        [
            (200, ada.get("/api/session").await),
            (200, ada.get("/api/friends").await),
            (200, ada.get("/api/friends?pictures=64").await),
            (200, ada.send(Method::HEAD, "/api/friends", &[]).await),
            (200, ada.get("/api/users/ada").await),
            (200, ada.get("/api/images/user/ada?size=64").await),
            (200, ada.get("/api/images/batch?size=64&users=ada").await),
            (200, ada.get("/api/openapi.json").await),
            (201, ada.send_json(Method::POST, "/api/posts", &post).await),
            (403, ada.post(json, &cross_site, Body::empty()).await),
            (404, ada.get("/api/users/nobody").await),
            (404, ada.get("/api/nothing").await),
            (404, ada.get("/api").await),
            (405, ada.send(Method::POST, "/api/friends", &[]).await),
            (413, ada.post(json, &[], vec![b' '; 1 << 20].into()).await),
            (415, ada.post("text/plain", &[], Body::empty()).await),
            (422, ada.get("/api/friends?limit=0").await),
            (500, ada.get("/api/users/eve").await),
        ],
    );

    t.collection.database.close().await;
    assert_named(&t, [(503, ada.get("/api/friends").await)]);
    let unsure = Browser { fixture: &t, cookie: "miniature_session=never-looked-up".to_owned() };
    assert_names_lineage_alone(&t, &unsure.get("/api/friends").await);
}

#[tokio::test]
async fn so_do_answers_to_those_who_ask_too_often_or_too_slowly() {
    let config = Config { posts_per_user: NonZeroU32::MIN, ..config() };
    let t = Fixture::with(config).await;
    let ada = t.browser("ada").await;
    let post = json!({ "text": "hello" });
    ada.send_json(Method::POST, "/api/posts", &post).await;
    assert_named(&t, [(429, ada.send_json(Method::POST, "/api/posts", &post).await)]);

    tokio::time::pause();
    let never = Body::from_stream(futures_util::stream::pending::<Result<&[u8], std::io::Error>>());
    assert_named(&t, [(408, ada.post("application/json", &[], never).await)]);
}

#[tokio::test]
async fn a_stream_of_events_names_the_lineage() {
    let t = Fixture::new().await;
    let request = Request::get("/api/events").header(header::COOKIE, t.browser("ada").await.cookie);
    let request = request.body(Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(t.router.clone(), request).await.unwrap();
    assert_eq!(response.headers()[LINEAGE], t.lineage().to_string());
    assert_eq!(response.headers()[ACCOUNT], "ada");
}

#[tokio::test]
async fn no_other_answer_names_it() {
    let t = Fixture::new().await;
    let ada = t.browser("ada").await;
    let stranger = Browser { fixture: &t, cookie: "miniature_session=AAAA".to_owned() };
    let image = format!("/images/{}?size=64", picture_of("ada"));
    let held = ada.get("/api/users/ada").await.header("etag").to_owned();
    let answers = [
        ("signing in", 200, t.sign_in("ada", "secret").await),
        ("a wrong password", 401, t.sign_in("ada", "wrong").await),
        ("no session", 401, stranger.get("/api/friends").await),
        ("no session, no route", 404, stranger.get("/api/nothing").await),
        ("no session, no such method", 405, stranger.send(Method::PUT, "/api/friends", &[]).await),
        ("held", 304, ada.get_with("/api/users/ada", "if-none-match", &held).await),
        ("a picture", 200, ada.get(&image).await),
        ("no picture", 404, ada.get("/images/nonsense?size=64").await),
        ("health", 200, ada.get("/healthz").await),
        ("another path", 404, ada.get("/apiary").await),
        ("signing out", 204, ada.send(Method::DELETE, "/api/session", &[]).await),
        ("signed out", 401, ada.get("/api/session").await),
    ];
    for (name, status, answer) in answers {
        assert_eq!(answer.status, status, "{name}");
        let named = [LINEAGE, ACCOUNT].map(|header| answer.headers.contains_key(header));
        assert_eq!(named, [false; 2], "{name}");
    }
}

/// Lineages that are not the server's, and texts that are none.
fn others(ours: Lineage) -> [(&'static str, String); 4] {
    let earlier = Lineage::new(ours.created_at_ms() - 1, 1).unwrap();
    let later = Lineage::new(ours.created_at_ms() + 1, 1).unwrap();
    [
        ("an earlier one", earlier.to_string()),
        ("a later one", later.to_string()),
        ("nonsense", "nonsense".to_owned()),
        ("empty", String::new()),
    ]
}

#[tokio::test]
async fn a_revision_of_another_lineage_is_not_held() {
    let t = Fixture::new().await;
    let ada = t.browser("ada").await;
    let path = "/api/images/batch?size=64&users=bea:9";
    let ours = t.lineage().to_string();
    let held = [ada.get(path).await, ada.get_with(path, LINEAGE, &ours).await];
    for answer in held {
        assert_eq!(answer.parts().await.len(), 1, "the records alone");
    }
    for (name, other) in others(t.lineage()) {
        let answer = ada.get_with(path, LINEAGE, &other).await;
        assert_eq!(answer.header(LINEAGE), ours, "{name}");
        assert_pictures(&answer.parts().await[1..], &[picture_of("bea")]);
    }
}

/// Whatever has an ETag under `/api/`.
const TAGGED: [&str; 4] =
    ["/api/friends", "/api/friends?pictures=64", "/api/users/bea", "/api/images/user/bea?size=64"];

#[tokio::test]
async fn who_holds_another_lineage_is_answered_in_full() {
    let t = Fixture::new().await;
    let ada = t.browser("ada").await;
    for path in TAGGED {
        ada.get(path).await; // into memory
        let tag = ada.get(path).await.header("etag").to_owned();
        assert!(!tag.is_empty(), "{path}");
        let ours = t.lineage().to_string();
        for held in [tag.as_str(), "*"] {
            let headers = [("if-none-match", held), (LINEAGE, &ours)];
            let answer = ada.send(Method::GET, path, &headers).await;
            assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{path} {held}");
            for (name, other) in others(t.lineage()) {
                let headers = [("if-none-match", held), (LINEAGE, &other)];
                let answer = ada.send(Method::GET, path, &headers).await;
                assert_eq!(answer.status, StatusCode::OK, "{path} {held}: {name}");
            }
        }
    }
}

#[tokio::test]
async fn no_tag_of_one_lineage_or_account_is_one_of_another() {
    let (t, restored) = (Fixture::new().await, Fixture::new().await);
    let (ada, later) = (t.browser("ada").await, restored.browser("ada").await);
    let zoe = t.browser("zoe").await;
    for path in TAGGED {
        ada.get(path).await; // into memory
        let answer = ada.get(path).await;
        let tag = answer.header("etag");
        assert!(tag.contains(&t.lineage().to_string()) && tag.contains(".ada."), "{path}: {tag}");
        for (name, browser) in [("another lineage", &later), ("another account", &zoe)] {
            let other = browser.get_with(path, "if-none-match", tag).await;
            assert_eq!(other.status, StatusCode::OK, "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn events_of_another_lineage_are_not_gone_on_with() {
    let t = Fixture::new().await;
    let cookie = t.browser("ada").await.cookie;
    let first = async |lineage: &str, seen: Option<&str>| {
        let mut request = Request::get("/api/events").header(header::COOKIE, &cookie);
        request = request.header(LINEAGE, lineage);
        if let Some(seen) = seen {
            request = request.header("last-event-id", seen);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(t.router.clone(), request).await.unwrap();
        let mut body = response.into_body().into_data_stream();
        let bytes = futures_util::StreamExt::next(&mut body).await.unwrap().unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let ours = t.lineage().to_string();
    let up_to = first(&ours, None).await;
    let newest = up_to.trim().strip_prefix("id: ").unwrap();
    assert_eq!(first(&ours, Some(newest)).await, up_to, "nothing was missed");
    for (name, other) in others(t.lineage()) {
        for seen in [None, Some(newest)] {
            let event = first(&other, seen).await;
            assert!(event.contains("event: reset"), "{name} {seen:?}: {event}");
        }
    }
}
