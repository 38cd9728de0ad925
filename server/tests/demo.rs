//! The demo people, all of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{fs, path::Path};

use miniature_api::{Friend, ImageId, Revision, UserId};
use miniature_server::{
    Collection,
    config::{Delivery, S3Args, Storage, Users},
    demo,
    images::image_id,
    limits::Limits,
    storage::NewPerson,
};

async fn adas_friends(collection: &Collection) -> Vec<Friend> {
    let ada = "ada".parse::<UserId>().unwrap();
    collection.database.friends(&ada, None, 1_000).await.unwrap().friends
}

fn photograph(folder: &Path, name: &str, shade: u8) -> ImageId {
    let mut pixels = tiny_skia::Pixmap::new(90, 120).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(shade, 120, 80, 255));
    let png = pixels.encode_png().unwrap();
    fs::write(folder.join(name), &png).unwrap();
    image_id(&png)
}

async fn open(data: &Path) -> Collection {
    let storage = Storage {
        data: data.to_owned(),
        database_url: None,
        redis_url: Vec::new(),
        s3: S3Args::default(),
        delivery: Delivery::Proxy,
        users: Users::default(),
    };
    Collection::open(&storage, &Limits::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_failed_midway_is_finished_by_the_next() {
    let data = tempfile::tempdir().unwrap();
    let collection = open(data.path()).await;
    let masters = data.path().join("images/masters");
    fs::remove_dir_all(&masters).ok();
    fs::write(&masters, "no folder").unwrap();
    demo::create_if_empty(&collection).await.unwrap_err();
    assert!(collection.database.has_people().await.unwrap(), "it was midway");

    fs::remove_file(&masters).unwrap();
    let collection = open(data.path()).await;
    demo::create_if_empty(&collection).await.unwrap();

    let friends = adas_friends(&collection).await;
    assert_eq!(friends.iter().filter(|friend| friend.picture.image_id.is_none()).count(), 4);
    let ada = "ada".parse::<UserId>().unwrap();
    assert!(!collection.database.feed(&ada, None, 50).await.unwrap().0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_demo_is_created_among_people_who_are_none() {
    let data = tempfile::tempdir().unwrap();
    let collection = open(data.path()).await;
    let ada = NewPerson {
        user_id: "ada".parse().unwrap(),
        name: "Another Ada".to_owned(),
        headline: String::new(),
        password_hash: None,
    };
    collection.database.add_people(&[ada], &[]).await.unwrap();

    demo::create_if_empty(&collection).await.unwrap();

    assert!(adas_friends(&collection).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_created_once_and_takes_photographs() {
    let data = tempfile::tempdir().unwrap();
    let collection = open(data.path()).await;

    demo::create_if_empty(&collection).await.unwrap();

    let friends = adas_friends(&collection).await;
    assert_eq!(friends.len(), 100);
    assert!(friends[..50].iter().all(|friend| friend.picture.image_id.is_some()));
    assert_eq!(friends.iter().filter(|friend| friend.picture.image_id.is_none()).count(), 4);

    let ada = "ada".parse::<UserId>().unwrap();
    let (feed, _) = collection.database.feed(&ada, None, 50).await.unwrap();
    assert!(feed.len() >= 30, "{}", feed.len());
    assert!(feed.iter().all(|stored| stored.post.author.picture.image_id.is_some()));

    demo::create(&collection).await.unwrap();
    assert_eq!(adas_friends(&collection).await, friends, "a second time changes nothing");
    assert_eq!(collection.database.feed(&ada, None, 50).await.unwrap().0, feed);

    let folder = tempfile::tempdir().unwrap();
    let second = photograph(folder.path(), "b.png", 20);
    let first = photograph(folder.path(), "a.PNG", 10);
    fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
    for _ in 0..2 {
        demo::give_photographs(&collection, folder.path()).await.unwrap();
        let now = adas_friends(&collection).await;
        assert_eq!([now[0].picture.image_id, now[1].picture.image_id], [Some(first), Some(second)]);
        assert_eq!(now[0].picture.revision, Revision(2));
        assert_eq!(now[2..], friends[2..]);
    }

    fs::write(folder.path().join("c.jpg"), "damaged").unwrap();
    let refused = demo::give_photographs(&collection, folder.path()).await.unwrap_err();
    assert!(refused.to_string().contains("c.jpg"), "{refused}");
}
