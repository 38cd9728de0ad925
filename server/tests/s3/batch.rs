use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use miniature_api::{BatchEntry, Hint, Size};
use miniature_server::{config::Delivery, images::image_id, limits::Limits, storage::NewPerson};
use tower::ServiceExt;

use crate::{
    fixture::{Browser, Fixture, picture_of, png, user},
    gate::Fault,
    store::Store,
};

/// Fifty people, each with a picture of their own.
async fn crowd(server: &Fixture) -> String {
    let ids = (0..50).map(|n| format!("u{n}")).collect::<Vec<_>>();
    let person = |id: &String| NewPerson {
        user_id: user(id),
        name: id.clone(),
        headline: String::new(),
        password_hash: None,
    };
    let people = ids.iter().map(person).collect::<Vec<_>>();
    server.collection.database.add_people(&people, &[]).await.unwrap();
    for (n, id) in (100..).zip(&ids) {
        server.collection.pictures.set_picture(&user(id), png(n)).await.unwrap();
    }
    format!("/api/images/batch?size=64&users={}", ids.join(","))
}

#[tokio::test]
async fn fifty_users_come_with_their_bytes_for_one_read_a_picture() {
    let store = Store::start().await;
    let origin = store.server(Delivery::Proxy).await;
    let path = crowd(&origin).await;
    let server = store.cold(&origin, Delivery::Proxy);
    let browser = server.browser("ada").await;
    store.gate.forget();

    let (one, other) = tokio::join!(browser.get(&path), browser.get(&path));

    for answer in [one, other] {
        assert_eq!(answer.parts().await.len(), 51, "the records and fifty pictures");
    }
    assert_eq!(store.gate.count(&Method::GET, "/masters/"), 50);
    assert_eq!(store.gate.count(&Method::GET, ""), 50);
    assert_eq!(browser.get(&path).await.parts().await.len(), 51);
    assert_eq!(store.gate.count(&Method::GET, ""), 50, "from memory");
}

/// What a batch says of each user, and how many pictures came along.
async fn entries(browser: &Browser<'_>, size: u32, users: &str) -> (Vec<Option<Hint>>, usize) {
    let path = format!("/api/images/batch?size={size}&users={users}");
    let parts = browser.get(&path).await.parts().await;
    let entries = serde_json::from_slice::<Vec<BatchEntry>>(&parts[0].body).unwrap();
    let hint = |entry| match entry {
        BatchEntry::Found { hint, .. } => hint.map(|hint| *hint),
        BatchEntry::Missing { .. } => None,
    };
    (entries.into_iter().map(hint).collect(), parts.len() - 1)
}

#[tokio::test]
async fn a_batch_says_where_the_store_has_what_is_large() {
    let store = Store::start().await;
    let server = store.server(Delivery::Presigned).await;
    let browser = server.browser("ada").await;

    let (hints, pictures) = entries(&browser, 256, "bea,nobody,dan:0,noah,cem:1").await;
    assert_eq!(pictures, 0);
    let named = hints.iter().map(Option::is_some).collect::<Vec<_>>();
    assert_eq!(named, [true, false, true, false, false], "of what is newer than what is held");
    for hint in hints.into_iter().flatten() {
        assert!(hint.expires_in_s >= Some(600), "{hint:?}");
        let bytes = reqwest::get(&hint.url).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes.len() as u64, hint.bytes);
    }

    for size in [64, 128] {
        assert_eq!(entries(&browser, size, "bea,dan").await, (vec![None, None], 2), "{size}");
    }
    let records = browser.get("/api/images/batch?size=512&users=bea&bytes=0").await;
    let [BatchEntry::Found { hint, .. }] = &records.json::<Vec<BatchEntry>>()[..] else { panic!() };
    assert!(hint.is_some(), "for those who fetch for themselves");
}

#[tokio::test]
async fn with_the_store_away_a_batch_brings_what_this_server_has() {
    let store = Store::start().await;
    let server = store.server(Delivery::Presigned).await;
    let browser = server.browser("ada").await;
    let path = format!("/images/{}?size=256", picture_of("bea"));
    assert_eq!(browser.get(&path).await.status, StatusCode::OK, "in memory from here on");
    store.gate.fail_with(Some(Fault::Status(StatusCode::SERVICE_UNAVAILABLE)));
    assert_eq!(entries(&browser, 256, "bea").await, (vec![None], 1));
}

#[tokio::test]
async fn without_signed_urls_all_come_along() {
    let store = Store::start().await;
    let server = store.server(Delivery::Proxy).await;
    let browser = server.browser("ada").await;
    assert_eq!(entries(&browser, 256, "bea,dan").await, (vec![None, None], 2));
}

#[tokio::test]
async fn however_many_ask_at_once_no_more_is_read_at_once_than_fits() {
    const AT_ONCE: usize = 5;
    let store = Store::start().await;
    let origin = store.server(Delivery::Proxy).await;
    crowd(&origin).await;
    let limits = Limits { rendition_loads: AT_ONCE, ..Limits::default() };
    let database = origin.collection.database.clone();
    let cold = store.another_within(database, Delivery::Proxy, None, &limits);
    let images = (100..150).map(|n| image_id(&png(n)));
    let all = images.flat_map(|image| Size::ALL.map(|size| (image, size)));
    store.gate.forget();

    let renditions = &cold.collection.renditions;
    let loads = all.map(|(image, size)| renditions.get(image, size));
    let loaded = join_all(loads).await;

    assert!(loaded.iter().all(Result::is_ok));
    assert_eq!(store.gate.most_at_once(), AT_ONCE);
}

#[tokio::test]
async fn an_image_that_there_is_not_is_looked_for_once_and_found_when_it_is_kept() {
    let store = Store::start().await;
    let server = store.server(Delivery::Proxy).await;
    let (browser, id) = (server.browser("ada").await, image_id(&png(99)));
    let paths = Size::ALL.map(|size| format!("/images/{id}?size={size}"));
    store.gate.forget();
    for path in paths.iter().cycle().take(20) {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(store.gate.count(&Method::GET, ""), 1);

    assert_eq!(browser.put(&[], png(99)).await.status, StatusCode::OK);
    std::fs::remove_dir_all(server.folder.path().join("images/renditions")).unwrap();
    assert_eq!(browser.get(&paths[0]).await.status, StatusCode::OK, "from its master");
}

#[tokio::test]
async fn nothing_is_read_far_ahead_of_a_slow_reader() {
    let store = Store::start().await;
    let origin = store.server(Delivery::Proxy).await;
    let path = crowd(&origin).await;
    let server = store.cold(&origin, Delivery::Proxy);
    let cookie = server.sign_in("ada", "secret").await.cookie();
    store.gate.forget();
    let request = Request::get(&path).header(header::COOKIE, cookie);
    let request = request.body(Body::empty()).unwrap();

    let mut body = server.router.clone().oneshot(request).await.unwrap().into_body();
    let records = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let pictures = body.frame().await.unwrap().unwrap().into_data().unwrap();

    assert!(records.starts_with(b"--") && pictures.starts_with(b"--"));
    let read = store.gate.count(&Method::GET, "/masters/");
    assert!((1..50).contains(&read), "{read} were read for who has taken two pieces");
    body.collect().await.unwrap();
    assert_eq!(store.gate.count(&Method::GET, "/masters/"), 50);
}
