//! How pictures travel through this server: from which layer, to whose pages, and not twice.

use std::{
    fs::{File, FileTimes},
    time::SystemTime,
};

use axum::http::{Method, StatusCode};
use miniature_api::{ImageId, PictureAnswer, Size};
use miniature_server::{
    Collection,
    config::{Config, Storage},
    images::{ImageStore, Layer, RenditionError, image_id},
    limits::Limits,
    profiles::Profiles,
};

use metrics_exporter_prometheus::PrometheusBuilder;
use sqlx::Connection;
use tempfile::TempDir;

use crate::fixture::{Answer, Fixture, config, picture_of, png, user};

const PAGE: &str = "https://app.example";
const OTHER_PAGE: &str = "https://sub.app.example";

async fn open_to_pages() -> Fixture {
    let allowed_origins = vec![PAGE.parse().unwrap(), "http://127.0.0.1:8080".parse().unwrap()];
    Fixture::with(Config { allowed_origins, ..config() }).await
}

fn image(user: &str) -> String {
    format!("/images/{}?size=128", picture_of(user))
}

/// The same files, as after a restart.
fn restarted(t: &Fixture, limits: &Limits) -> Collection {
    let database = t.collection.database.clone();
    let profiles = Profiles::new(database.clone(), None, limits);
    let images = ImageStore::in_folder(t.folder.path()).unwrap();
    Collection::of(database, profiles, images, limits)
}

#[tokio::test]
async fn every_answer_about_pictures_says_where_it_came_from() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let tag = format!("\"{}-128\"", picture_of("bea"));
    let answers = [
        ("a picture", browser.get(&image("bea")).await),
        ("its head", browser.send(Method::HEAD, &image("bea"), &[]).await),
        ("held", browser.get_with(&image("bea"), "if-none-match", &tag).await),
        ("a hint", browser.get("/api/images/user/bea?size=128").await),
        ("a batch", browser.get("/api/images/batch?size=64&users=bea,cem").await),
        ("a list", browser.get("/api/friends?pictures=64").await),
    ];
    for (name, answer) in answers {
        assert!(["HIT", "MISS"].contains(&answer.header("x-cache")), "{name}");
        let timing = answer.header("server-timing");
        assert!(timing.contains(";desc=\"") && timing.contains(";dur="), "{name}: {timing}");
        assert_eq!(answer.header("timing-allow-origin"), "", "{name}");
    }
}

#[tokio::test]
async fn a_picture_that_is_drawn_again_is_the_same_to_the_byte() {
    let t = Fixture::new().await;
    let portrait = include_bytes!("../../pixels/photographs/plain.jpg");
    t.collection.pictures.set_picture(&user("bea"), portrait[..].into()).await.unwrap();
    let (again, image) = (restarted(&t, &Limits::default()), image_id(portrait));
    let mut first = Vec::new();
    for size in Size::ALL {
        first.push(t.collection.renditions.get(image, size).await.unwrap().bytes);
    }
    std::fs::remove_dir_all(t.folder.path().join("renditions")).unwrap();
    for (size, first) in Size::ALL.into_iter().zip(first) {
        let (hint, _) = again.hints.get(image, size).await.unwrap();
        let rendition = again.renditions.get(image, size).await.unwrap();
        assert_eq!(rendition.layer, Layer::Master, "{size}");
        assert!(rendition.bytes == first, "{size}");
        assert_eq!(hint.bytes, first.len() as u64, "{size}");
    }
}

#[tokio::test]
async fn a_picture_that_is_held_is_not_read_again() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let tag = format!("\"{}-128\"", picture_of("bea"));
    std::fs::remove_dir_all(t.folder.path()).unwrap();
    let cases = [
        (tag.clone(), StatusCode::NOT_MODIFIED),
        (format!("W/{tag}"), StatusCode::NOT_MODIFIED),
        (format!("\"another\", {tag}"), StatusCode::NOT_MODIFIED),
        ("\"another\"".to_owned(), StatusCode::NOT_FOUND),
        ("*".to_owned(), StatusCode::NOT_FOUND), // there is none
    ];
    for (tags, expected) in cases {
        for method in [Method::GET, Method::HEAD] {
            let answer = browser.send(method, &image("bea"), &[("if-none-match", &tags)]).await;
            assert_eq!(answer.status, expected, "{tags}");
            assert!(answer.status != StatusCode::NOT_MODIFIED || answer.header("etag") == tag);
        }
    }
}

