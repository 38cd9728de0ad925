//! Changes that were made while nobody was there to say so.

use axum::http::{Method, StatusCode};
use miniature_api::{Profile, Record, Revision};
use miniature_server::{images::image_id, storage::Database};
use miniature_services::{Postgres, Redis};
use serde_json::json;

use crate::{
    fixture::{Instance, Stream, database, png, populated, until_the_post_shows, user},
    line::{Done, Line},
};

/// A picture that was recorded by a server that was killed right after the commit.
async fn leave_untold(t: &Instance) {
    t.collection.database.set_picture(&user("bea"), None, 0).await.unwrap();
}

/// The instance knows what was before, and so does a post.
async fn know_bea_with_a_picture(t: &Instance) {
    t.collection.pictures.set_picture(&user("bea"), png().into()).await.unwrap();
    t.browser("bea").await.write("with a picture").await;
}

#[tokio::test]
async fn a_change_of_a_server_that_was_killed_before_it_told_of_it_is_told() {
    let t = Instance::alone().await;
    let mut stream = t.browser("ada").await.listen().await;
    know_bea_with_a_picture(&t).await;
    assert_eq!(stream.next().await.name, "picture");
    stream.until_post("with a picture").await;
    leave_untold(&t).await;
    let held = async || t.collection.profiles.get(&user("bea")).await.unwrap().unwrap();
    assert_eq!(held().await.picture.revision, Revision(1));

    let _upkeep = t.upkeep();

    let told = stream.next().await;
    let record = serde_json::from_str::<Record>(&told.data).unwrap();
    assert_eq!((record.revision, record.image_id), (Revision(2), None));
    assert_eq!(held().await.picture, record);
    until_the_post_shows(&t.collection.database, "bea", 2).await;
    t.browser("bea").await.write("once").await;
    assert_eq!(stream.next().await.post(), "once");
}

#[tokio::test]
async fn a_change_of_an_instance_that_was_killed_is_told_by_those_that_live() {
    let redis = Redis::start().unwrap();
    let (database, urls) = (database().await, [redis.url()]);
    let (one, other) = (Instance::on(&database, &urls).await, Instance::on(&database, &urls).await);
    let streams = (one.browser("ada").await.listen().await, other.browser("ada").await);
    let (mut near, mut far) = (streams.0, streams.1.listen().await);
    know_bea_with_a_picture(&one).await;
    for stream in [&mut near, &mut far] {
        assert_eq!(stream.next().await.name, "picture");
        stream.until_post("with a picture").await;
    }
    leave_untold(&one).await;

    let _upkeeps = (one.upkeep(), other.upkeep());

    for stream in [&mut near, &mut far] {
        let record = serde_json::from_str::<Record>(&stream.next().await.data).unwrap();
        assert_eq!(record.revision, Revision(2));
    }
    one.browser("bea").await.write("once").await;
    for stream in [&mut near, &mut far] {
        assert_eq!(stream.next().await.post(), "once");
    }
}

/// An instance on a database that can be cut off; `ada` has heard a post of `bea`, and knows her.
async fn cut_off_at_will(postgres: &Postgres) -> (Instance, Line) {
    let line = Line::to(&postgres.url()).await;
    let database = Database::connect(&line.url.parse().unwrap()).await.unwrap();
    (Instance::on(&populated(database).await, &[]).await, line)
}

async fn listen_and_know_bea(t: &Instance) -> Stream {
    let (ada, bea) = (t.browser("ada").await, t.browser("bea").await);
    let mut stream = ada.listen().await;
    bea.write("as bea").await;
    stream.until_post("as bea").await;
    assert_eq!(ada.name_of("bea").await, "bea");
    stream
}

#[tokio::test]
async fn a_change_is_told_though_the_database_is_lost_right_after_it() {
    let postgres = Postgres::start().unwrap();
    let (t, line) = cut_off_at_will(&postgres).await;
    let mut stream = listen_and_know_bea(&t).await;

    line.cut_after_the_next(Done::Select);
    let beatrice = Some("Beatrice".to_owned());
    let described = t.collection.changes.describe(&user("bea"), beatrice, None).await;

    assert_eq!(described.unwrap().unwrap().name, "Beatrice");
    let told = stream.until("profile").await;
    assert_eq!(serde_json::from_str::<Profile>(&told.data).unwrap().name, "Beatrice");
    assert!(!line.was_cut(), "nothing was read");
    let known = t.collection.profiles.get(&user("bea")).await.unwrap().unwrap();
    assert_eq!(known.name, "Beatrice");
}

#[tokio::test]
async fn a_change_whose_connection_is_lost_after_the_commit_is_told_all_the_same() {
    let postgres = Postgres::start().unwrap();
    let (t, line) = cut_off_at_will(&postgres).await;
    let _upkeep = t.upkeep();
    let mut stream = listen_and_know_bea(&t).await;
    let (database, ada, bea) =
        (&t.collection.database, t.browser("ada").await, t.browser("bea").await);

    line.cut_after_the_next(Done::Commit);
    let lost = bea.send(Method::PATCH, "/api/users/me", &json!({ "name": "Beatrice" })).await;
    assert_eq!(lost.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(line.was_cut());
    let told = stream.until("profile").await;
    assert_eq!(serde_json::from_str::<Profile>(&told.data).unwrap().name, "Beatrice");
    assert_eq!(ada.name_of("bea").await, "Beatrice");
    until_the_post_shows(database, "Beatrice", 0).await;

    line.cut_after_the_next(Done::Commit);
    let lost = t.collection.pictures.set_picture(&user("bea"), png().into()).await;
    assert!(lost.is_err() && line.was_cut(), "{lost:?}");
    let told = loop {
        let told = stream.until("picture").await;
        let record = serde_json::from_str::<Record>(&told.data).unwrap();
        if record.revision == Revision(1) {
            break record;
        }
    };
    assert_eq!(told.image_id, Some(image_id(&png())));
    until_the_post_shows(database, "Beatrice", 1).await;
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_told_and_sent_again_it_is_there_once() {
    let postgres = Postgres::start().unwrap();
    let (t, line) = cut_off_at_will(&postgres).await;
    let _upkeep = t.upkeep();
    let mut stream = listen_and_know_bea(&t).await;
    let bea = t.browser("bea").await;
    let post = json!({ "text": "once", "id": uuid::Uuid::now_v7().to_string() });

    line.cut_after_the_next(Done::Commit);
    let lost = bea.send(Method::POST, "/api/posts", &post).await;
    assert_eq!(lost.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(line.was_cut());
    assert_eq!(stream.next().await.post(), "once");

    let again = bea.send(Method::POST, "/api/posts", &post).await;
    assert_eq!(again.status(), StatusCode::OK);
    bea.write("another").await;
    assert_eq!(stream.next().await.post(), "another");
    let (posts, _) = t.collection.database.feed(&user("ada"), None, 2).await.unwrap();
    let texts = posts.iter().map(|stored| stored.post.text.as_str());
    assert_eq!(texts.collect::<Vec<_>>(), ["another", "once"]);
}
