//! Changes that were made while nobody was there to say so.

use axum::http::{Method, StatusCode};
use miniature_api::{Profile, Record, Revision};
use miniature_server::{
    clock::Clock, images::image_id, limits::Limits, storage::Database, upkeep::Upkeep,
};
use miniature_services::Postgres;
use serde_json::json;

use crate::{
    fixture::{Instance, Stream, png, populated, until_the_post_shows, user},
    line::{Done, Line},
};

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
    let _upkeep = Upkeep::start(&t.collection, &Clock::system(), &Limits::default());
    let mut stream = listen_and_know_bea(&t).await;
    let (database, ada, bea) =
        (&t.collection.database, t.browser("ada").await, t.browser("bea").await);

    line.cut_after_the_next(Done::Update);
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
