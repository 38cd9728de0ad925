use std::collections::HashSet;

use axum::http::Method;
use miniature_api::Size;
use miniature_server::{clock::Clock, config::Delivery, profiles::Layer, redis, storage::Database};
use miniature_services::{Postgres, Redis};
use reqwest::StatusCode;

use crate::{
    fixture::{picture_of, png, user},
    gate::Fault,
    store::Store,
};

const MINUTE: u64 = 60;

/// A time at which a window of ten minutes begins.
const START: u64 = 1_800_000_000;

#[tokio::test]
async fn a_url_that_is_handed_out_has_ten_minutes_left_at_least() {
    let store = Store::start().await;
    let server = store.server(Delivery::Presigned).await;
    let image = picture_of("bea");
    let (clock, hand) = Clock::by_hand(START + 7 * MINUTE);
    let hints = server.collection.hints.clone().timed_by(clock.clone());
    let mut urls = HashSet::new();
    let (mut least, mut most) = (u64::MAX, 0);
    for _ in 0..6 * 60 {
        let (hint, _) = hints.get(image, Size::S64).await.unwrap();
        let left = hint.expires_in_s.unwrap();
        let signed_at = hint.url.split("X-Amz-Date=").nth(1).unwrap()[9..13].to_owned();
        let minutes = |text: &str| text.parse::<u64>().unwrap();
        let signed_at = minutes(&signed_at[..2]) * 60 + minutes(&signed_at[2..]);
        let now = clock.now() / MINUTE % (24 * 60);
        assert_eq!(signed_at % 10, 0, "{}", hint.url);
        let end_of_window = now / 10 * 10 + 10;
        assert_eq!((signed_at + 60) % (24 * 60), (end_of_window + left / MINUTE) % (24 * 60));
        (least, most) = (least.min(left), most.max(left));
        urls.insert(hint.url);
        hand.fetch_add(MINUTE, std::sync::atomic::Ordering::SeqCst);
    }
    assert_eq!((least, most), (10 * MINUTE, 50 * MINUTE), "at least, until the window is over");
    assert_eq!(urls.len(), 8, "one in 50 minutes, for six hours");
}

#[tokio::test]
async fn a_clock_that_is_set_back_hands_out_no_url_from_the_future() {
    let store = Store::start().await;
    let server = store.server(Delivery::Presigned).await;
    let (clock, hand) = Clock::by_hand(START);
    let hints = server.collection.hints.clone().timed_by(clock);
    let (before, _) = hints.get(picture_of("bea"), Size::S64).await.unwrap();
    hand.store(START - 1, std::sync::atomic::Ordering::SeqCst);
    let (after, _) = hints.get(picture_of("bea"), Size::S64).await.unwrap();
    assert_ne!(before.url, after.url);
    assert_eq!(after.expires_in_s, Some(50 * MINUTE));
}

#[tokio::test]
async fn every_instance_gives_out_the_same_url_within_a_window() {
    let store = Store::start().await;
    let one = store.server(Delivery::Presigned).await;
    let other = store.cold(&one, Delivery::Presigned);
    one.set_clock(START);
    other.set_clock(START + 10 * MINUTE - 1);
    let first = one.picture("bea", Size::S64).await.hint.unwrap();
    let last = other.picture("bea", Size::S64).await.hint.unwrap();
    assert_eq!(first.url, last.url);
    assert_eq!((first.expires_in_s, last.expires_in_s), (Some(3_000), Some(3_000)));
    let third = store.cold(&one, Delivery::Presigned);
    third.set_clock(START + 10 * MINUTE);
    assert_ne!(third.picture("bea", Size::S64).await.hint.unwrap().url, first.url);
}

#[tokio::test]
async fn for_ten_minutes_nothing_new_is_said_of_a_picture_and_nothing_wrong() {
    let store = Store::start().await;
    let server = store.server(Delivery::Presigned).await;
    server.set_clock(START + 3 * MINUTE);
    let (browser, path) = (server.browser("ada").await, "/api/images/user/bea?size=64");
    let first = browser.get(path).await;
    let tag = first.header("etag").to_owned();
    let told = first.json::<miniature_api::PictureAnswer>().hint.unwrap();
    for second in [0, 1, MINUTE, 7 * MINUTE - 1] {
        let now = START + 3 * MINUTE + second;
        server.set_clock(now);
        let later = browser.get_with(path, "if-none-match", &tag).await;
        assert_eq!(later.status, StatusCode::NOT_MODIFIED, "after {second} s");
        assert!(now + told.expires_in_s.unwrap() <= START + 60 * MINUTE, "after {second} s");
    }
    server.set_clock(START + 10 * MINUTE);
    let later = browser.get_with(path, "if-none-match", &tag).await;
    assert_eq!(later.status, StatusCode::OK, "less is left");
    let later = later.json::<miniature_api::PictureAnswer>().hint.unwrap();
    assert_eq!((later.url, later.expires_in_s), (told.url, Some(40 * MINUTE)));
}

