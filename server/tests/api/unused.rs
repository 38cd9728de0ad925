//! Pictures that nobody shows any more: removed in time, and never under someone who shows them.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::{Method, StatusCode};
use futures_util::future::join_all;
use miniature_api::{ImageId, Record, Size};
use miniature_server::{
    Collection,
    clock::Clock,
    images::{ImageStore, PictureError, image_id},
    limits::Limits,
    profiles::Profiles,
    storage::{Database, Disuse, PictureChange},
    upkeep::remove_unused,
};
use miniature_services::Postgres;

use crate::fixture::{Browser, Fixture, picture_of, png, user};

const HOUR: u64 = 60 * 60;

/// Since when the clock of a fixture stands still.
const START: u64 = 1_800_000_000;

impl Fixture {
    /// Looks for unused pictures so long after the start; returns how many were removed.
    async fn sweep(&self, after: u64) -> usize {
        remove_unused(&self.collection.unused, START + after).await.unwrap()
    }

    fn master(&self, image: ImageId) -> PathBuf {
        let id = image.to_string();
        self.folder.path().join(format!("masters/{}/{id}.webp", &id[..2]))
    }

    fn has_files(&self, image: ImageId) -> bool {
        let id = image.to_string();
        let renditions = self.folder.path().join(format!("renditions/{}", &id[..2]));
        let entries = std::fs::read_dir(renditions).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name().into_string().unwrap());
        self.master(image).exists() || names.any(|name| name.starts_with(&id))
    }

    async fn is_recorded(&self, image: ImageId) -> bool {
        self.collection.database.image(image).await.unwrap().is_some()
    }
}

async fn status(browser: &Browser<'_>, image: ImageId) -> StatusCode {
    browser.get(&format!("/images/{image}?size=64")).await.status
}

#[tokio::test]
async fn a_picture_that_was_removed_is_gone_from_everywhere_a_day_later() {
    let t = Fixture::new().await;
    let (browser, image) = (t.browser("ada").await, picture_of("ada"));
    assert_eq!(status(&browser, image).await, 200);
    browser.send(Method::DELETE, "/api/users/me/picture", &[]).await;

    t.sweep(23 * HOUR).await;
    assert_eq!(status(&browser, image).await, 200, "a page from before may still ask for it");

    assert_eq!(t.sweep(25 * HOUR).await, 1);
    assert_eq!(status(&browser, image).await, 404);
    assert!(!t.has_files(image) && !t.is_recorded(image).await);
    for id in ["bea", "cem", "dan", "zoe"] {
        assert_eq!(status(&browser, picture_of(id)).await, 200, "{id} shows theirs");
        assert!(t.master(picture_of(id)).exists());
    }
    assert_eq!(t.sweep(26 * HOUR).await, 0);
    assert_eq!(browser.put(&[], png(0)).await.status, 200, "it may come back");
    assert_eq!(status(&browser, image).await, 200);
}

#[tokio::test]
async fn a_picture_that_someone_else_shows_too_stays() {
    let t = Fixture::new().await;
    let (ada, zoe) = (t.browser("ada").await, t.browser("zoe").await);
    assert_eq!(zoe.put(&[], png(0)).await.json::<Record>().image_id, Some(picture_of("ada")));
    ada.send(Method::DELETE, "/api/users/me/picture", &[]).await;

    assert_eq!(t.sweep(25 * HOUR).await, 1, "what zoe showed before");
    assert_eq!(status(&ada, picture_of("ada")).await, 200);
    assert!(t.master(picture_of("ada")).exists());

    t.hand.store(START + 100 * HOUR, Ordering::SeqCst);
    zoe.send(Method::DELETE, "/api/users/me/picture", &[]).await;
    assert_eq!(t.sweep(101 * HOUR).await, 0, "not before a day has passed");
    assert_eq!(t.sweep(125 * HOUR).await, 1);
    assert!(!t.has_files(picture_of("ada")));
}

#[tokio::test]
async fn a_picture_that_only_a_post_shows_stays_as_long_as_it_does() {
    let t = Fixture::new().await;
    let (browser, database) = (t.browser("ada").await, &t.collection.database);
    let text = serde_json::json!({ "text": "Good morning" });
    assert_eq!(browser.send_json(Method::POST, "/api/posts", &text).await.status, 201);
    // As when rewriting the posts has failed: nothing but the record changes.
    database.set_picture(&user("ada"), None, START).await.unwrap();

    assert_eq!(t.sweep(25 * HOUR).await, 0);
    assert_eq!(status(&browser, picture_of("ada")).await, 200);

    let profile = database.profiles(&[user("ada")]).await.unwrap().remove(&user("ada")).unwrap();
    database.rewrite_author(&profile, None).await.unwrap();
    assert_eq!(t.sweep(50 * HOUR).await, 1);
    assert_eq!(status(&browser, picture_of("ada")).await, 404);
}

#[tokio::test]
async fn an_upload_that_changed_no_record_leaves_nothing_for_good() {
    let t = Fixture::new().await;
    let change = t.collection.pictures.set_picture(&user("nobody"), png(99)).await.unwrap();
    assert_eq!(change, PictureChange::NoSuchUser); // as when the server dies before the record
    let image = image_id(&png(99));
    assert!(t.has_files(image));
    assert_eq!(t.sweep(25 * HOUR).await, 1);
    assert!(!t.has_files(image) && !t.is_recorded(image).await);
}