#[tokio::test]
async fn an_image_that_never_was_is_not_called_unchanged() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let nothing = "00000000000000000000000000000000";
    for tags in [format!("\"{nothing}-128\""), format!("W/\"{nothing}-128\""), "*".to_owned()] {
        let path = format!("/images/{nothing}?size=128");
        let answer = browser.get_with(&path, "if-none-match", &tags).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{tags}");
    }
}

#[tokio::test]
async fn a_hint_is_given_without_reading_the_picture() {
    let t = Fixture::new().await;
    let browser = t.browser("ada").await;
    let bytes = browser.get(&image("bea")).await.body.len() as u64;
    std::fs::remove_dir_all(t.folder.path()).unwrap();
    let cold = restarted(&t, &Limits::default());

    let (hint, _) = cold.hints.get(picture_of("bea"), Size::S128).await.unwrap();

    assert_eq!((hint.url, hint.bytes), (image("bea"), bytes));
    assert_eq!((hint.content_type.as_str(), hint.expires_in_s), ("image/webp", None));
    assert!(!cold.renditions.holds(picture_of("bea"), Size::S128));
}

#[test]
fn only_layers_that_there_are_are_counted_and_what_failed_is_not_called_busy() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let t = Fixture::new().await;
            let browser = t.browser("ada").await;
            std::fs::remove_dir_all(t.folder.path().join("renditions")).unwrap();
            assert_eq!(browser.get(&image("bea")).await.header("x-cache"), "MISS");
            restarted(&t, &Limits::default())
                .hints
                .get(picture_of("bea"), Size::S64)
                .await
                .unwrap();
            t.collection.database.close().await;
            assert_eq!(browser.put(&[], png(7)).await.status, 503);
        });
    });
    let counted = recorder.handle().render();
    for absent in [r#"layer="redis""#, r#"layer="objects""#, r#"outcome="busy""#] {
        assert!(!counted.contains(absent), "{absent}: {counted}");
    }
    for there in [
        r#"misses_total{cache="renditions",layer="files"} 1"#,
        r#"misses_total{cache="metadata",layer="memory"} 1"#,
        r#"miniature_uploads_total{outcome="failed"} 1"#,
    ] {
        assert!(counted.contains(there), "{there}: {counted}");
    }
}

#[tokio::test]
async fn a_hint_needs_one_size_and_no_master_while_the_database_is_away() {
    let t = Fixture::new().await;
    let length = t.collection.hints.get(picture_of("bea"), Size::S128).await.unwrap().0.bytes;
    std::fs::remove_dir_all(t.folder.path().join("masters")).unwrap();
    t.collection.database.close().await;
    let cold = restarted(&t, &Limits::default());

    let (hint, _) = cold.hints.get(picture_of("bea"), Size::S128).await.unwrap();

    assert_eq!((hint.url, hint.bytes), (image("bea"), length));
    for size in Size::ALL {
        assert_eq!(cold.renditions.holds(picture_of("bea"), size), size == Size::S128, "{size}");
    }
    std::fs::remove_dir_all(t.folder.path().join("renditions")).unwrap();
    let lost = cold.hints.get(picture_of("cem"), Size::S128).await.unwrap_err();
    assert!(matches!(*lost, RenditionError::NoSuchImage), "{lost:?}");
}

/// A server whose database names a picture of which it knows nothing.
async fn with_record_of(id: &str, image: ImageId) -> (TempDir, Fixture) {
    let folder = tempfile::tempdir().unwrap();
    let t = Fixture::on_disk(&folder, &Limits::default()).await;
    let url = format!("sqlite://{}", folder.path().join("miniature.sqlite").display());
    let mut database = sqlx::AnyConnection::connect(&url).await.unwrap();
    let sql = "UPDATE users SET image_id = $1, thumbhash = '', revision = 1 WHERE id = $2";
    let update = sqlx::query(sql).bind(image.to_string()).bind(id);
    assert_eq!(update.execute(&mut database).await.unwrap().rows_affected(), 1);
    (folder, t)
}

