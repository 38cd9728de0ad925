use std::path::{Path, PathBuf};

use miniature_api::Size;
use miniature_server::{config::Delivery, redis, upkeep::remove_unused};
use miniature_services::Redis;
use reqwest::StatusCode;

use crate::{
    fixture::{picture_of, user},
    gate::Fault,
    store::Store,
};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 24 * 60 * 60;

/// Every file below a folder whose name contains this.
fn named(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(named(&path, text));
        } else if path.file_name().unwrap().to_str().unwrap().contains(text) {
            files.push(path);
        }
    }
    files
}

#[tokio::test]
async fn a_picture_that_nobody_shows_leaves_the_bucket_and_redis_when_they_answer() {
    let (store, shared) = (Store::start().await, Redis::start().unwrap());
    let database = store.server(Delivery::Presigned).await.collection.database;
    let redis = redis::Redis::new(&[shared.url().parse().unwrap()]).unwrap();
    let server = store.another(database.clone(), Delivery::Presigned, Some(redis));
    let (image, bucket) = (picture_of("bea").to_string(), store.s3.bucket_folder());
    let hint = server.picture("bea", Size::S64).await.hint.unwrap();
    let (url, meta) = (format!("profile_pic:url:{image}:64"), format!("profile_pic:meta:{image}"));
    let keys = || shared.command(&["EXISTS", &url, &meta]).unwrap();
    assert_eq!(keys(), ":2");
    let before = named(&bucket, &image);
    assert!(before.len() > Size::ALL.len(), "{before:?}");
    database.set_picture(&user("bea"), None, NOW).await.unwrap();

    let unused = &server.collection.unused;
    store.gate.fail_with(Some(Fault::Status(StatusCode::SERVICE_UNAVAILABLE)));
    assert_eq!(remove_unused(unused, NOW + DAY).await.unwrap(), 0);
    store.gate.fail_with(None);
    assert!(database.image(picture_of("bea")).await.unwrap().is_some(), "it is tried again");
    assert_eq!(remove_unused(unused, NOW + DAY + 10 * 60).await.unwrap(), 1);

    assert_eq!(named(&bucket, &image), Vec::<PathBuf>::new());
    assert_eq!(keys(), ":0");
    assert_eq!(reqwest::get(&hint.url).await.unwrap().status(), StatusCode::NOT_FOUND);
    assert!(!named(&bucket, &picture_of("cem").to_string()).is_empty());
}
