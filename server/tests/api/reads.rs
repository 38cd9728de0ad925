use std::num::NonZeroU32;

use axum::http::StatusCode;
use miniature_api::Problem;
use miniature_server::{config::Config, limits::Limits};
use serde_json::Value;

use crate::fixture::{Answer, Browser, Fixture, config};

const PROFILE: &str = "/api/users/bea";
const PICTURE: &str = "/api/images/user/bea?size=64";

/// Records of 50 users.
fn batch() -> String {
    let users = (0..50).map(|n| format!("user{n}")).collect::<Vec<_>>().join(",");
    format!("/api/images/batch?size=64&bytes=0&users={users}")
}

/// A server that takes so many names at once, and then one a second.
async fn taking(at_once: u32) -> Fixture {
    let config = Config { names_per_user: NonZeroU32::MIN, ..config() };
    let names_at_once = NonZeroU32::new(at_once).unwrap();
    Fixture::limited(&config, &Limits { names_at_once, ..Limits::default() }).await
}

/// How many of the requests are taken until one is refused.
async fn taken_of(browser: &Browser<'_>, path: &str) -> (u32, Answer) {
    for taken in 0..50 {
        let answer = browser.get(path).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return (taken, answer);
        }
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    panic!("{path} is never refused");
}

#[tokio::test]
async fn forty_full_batches_at_once_are_answered() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    for n in 0..40 {
        assert_eq!(browser.get(&batch()).await.status, StatusCode::OK, "{n}");
    }
}

#[tokio::test]
async fn a_user_who_names_too_many_users_is_told_to_wait() {
    for (path, at_once, least) in
        [(batch(), 120, 2), (PROFILE.into(), 3, 3), (PICTURE.into(), 3, 3)]
    {
        let t = taking(at_once).await;
        let ada = t.browser("ada").await;

        let (taken, refused) = taken_of(&ada, &path).await;

        assert!(taken >= least, "{path}: {taken}");
        let wait = refused.header("retry-after").parse::<u64>().unwrap();
        assert!((1..=50).contains(&wait), "{path}: {wait}");
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert_eq!(refused.json::<Problem>().status, 429);
        assert_eq!(t.browser("bea").await.get(&path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn all_reads_and_sessions_of_a_user_count_together_and_friends_do_not_count() {
    let t = taking(52).await;
    let (here, there) = (t.browser("ada").await, t.browser("ada").await);
    for path in ["/api/friends", "/api/friends?pictures=64", &batch(), PROFILE, PICTURE] {
        assert_eq!(here.get(path).await.status, StatusCode::OK, "{path}");
    }
    for browser in [&here, &there] {
        let refused = browser.get(&batch()).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(browser.get("/api/friends").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_description_says_where_one_may_be_told_to_wait() {
    let t = Fixture::new().await;
    let description = t.browser("ada").await.get("/api/openapi.json").await.json::<Value>();
    for path in ["/api/images/batch", "/api/users/{user_id}", "/api/images/user/{user_id}"] {
        let refused = &description["paths"][path]["get"]["responses"]["429"];
        assert!(refused["content"]["application/problem+json"].is_object(), "{path}: {refused}");
    }
}
