use axum::http::StatusCode;
use miniature_api::FriendsPage;
use miniature_server::{images::ImageStore, limits::Limits};
use sqlx::{Connection, Executor, SqliteConnection};
use tempfile::TempDir;

use crate::fixture::{Fixture, assert_pictures, config, picture_of, png, user};

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
async fn a_page_has_one_tag_with_pictures_or_without() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let forms = ["/api/friends", "/api/friends?pictures=64", "/api/friends?pictures=128"];
    let mut tags = Vec::new();
    for form in forms {
        browser.get(form).await; // into memory
        tags.push(browser.get(form).await.header("etag").to_owned());
    }
    assert!(tags[0].starts_with("W/\"") && tags.iter().all(|tag| *tag == tags[0]), "{tags:?}");
    for form in forms {
        let held = browser.get_with(form, "if-none-match", &tags[0]).await;
        assert_eq!(held.status, StatusCode::NOT_MODIFIED, "{form}");
        let other = format!("{form}{}limit=2", if form.contains('?') { '&' } else { '?' });
        let other = browser.get_with(&other, "if-none-match", &tags[0]).await;
        assert_eq!(other.status, StatusCode::OK, "{form}: another page");
    }
}

#[tokio::test]
async fn a_list_whose_pictures_are_not_at_hand_is_held_by_the_tag_of_its_page() {
    let t = Fixture::new().await;
    let alone = t.browser("ada").await.get("/api/friends").await;
    let cold = Fixture::over(
        t.collection.database.clone(),
        ImageStore::in_folder(t.folder.path()).unwrap(),
        tempfile::tempdir().unwrap(),
        &config(),
        &Limits::default(),
    );
    let browser = cold.browser("ada").await;
    let unsure = browser.get("/api/friends?pictures=64").await;
    assert_eq!((unsure.header("etag"), unsure.header("cache-control")), ("", "private, no-store"));
    let tag = alone.header("etag");
    let held = browser.get_with("/api/friends?pictures=128", "if-none-match", tag).await;
    assert_eq!((held.status, held.header("etag")), (StatusCode::NOT_MODIFIED, tag));
}

/// Changes the database behind the server's back.
async fn change(folder: &TempDir, statements: &str) {
    let url = format!("sqlite://{}", folder.path().join("miniature.sqlite").display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    database.execute(statements).await.unwrap();
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_page_begins_after_the_last_friend_shown_whoever_came_went_or_was_renamed() {
    // The first page of two has Bea, and the Cem whose id is `cem`; after him comes the one called
    // `dan`, then Noah.
    let cases: [(&str, &str, &[&str]); 8] = [
        ("nothing", "", &["dan", "noah"]),
        (
            "one comes before",
            "UPDATE users SET name = 'Abe' WHERE id = 'zoe';
             INSERT INTO friendships VALUES ('ada', 'zoe')",
            &["dan", "noah"],
        ),
        (
            "one comes after",
            "UPDATE users SET name = 'Max' WHERE id = 'zoe';
             INSERT INTO friendships VALUES ('ada', 'zoe')",
            &["dan", "zoe", "noah"],
        ),
        ("one before goes", "DELETE FROM friendships WHERE friend_id = 'bea'", &["dan", "noah"]),
        (
            "the last one shown goes",
            "DELETE FROM friendships WHERE friend_id = 'cem'",
            &["dan", "noah"],
        ),
        ("one after goes", "DELETE FROM friendships WHERE friend_id = 'dan'", &["noah"]),
        ("one after moves before", "UPDATE users SET name = 'Abe' WHERE id = 'noah'", &["dan"]),
        (
            "one shown moves after, and is shown there too",
            "UPDATE users SET name = 'Max' WHERE id = 'bea'",
            &["dan", "bea", "noah"],
        ),
    ];
    for (name, statements, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let t = Fixture::on_disk(&folder, &Limits::default()).await;
        let browser = t.browser("ada").await;
        let page = browser.get("/api/friends?limit=2").await.json::<FriendsPage>();
        assert_eq!(ids(&page), ["bea", "cem"], "{name}");
        change(&folder, statements).await;

        let (mut seen, mut next) = (Vec::new(), page.next);
        while let Some(cursor) = next {
            let path = format!("/api/friends?limit=1&cursor={cursor}");
            let page = browser.get(&path).await.json::<FriendsPage>();
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            assert!(seen.len() <= expected.len(), "{name}: {seen:?}");
            next = page.next;
        }
        assert_eq!(seen, expected, "{name}");
    }
}
