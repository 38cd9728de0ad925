use axum::http::StatusCode;
use miniature_api::FriendsPage;

use crate::fixture::{Fixture, assert_pictures, picture_of, png, user};

fn ids(page: &FriendsPage) -> Vec<&str> {
    page.friends.iter().map(|friend| friend.user_id.as_str()).collect()
}

#[tokio::test]
async fn friends_come_by_name_then_by_id() {
    let t = Fixture::new().await;
    let answer = t.browser("ada").await.get("/api/friends").await;
    let page = answer.json::<FriendsPage>();
    assert_eq!(ids(&page), ["bea", "cem", "dan", "noah"]);
    assert_eq!(page.next, None);
    assert_eq!(page.friends[0].picture.image_id, Some(picture_of("bea")));
    assert_eq!(page.friends[0].headline, "I am Bea");
    assert_eq!(page.friends[3].picture.image_id, None);
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.header("vary"), "Cookie");
}

#[tokio::test]
async fn pages_join_without_a_gap_or_a_repeat() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    for limit in 1..=5 {
        let mut seen = Vec::new();
        let mut path = format!("/api/friends?limit={limit}");
        loop {
            let page = browser.get(&path).await.json::<FriendsPage>();
            assert!(page.friends.len() <= limit);
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(next) = page.next else { break };
            path = format!("/api/friends?limit={limit}&cursor={next}");
        }
        assert_eq!(seen, ["bea", "cem", "dan", "noah"], "{limit}");
    }
}

#[tokio::test]
async fn one_without_friends_has_an_empty_list() {
    let t = Fixture::new().await;
    let page = t.browser("zoe").await.get("/api/friends").await.json::<FriendsPage>();
    assert_eq!(page, FriendsPage { friends: Vec::new(), next: None });
}

#[tokio::test]
async fn pictures_come_with_the_list_when_asked_for() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let alone = browser.get("/api/friends?limit=3").await;

    let answer = browser.get("/api/friends?limit=3&pictures=64").await;

    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("server-timing").contains("renditions"));
    let parts = answer.parts().await;
    assert_eq!((parts[0].name.as_str(), &parts[0].file_name), ("friends", &None));
    assert_eq!(parts[0].content_type, "application/json");
    assert_eq!(parts[0].body, alone.body);
    assert_pictures(&parts[1..], &["bea", "cem", "dan"].map(picture_of));
}

#[tokio::test]
async fn a_picture_that_two_have_comes_once() {
    let t = Fixture::new().await;
    let same = t.collection.pictures.set_picture(&user("cem"), png(1)).await;
    same.unwrap();
    let parts = t.browser("ada").await.get("/api/friends?pictures=128").await.parts().await;
    assert_pictures(&parts[1..], &["bea", "dan"].map(picture_of));
}

#[tokio::test]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    for path in ["/api/friends", "/api/friends?pictures=64", "/api/friends?limit=2&pictures=128"] {
        browser.get(path).await; // into memory
        let tag = browser.get(path).await.header("etag").to_owned();
        for held in [&tag, "*", &format!("\"other\", {tag}")] {
            let answer = browser.get_with(path, "if-none-match", held).await;
            assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{path} {held}");
            assert_eq!(answer.header("etag"), tag, "{path}");
            assert_eq!(answer.header("cache-control"), "private, no-cache", "{path}");
            assert!(answer.body.is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_friends_new_picture_changes_the_list() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    browser.get("/api/friends?pictures=64").await; // into memory
    let before = browser.get("/api/friends?pictures=64").await.header("etag").to_owned();

    t.collection.pictures.set_picture(&user("bea"), png(99)).await.unwrap();

    let answer = browser.get_with("/api/friends?pictures=64", "if-none-match", &before).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_ne!(answer.header("etag"), before);
}

#[tokio::test]
async fn the_same_list_in_another_size_is_another_answer() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    browser.get("/api/friends?pictures=64").await; // into memory
    let small = browser.get("/api/friends?pictures=64").await.header("etag").to_owned();
    let large = browser.get_with("/api/friends?pictures=128", "if-none-match", &small).await;
    assert_eq!(large.status, StatusCode::OK);
}