#[tokio::test]
async fn instances_share_hints_through_redis_and_believe_no_other() {
    let store = Store::start().await;
    let server = store.server(Delivery::Presigned).await;
    let shared = Redis::start().unwrap();
    let database = server.collection.database.clone();
    let instance = |database: &Database, now: u64| {
        let redis = redis::Redis::new(&[shared.url().parse().unwrap()]).unwrap();
        let instance = store.another(database.clone(), Delivery::Presigned, Some(redis));
        instance.set_clock(now);
        instance
    };
    let key = format!("profile_pic:url:{}:64", picture_of("bea"));

    let one = instance(&database, START + MINUTE);
    let first = one.picture("bea", Size::S64).await.hint.unwrap();
    let left_ms = shared.command(&["PTTL", &key]).unwrap();
    let left_ms = left_ms.trim_start_matches(':').parse::<u64>().unwrap();
    assert!((48 * MINUTE * 1_000..=49 * MINUTE * 1_000).contains(&left_ms), "{left_ms}");
    store.gate.forget();

    let other = instance(&database, START + 49 * MINUTE);
    let last = other.picture("bea", Size::S64).await.hint.unwrap();
    assert_eq!((&last.url, last.expires_in_s), (&first.url, Some(10 * MINUTE)));
    assert_eq!(store.gate.count(&Method::HEAD, ""), 0, "nobody asked the store");

    let forged = format!("1:{{\"url\":\"https://evil.example/\",\"signed_at\":{START}}}");
    for wrong in [forged.as_str(), "1:nonsense", "nonsense"] {
        shared.command(&["SET", &key, wrong]).unwrap();
        let careful = instance(&database, START + MINUTE);
        assert_eq!(careful.picture("bea", Size::S64).await.hint.unwrap().url, first.url);
    }
}

#[tokio::test]
async fn what_is_known_of_a_picture_is_shared_so_that_nobody_reads_it_for_a_hint() {
    let store = Store::start().await;
    let (postgres, shared) = (Postgres::start().unwrap(), Redis::start().unwrap());
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    let redis = || redis::Redis::new(&[shared.url().parse().unwrap()]).unwrap();
    let server = store.another(database.clone(), Delivery::Proxy, Some(redis()));
    server.populate().await;
    let image = picture_of("bea");
    let length = server.collection.renditions.get(image, Size::S256).await.unwrap().bytes.len();
    let left = shared.command(&["TTL", &format!("profile_pic:meta:{image}")]).unwrap();
    let left_s = left.trim_start_matches(':').parse::<u64>().unwrap();
    assert!((119 * MINUTE..=120 * MINUTE).contains(&left_s), "{left_s}");
    store.gate.forget();

    let empty = Database::in_memory().await.unwrap();
    let from_postgres = store.another(database, Delivery::Proxy, None);
    let from_redis = store.another(empty, Delivery::Proxy, Some(redis()));
    let cases =
        [(&from_postgres, Layer::Source), (&from_redis, Layer::Redis), (&server, Layer::Memory)];
    for (instance, expected) in cases {
        let (hint, layer) = instance.collection.hints.get(image, Size::S256).await.unwrap();
        assert_eq!((hint.bytes, layer), (length as u64, expected));
    }
    assert_eq!(store.gate.count(&Method::GET, ""), 0);
}

#[tokio::test]
async fn a_hint_leads_to_this_server_while_the_store_is_away() {
    let store = Store::start().await;
    let server = store.server(Delivery::Presigned).await;
    store.gate.fail_with(Some(Fault::Status(StatusCode::SERVICE_UNAVAILABLE)));

    let hint = server.picture("bea", Size::S64).await.hint.unwrap();

    assert_eq!(hint.url, format!("/images/{}?size=64", picture_of("bea")));
    assert_eq!(hint.expires_in_s, None);
    let answer = server.browser("ada").await.get(&hint.url).await;
    assert_eq!((answer.status, answer.body.len() as u64), (StatusCode::OK, hint.bytes));
}

#[tokio::test]
async fn pictures_from_before_signed_urls_are_put_where_browsers_find_them() {
    let store = Store::start().await;
    let before = store.server(Delivery::Proxy).await;
    assert_eq!(store.gate.count(&Method::PUT, "/renditions/"), 0);
    let now = store.cold(&before, Delivery::Presigned);

    let hint = now.picture("bea", Size::S256).await.hint.unwrap();

    let answer = reqwest::get(&hint.url).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.bytes().await.unwrap().len() as u64, hint.bytes);
}

#[tokio::test]
async fn a_master_is_stored_once() {
    let store = Store::start().await;
    let server = store.server(Delivery::Proxy).await;
    let master = |id| format!("{}.webp", picture_of(id));
    assert_eq!(store.gate.count(&Method::PUT, &master("bea")), 1);

    server.collection.pictures.set_picture(&user("noah"), png(1)).await.unwrap(); // as bea's

    assert_eq!(store.gate.count(&Method::PUT, &master("bea")), 1);
    let objects = store.s3.bucket_folder().join("masters");
    assert!(objects.is_dir(), "{objects:?}");
}
