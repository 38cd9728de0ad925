use axum::http::StatusCode;
use miniature_api::{BatchEntry, Revision};

use crate::fixture::{Fixture, assert_pictures, picture_of, png, user};

#[tokio::test]
async fn records_come_in_the_order_asked_and_pictures_with_them() {
    let t = Fixture::new().await;
    let path = "/api/images/batch?size=64&users=zoe,nobody,noah,bea";

    let answer = t.browser("ada").await.get(path).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "private, no-store");
    assert_eq!(answer.header("x-cache"), "MISS");
    let parts = answer.parts().await;
    assert_eq!((parts[0].name.as_str(), &parts[0].file_name), ("records", &None));
    assert_eq!(parts[0].content_type, "application/json");
    let entries = serde_json::from_slice::<Vec<BatchEntry>>(&parts[0].body).unwrap();
    let [
        BatchEntry::Found { record: zoe, .. },
        BatchEntry::Missing { user_id, .. },
        BatchEntry::Found { record: noah, .. },
        _,
    ] = &entries[..]
    else {
        panic!("{entries:?}")
    };
    assert_eq!((zoe.user_id.as_str(), zoe.revision), ("zoe", Revision(1)));
    assert_eq!(user_id.as_str(), "nobody");
    assert_eq!((noah.revision, noah.image_id), (Revision(0), None));
    assert_pictures(&parts[1..], &["zoe", "bea"].map(picture_of));
}

#[tokio::test]
async fn what_is_held_already_is_not_sent() {
    let t = Fixture::new().await;
    t.collection.pictures.set_picture(&user("cem"), png(77)).await.unwrap(); // revision 2
    let path = "/api/images/batch?size=64&users=bea:1,cem:1,dan:0";
    let parts = t.browser("ada").await.get(path).await.parts().await;
    let [_, cem, dan] = &parts[..] else { panic!("{parts:?}") };
    assert_ne!(cem.name, picture_of("cem").to_string());
    assert_eq!(dan.name, picture_of("dan").to_string());
}

#[tokio::test]
async fn records_alone_are_json() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let path = "/api/images/batch?size=64&users=bea,nobody";
    let by_query = browser.get(&format!("{path}&bytes=0")).await;
    let by_accept = browser.get_with(path, "accept", "application/json").await;
    for answer in [by_query, by_accept] {
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json::<Vec<BatchEntry>>().len(), 2);
        assert_eq!(answer.header("cache-control"), "private, no-store");
    }
    let any = browser.get_with(path, "accept", "*/*").await;
    assert!(any.header("content-type").starts_with("multipart/form-data"));
}

#[tokio::test]
async fn fifty_users_are_answered() {
    let t = Fixture::new().await;
    let users = (0..50).map(|n| format!("u{n}")).collect::<Vec<_>>().join(",");
    let path = format!("/api/images/batch?size=64&users={users}&bytes=0");
    let answer = t.browser("ada").await.get(&path).await;
    assert_eq!(answer.json::<Vec<BatchEntry>>().len(), 50);
}

#[tokio::test]
async fn what_was_just_asked_for_is_in_memory() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let path = "/api/images/batch?size=64&users=bea,cem";
    browser.get(path).await;
    let again = browser.get(path).await;
    assert_eq!(again.header("x-cache"), "HIT");
    assert!(again.header("server-timing").starts_with(r#"profiles;desc="memory";dur="#));
}

#[tokio::test]
async fn a_master_that_is_lost_costs_one_picture_not_the_answer() {
    let t = Fixture::new().await;
    std::fs::remove_dir_all(t.folder.path()).unwrap();
    let path = "/api/images/batch?size=64&users=bea,cem";
    let parts = t.browser("ada").await.get(path).await.parts().await;
    assert_eq!(parts.len(), 1, "the records alone");
}