#[tokio::test]
async fn a_picture_of_which_nothing_was_recorded_is_looked_at_once() {
    let old = image_id(b"from before anything was recorded");
    let (_database, t) = with_record_of("noah", old).await;
    let master = |id: &str| format!("masters/{}/{id}.webp", &id[..2]);
    let at = |id: &str| t.folder.path().join(master(id));
    std::fs::create_dir_all(at(&old.to_string()).parent().unwrap()).unwrap();
    std::fs::copy(at(&picture_of("bea").to_string()), at(&old.to_string())).unwrap();
    let browser = t.browser("ada").await;

    let hint = |answer: Answer| answer.json::<PictureAnswer>().hint.unwrap();
    let first = hint(browser.get("/api/images/user/noah?size=256").await);

    assert_eq!(browser.get(&first.url).await.body.len() as u64, first.bytes);
    std::fs::remove_dir_all(t.folder.path()).unwrap();
    let (later, _) = restarted(&t, &Limits::default()).hints.get(old, Size::S256).await.unwrap();
    assert_eq!(later, first);
}

#[tokio::test]
async fn a_picture_whose_master_is_lost_has_a_record_and_no_hint() {
    let lost = image_id(b"lost");
    let (_database, t) = with_record_of("noah", lost).await;
    let answer = t.browser("ada").await.get("/api/images/user/noah?size=256").await;
    let picture = answer.json::<PictureAnswer>();
    assert_eq!((picture.record.image_id, picture.hint), (Some(lost), None));
}

#[tokio::test]
async fn files_survive_a_restart_within_their_limit() {
    let t = Fixture::new().await;
    let renditions = t.folder.path().join("renditions");
    let again = restarted(&t, &Limits::default());
    let rendition = again.renditions.get(picture_of("bea"), Size::S512).await.unwrap();
    assert_eq!(rendition.layer, Layer::Files);

    let smaller = Limits { rendition_file_bytes: 3_000, ..Limits::default() };
    let again = restarted(&t, &smaller);
    assert!(bytes_in(&renditions) > 3_000);
    again.renditions.measure().await.unwrap();
    assert!(bytes_in(&renditions) <= 3_000);
    for (id, size) in ["bea", "cem", "dan", "zoe"].into_iter().zip(Size::ALL) {
        again.renditions.get(picture_of(id), size).await.unwrap();
        assert!(bytes_in(&renditions) <= 3_000, "{id}");
    }
}

#[tokio::test]
async fn files_of_what_is_asked_for_all_day_from_memory_are_not_the_first_to_go() {
    let t = Fixture::new().await;
    let renditions = t.folder.path().join("renditions");
    let limit = bytes_in(&renditions) / 2;
    let again = restarted(&t, &Limits { rendition_file_bytes: limit, ..Limits::default() });
    let used = ["bea", "cem"].map(|id| (picture_of(id), Size::S64));
    for (image, size) in used {
        again.renditions.get(image, size).await.unwrap();
    }
    let file = |(image, size): (ImageId, Size)| {
        let id = image.to_string();
        renditions.join(format!("{}/{id}-{size}.webp", &id[..2]))
    };
    for read_at_first in used.map(file) {
        let long_ago = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        File::open(read_at_first).unwrap().set_times(long_ago).unwrap();
    }

    assert_eq!(again.renditions.mark_held().await, used.len());
    again.renditions.measure().await.unwrap();

    assert!(bytes_in(&renditions) <= limit, "others went");
    for (image, size) in used {
        assert!(file((image, size)).exists());
    }
}

#[tokio::test]
async fn a_folder_of_renditions_that_is_none_does_not_keep_the_server_from_starting() {
    let data = tempfile::tempdir().unwrap();
    let images = data.path().join("images");
    std::fs::create_dir(&images).unwrap();
    std::fs::write(images.join("renditions"), "where the folder should be").unwrap();
    let storage = Storage { data: data.path().to_owned(), ..config().storage };
    let opened = Collection::open(&storage, &Limits::default()).await;
    assert!(opened.is_ok(), "{opened:?}");
}

fn bytes_in(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let bytes = entries.map(|entry| match entry.metadata().unwrap() {
        about if about.is_dir() => bytes_in(&entry.path()),
        about => about.len(),
    });
    bytes.sum()
}

