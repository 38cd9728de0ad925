use std::time::Duration;

use axum::http::StatusCode;
use miniature_api::{Problem, Size};
use miniature_server::{config::Delivery, images::PictureError};

use crate::{
    fixture::{Answer, Fixture, picture_of, png, user},
    gate::Fault,
    store::Store,
};

fn path(user: &str) -> String {
    format!("/images/{}?size=64", picture_of(user))
}

/// Asks until the answer is right, as a browser does that was told to retry.
async fn until_it_is_there(server: &Fixture, user: &str) -> Answer {
    let browser = server.browser("ada").await;
    loop {
        let answer = browser.get(&path(user)).await;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await; // between two looks
    }
}

/// What is near is served, the rest is said to be away.
#[track_caller]
fn assert_away(answer: &Answer, name: &str) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{name}");
    assert_eq!(answer.header("retry-after"), "1", "{name}");
    assert_eq!(answer.header("cache-control"), "no-store", "{name}");
    let detail = answer.json::<Problem>().detail.unwrap();
    assert_eq!(detail, "down: images; try again in a moment", "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_store_does_answers_are_right_or_say_that_it_is_away() {
    for delivery in [Delivery::Proxy, Delivery::Presigned] {
        survive_faults(delivery).await;
    }
}

async fn survive_faults(delivery: Delivery) {
    let store = Store::start().await;
    let origin = store.server(delivery).await;
    let right = origin.browser("ada").await.get(&path("cem")).await.body;
    let faults = [
        Fault::Status(StatusCode::SERVICE_UNAVAILABLE),
        Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::Status(StatusCode::FORBIDDEN),
        Fault::HalfABody,
        Fault::HalfSaidToBeWhole,
        Fault::Page,
    ];
    for fault in faults {
        let name = format!("{delivery:?}: {fault:?}");
        let server = store.cold(&origin, delivery);
        let browser = server.browser("ada").await;
        browser.get(&path("bea")).await; // in memory and in files now
        store.gate.fail_with(Some(fault));

        assert_eq!(browser.get(&path("bea")).await.header("x-cache"), "HIT", "{name}");
        assert_away(&browser.get(&path("cem")).await, &name);
        let batch = "/api/images/batch?size=64&users=bea,cem";
        let batch = browser.get(batch).await.parts().await;
        assert_eq!(batch.len(), 2, "{name}: the records, and the picture that is near");

        store.gate.fail_with(None);
        let answer = until_it_is_there(&server, "cem").await;
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &right), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_gone_or_hangs_is_missed_once_and_found_again() {
    let mut store = Store::start().await;
    let origin = store.server(Delivery::Proxy).await;
    let server = store.cold(&origin, Delivery::Proxy);
    let browser = server.browser("ada").await;
    browser.get(&path("bea")).await;

    store.s3.kill();
    assert_away(&browser.get(&path("cem")).await, "gone");
    assert_eq!(browser.get(&path("bea")).await.status, StatusCode::OK);
    store.s3.restart().unwrap();
    assert_eq!(until_it_is_there(&server, "cem").await.status, StatusCode::OK);

    store.s3.hang().unwrap();
    assert_away(&browser.get(&path("dan")).await, "hangs");
    assert_eq!(browser.get(&path("bea")).await.status, StatusCode::OK);
    store.s3.resume().unwrap();
    assert_eq!(until_it_is_there(&server, "dan").await.status, StatusCode::OK);
}

#[tokio::test]
async fn files_serve_what_memory_has_lost_while_the_store_is_away() {
    let mut store = Store::start().await;
    let origin = store.server(Delivery::Proxy).await;
    store.s3.kill();
    // It drew every size of every picture when they were uploaded, and has none in memory.
    let answer = origin.browser("ada").await.get(&path("bea")).await;
    assert_eq!((answer.status, answer.header("x-cache")), (StatusCode::OK, "HIT"));
    assert!(answer.header("server-timing").contains(r#"renditions;desc="files""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_gaps_is_not_taken_for_the_whole_list_later() {
    let store = Store::start().await;
    let origin = store.server(Delivery::Proxy).await;
    let server = store.cold(&origin, Delivery::Proxy);
    let (browser, list) = (server.browser("ada").await, "/api/friends?pictures=64");
    store.gate.fail_with(Some(Fault::Status(StatusCode::SERVICE_UNAVAILABLE)));
    let gaps = browser.get(list).await;
    assert_eq!((gaps.status, gaps.header("cache-control")), (StatusCode::OK, "private, no-store"));
    let tag = gaps.header("etag").to_owned();
    assert_eq!(gaps.parts().await.len(), 1, "the list alone");

    store.gate.fail_with(None);
    until_it_is_there(&server, "bea").await;
    let healed = browser.get_with(list, "if-none-match", &tag).await;
    assert_eq!(healed.status, StatusCode::OK);
    assert_eq!(healed.parts().await.len(), 4);
    let whole = browser.get(list).await;
    assert_eq!(whole.header("cache-control"), "private, no-cache");
    let held = browser.get_with(list, "if-none-match", whole.header("etag")).await;
    assert_eq!(held.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_store_that_does_not_say_what_is_missing_is_found_out() {
    let store = Store::start().await;
    let objects = store.objects();
    assert_eq!(objects.tells_what_is_missing().await, Ok(true));
    store.gate.fail_with(Some(Fault::Status(StatusCode::FORBIDDEN)));
    assert_eq!(objects.tells_what_is_missing().await, Ok(false));
    store.gate.fail_with(Some(Fault::Status(StatusCode::SERVICE_UNAVAILABLE)));
    assert!(objects.tells_what_is_missing().await.is_err(), "it may have been restarted");
}

#[tokio::test]
async fn an_upload_that_cannot_be_kept_changes_nothing() {
    let store = Store::start().await;
    let server = store.server(Delivery::Presigned).await;
    store.gate.fail_with(Some(Fault::Status(StatusCode::SERVICE_UNAVAILABLE)));

    let refused = server.collection.pictures.set_picture(&user("bea"), png(200)).await;

    assert!(matches!(refused, Err(PictureError::Away(_))), "{refused:?}");
    let picture = server.picture("bea", Size::S64).await;
    assert_eq!(picture.record.image_id, Some(picture_of("bea")));
}
