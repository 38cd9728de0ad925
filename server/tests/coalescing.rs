//! However many ask at once, the work is done once. In a process of its own, for it counts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::sync::Arc;

use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusHandle;
use miniature_api::{Size, UserId};
use miniature_server::{
    Collection,
    images::{ImageStore, image_id},
    limits::Limits,
    metrics,
    profiles::Profiles,
    storage::{Database, NewPerson},
};
use tempfile::TempDir;

const CALLERS: usize = 1_000;

async fn collection() -> (Collection, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (database, limits) = (Database::in_memory().await.unwrap(), Limits::default());
    let profiles = Profiles::new(database.clone(), None, &limits);
    let people = ["ada", "bea", "cem"].map(|id| NewPerson {
        user_id: id.parse().unwrap(),
        name: id.to_owned(),
        headline: String::new(),
        password_hash: None,
    });
    database.add_people(&people, &[]).await.unwrap();
    (
        Collection::of(database, profiles, ImageStore::in_folder(folder.path()).unwrap(), &limits),
        folder,
    )
}

fn counted(handle: &PrometheusHandle, name: &str) -> u64 {
    let text = handle.render();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.map_or(0, |number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_callers_cost_one_decode_and_one_query() {
    let handle = metrics::install().unwrap();
    let (collection, folder) = collection().await;
    let ada = "ada".parse::<UserId>().unwrap();
    let mut pixels = tiny_skia::Pixmap::new(300, 300).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(40, 90, 160, 255));
    let upload = pixels.encode_png().unwrap();
    let image = image_id(&upload);
    collection.pictures.set_picture(&ada, upload.into()).await.unwrap();
    std::fs::remove_dir_all(folder.path().join("renditions")).unwrap();

    let before = counted(&handle, metrics::RENDITIONS_MADE);
    let callers = (0..CALLERS).map(|_| {
        let renditions = collection.renditions.clone();
        tokio::spawn(async move { renditions.get(image, Size::S256).await.unwrap().bytes })
    });
    let answers = join_all(callers).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    assert!(answers.iter().all(|bytes| bytes == &answers[0]));
    assert_eq!(counted(&handle, metrics::RENDITIONS_MADE) - before, 1);

    let wanted = ["ada", "bea", "cem", "nobody"].map(|id| id.parse::<UserId>().unwrap());
    let wanted = Arc::new(wanted[1..].to_vec()); // a change has put `ada` in memory
    let before = counted(&handle, metrics::SOURCE_CALLS);
    let callers = (0..CALLERS).map(|_| {
        let (profiles, wanted) = (collection.profiles.clone(), Arc::clone(&wanted));
        tokio::spawn(async move { profiles.get_many(&wanted).await.unwrap().0 })
    });
    for found in join_all(callers).await {
        let found = found.unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found.iter().filter(|answer| answer.is_some()).count(), 2);
    }
    assert_eq!(counted(&handle, metrics::SOURCE_CALLS) - before, 1);
}