#[tokio::test]
async fn files_that_cannot_be_written_cost_only_speed_and_are_written_again_when_they_can() {
    let t = Fixture::new().await;
    let renditions = t.folder.path().join("renditions");
    std::fs::remove_dir_all(&renditions).unwrap();
    std::fs::write(&renditions, "where the folder should be").unwrap();
    let broken = restarted(&t, &Limits::default());
    for id in ["bea", "cem"] {
        let rendition = broken.renditions.get(picture_of(id), Size::S64).await.unwrap();
        assert_eq!(rendition.layer, Layer::Master, "{id}");
        assert!(broken.renditions.holds(picture_of(id), Size::S64), "{id}");
    }
    let change = broken.pictures.set_picture(&user("noah"), png(201)).await;
    assert!(change.is_ok(), "{change:?}");

    std::fs::remove_file(&renditions).unwrap();
    let kept = || std::fs::read_dir(&renditions).is_ok_and(|shelves| shelves.count() > 0);
    let mut shade = 202;
    while !kept() {
        // After so many failures the disk is left alone for a moment.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        broken.pictures.set_picture(&user("noah"), png(shade)).await.unwrap();
        shade += 1;
    }
}

#[tokio::test]
async fn an_image_that_there_is_not_is_told_from_one_that_cannot_be_had() {
    let t = Fixture::new().await;
    let missing = t.collection.renditions.get(image_id(b"none"), Size::S64).await.unwrap_err();
    assert!(matches!(*missing, RenditionError::NoSuchImage));
    // A folder that is a file: the store of masters cannot be read.
    let masters = t.folder.path().join("masters");
    std::fs::rename(&masters, t.folder.path().join("away")).unwrap();
    std::fs::write(&masters, "").unwrap();
    std::fs::remove_dir_all(t.folder.path().join("renditions")).unwrap();
    let browser = t.browser("ada").await;
    let answer = browser.get(&image("bea")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "1");
    let ready = browser.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
    assert_eq!(ready.json::<serde_json::Value>()["images"], "down");
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_reads_pictures_and_their_timing() {
    let t = open_to_pages().await;
    let browser = t.browser("ada").await;
    for path in [&image("bea"), "/api/images/batch?size=64&users=bea", "/api/friends?pictures=64"] {
        let answer = browser.get_with(path, "origin", PAGE).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), PAGE, "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "true", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-site", "{path}");
        let seen_by = answer.header("timing-allow-origin");
        assert_eq!(seen_by, "https://app.example, http://127.0.0.1:8080", "{path}");
        let exposed = answer.header("access-control-expose-headers");
        for header in ["etag", "miniature-lineage", "retry-after", "x-cache", "server-timing"] {
            assert!(exposed.contains(header), "{path}: {exposed}");
        }
        let vary = answer.headers.get_all("vary").iter();
        let vary = vary.map(|line| line.to_str().unwrap().to_lowercase()).collect::<Vec<_>>();
        assert!(vary.join(",").contains("origin"), "{path}: {vary:?}");
    }
    let error = browser.get_with("/api/users/nobody", "origin", PAGE).await;
    assert_eq!(error.header("access-control-allow-origin"), PAGE, "errors can be read too");
}

#[tokio::test]
async fn any_other_page_reads_and_changes_nothing() {
    let t = open_to_pages().await;
    let browser = t.browser("ada").await;
    for origin in [OTHER_PAGE, "null", "https://app.example.evil.example", "http://app.example"] {
        let answer = browser.get_with(&image("bea"), "origin", origin).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        let headers = [("origin", origin), ("sec-fetch-site", "cross-site")];
        let sent = browser.send(Method::DELETE, "/api/session", &headers).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let headers = [("origin", PAGE), ("sec-fetch-site", "same-site")];
    let sent = browser.send(Method::DELETE, "/api/session", &headers).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT);
    assert_eq!(sent.header("access-control-allow-origin"), PAGE);
}

#[tokio::test]
async fn a_browser_that_asks_ahead_is_told_what_an_allowed_page_may() {
    let t = open_to_pages().await;
    let browser = t.browser("ada").await;
    let ask = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "content-type,miniature-lineage"),
        ];
        browser.send(Method::OPTIONS, "/api/users/me/picture", &headers).await
    };
    let allowed = ask(PAGE).await;
    assert_eq!(allowed.status, StatusCode::OK);
    assert_eq!(allowed.header("access-control-allow-origin"), PAGE);
    assert!(allowed.header("access-control-allow-methods").contains("PUT"));
    for header in ["content-type", "if-none-match", "miniature-lineage"] {
        assert!(allowed.header("access-control-allow-headers").contains(header), "{header}");
    }
    assert_eq!(allowed.header("access-control-max-age"), "86400");
    assert_eq!(ask(OTHER_PAGE).await.header("access-control-allow-origin"), "");
}