#[tokio::test]
async fn what_is_kept_from_before_counts_from_the_first_look() {
    let t = Fixture::new().await;
    let (image, known) = (image_id(&png(99)), t.collection.database.image(picture_of("ada")).await);
    t.collection.database.add_image(image, &known.unwrap().unwrap(), 0).await.unwrap();
    assert_eq!(t.sweep(48 * HOUR).await, 0);
    assert_eq!(t.sweep(71 * HOUR).await, 0);
    assert_eq!(t.sweep(73 * HOUR).await, 1);
}

/// Another instance over the same database and, unless it has its own, folder.
fn instance(database: &Database, folder: &Path, limits: &Limits) -> Collection {
    let profiles = Profiles::new(database.clone(), None, limits);
    let images = ImageStore::in_folder(folder).unwrap();
    Collection::of(database.clone(), profiles, images, limits)
}

#[tokio::test]
async fn what_another_instance_removed_is_dropped_here_too() {
    let (t, here) = (Fixture::new().await, tempfile::tempdir().unwrap());
    let copied = ["masters", "renditions"].map(|kind| {
        let (from, to) = (t.folder.path().join(kind), here.path());
        std::process::Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success()
    });
    assert_eq!(copied, [true, true]);
    let database = &t.collection.database;
    let (other, ada) = (instance(database, here.path(), &Limits::default()), picture_of("ada"));
    for id in ["ada", "bea"] {
        other.renditions.get(picture_of(id), Size::S64).await.unwrap();
    }
    database.set_picture(&user("ada"), None, START).await.unwrap();
    assert_eq!(t.sweep(25 * HOUR).await, 1);

    for minute in 0..256 {
        remove_unused(&other.unused, START + 25 * HOUR + minute * 60).await.unwrap();
    }

    assert!(!other.renditions.holds(ada, Size::S64), "from memory");
    assert!(other.renditions.holds(picture_of("bea"), Size::S64));
    let id = ada.to_string();
    let file = |size| here.path().join(format!("renditions/{}/{id}-{size}.webp", &id[..2]));
    assert!(Size::ALL.iter().all(|size| !file(size).exists()), "from files");
}

#[tokio::test]
async fn a_removal_that_was_broken_off_is_taken_up_by_another() {
    let t = Fixture::new().await;
    let (database, image) = (&t.collection.database, picture_of("ada"));
    database.set_picture(&user("ada"), None, START).await.unwrap();
    let began = Disuse::at(START + 25 * HOUR, &Limits::default());
    assert!(database.begin_removal(image, &began).await.unwrap()); // and dies

    assert_eq!(t.sweep(25 * HOUR + 60).await, 0, "it may be at it still");
    assert!(t.has_files(image));
    assert_eq!(t.sweep(25 * HOUR + 6 * 60).await, 1);
    assert!(!t.has_files(image) && !t.is_recorded(image).await);
}

/// Uploads some pictures again and again; each that was taken must be there.
async fn upload_again_and_again(t: &Fixture, who: &str) {
    for turn in 0..20 {
        let upload = png(200 + turn % 3);
        let image = image_id(&upload);
        match t.collection.pictures.set_picture(&user(who), upload).await {
            Ok(_) => {
                let master = std::fs::read(t.master(image));
                assert!(master.is_ok(), "{who} shows {image}, which is gone");
            }
            Err(PictureError::BeingRemoved) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Three people change between three pictures while two instances remove whatever is unused now.
async fn race(database: Database) {
    let limits = Limits { unused_kept_for: Duration::ZERO, ..Limits::default() };
    let (folder, config) = (tempfile::tempdir().unwrap(), crate::fixture::config());
    let images = ImageStore::in_folder(folder.path()).unwrap();
    let t = Arc::new(Fixture::over(database.clone(), images, folder, &config, &limits));
    t.populate().await;
    let others = [&t.collection, &instance(&database, t.folder.path(), &limits)]
        .map(|one| one.unused.clone());
    let (done, removed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let sweepers = others.map(|unused| {
        let (done, removed) = (Arc::clone(&done), Arc::clone(&removed));
        tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                let now = Clock::system().now();
                removed.fetch_add(unused.remove(now).await.unwrap(), Ordering::SeqCst);
            }
        })
    });
    let uploads = ["ada", "bea", "zoe"].map(|who| {
        let t = Arc::clone(&t);
        tokio::spawn(async move { upload_again_and_again(&t, who).await })
    });
    for upload in join_all(uploads).await {
        upload.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    for sweeper in join_all(sweepers).await {
        sweeper.unwrap();
    }
    let removed = removed.load(Ordering::SeqCst);
    assert!(removed > 10, "{removed} were removed meanwhile");
    let people = ["ada", "bea", "cem", "dan", "noah", "zoe"].map(user);
    let fresh = instance(&database, t.folder.path(), &limits);
    for (who, shown) in database.profiles(&people).await.unwrap() {
        let Some(image) = shown.picture.image_id else { continue };
        std::fs::remove_dir_all(t.folder.path().join("renditions")).ok();
        let drawn = fresh.renditions.get(image, Size::S64).await;
        assert!(drawn.is_ok(), "{who}: {drawn:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_uploads_what_is_being_removed_has_it() {
    let folder = tempfile::tempdir().unwrap();
    race(Database::open(folder.path()).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_uploads_what_is_being_removed_has_it_on_postgresql_too() {
    let postgres = Postgres::start().unwrap();
    race(Database::connect(&postgres.url().parse().unwrap()).await.unwrap()).await;
}
