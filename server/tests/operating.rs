//! The command as an operator meets it: its log, and how it stops.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{RequestBuilder, StatusCode, header};
use serde_json::Value;
use tokio::time::Instant;

mod command_line;

use command_line::{Server, client};

/// Requests under way are given 10 seconds; a stop that nothing holds up needs a part of one.
const HELD_UP: Duration = Duration::from_secs(5);

#[tokio::test]
async fn nothing_secret_is_logged_however_much_is() {
    let mut server = Server::start(&[("RUST_LOG", "trace"), ("MINIATURE_LOG_FORMAT", "json")]);
    let client = client();
    assert_eq!(server.sign_in(&client, "a-wrong-password").await, None);
    let cookie = server.sign_in(&client, "miniature").await.unwrap();
    let friends = client.get(server.url("/api/friends?limit=2&pictures=64"));
    let friends = friends.header(header::COOKIE, &cookie).header("x-request-id", "our-own-id");
    assert_eq!(friends.send().await.unwrap().headers()["x-request-id"], "our-own-id");
    let answer = client.get(server.url("/api/friends")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let given = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert!(server.stop().success());

    let log = server.log();
    let token = cookie.split_once('=').unwrap().1;
    for secret in [token, "a-wrong-password", "\"miniature\"", "miniature_session", "argon2id"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ids = lines.filter_map(|line| Some(line["span"]["id"].as_str()?.to_owned()));
    let ids = ids.collect::<Vec<_>>();
    assert!(ids.contains(&"our-own-id".to_owned()) && ids.contains(&given), "{ids:?}");
}

#[tokio::test]
async fn a_browser_that_has_seen_a_later_lineage_is_logged_with_what_to_do_about_it() {
    const LATER: &str = "9999999999999-ffffffffffffffff";
    let mut server = Server::start(&[]);
    let client = client();
    let cookie = server.sign_in(&client, "miniature").await.unwrap();
    let ask = |cookie: &str| {
        let request = client.get(server.url("/api/friends")).header(header::COOKIE, cookie);
        request.header("miniature-lineage", LATER).send()
    };
    let stranger = ask("miniature_session=AAAA").await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert!(!server.log().contains(LATER), "a stranger can say anything");

    for _ in 0..3 {
        assert_eq!(ask(&cookie).await.unwrap().status(), StatusCode::OK);
    }
    assert!(server.stop().success());

    let log = server.log();
    let lines = log.lines().filter(|line| line.contains(LATER)).collect::<Vec<_>>();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("WARN") && lines[0].contains("`miniature-server lineage renew`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_drops_no_request() {
    let mut server = Server::start(&[]);
    let client = client();
    let cookie = server.sign_in(&client, "miniature").await.unwrap();
    let answered = Arc::new(AtomicU64::new(0));
    let askers = (0..16).map(|_| {
        let url = server.url("/api/friends?pictures=64");
        let request = client.get(url).header(header::COOKIE, &cookie);
        tokio::spawn(ask_until_turned_away(request, Arc::clone(&answered)))
    });
    let askers = askers.collect::<Vec<_>>();
    while answered.load(Ordering::SeqCst) < 200 {
        tokio::task::yield_now().await;
    }

    let ended = tokio::task::spawn_blocking(move || server.stop()).await.unwrap();

    assert!(ended.success());
    for asker in askers {
        asker.await.unwrap();
    }
}

/// Asks again and again, as a proxy does, until told that the connection closes.
async fn ask_until_turned_away(request: RequestBuilder, answered: Arc<AtomicU64>) {
    loop {
        let answer = request.try_clone().unwrap().send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let last = answer.headers().contains_key(header::CONNECTION);
        let body = answer.bytes().await.unwrap();
        assert!(body.ends_with(b"--\r\n"), "it is whole");
        answered.fetch_add(1, Ordering::SeqCst);
        if last {
            break;
        }
    }
}

#[tokio::test]
async fn an_open_stream_of_events_ends_at_once_and_holds_up_no_stop() {
    let mut server = Server::start(&[("MINIATURE_DRAIN_S", "0")]);
    let client = client();
    let cookie = server.sign_in(&client, "miniature").await.unwrap();
    let request = client.get(server.url("/api/events")).header(header::COOKIE, &cookie);
    let mut stream = request.send().await.unwrap();
    assert!(stream.chunk().await.unwrap().unwrap().starts_with(b"id: "));

    let since = Instant::now();
    let ended = tokio::task::spawn_blocking(move || server.stop());

    assert_eq!(stream.chunk().await.unwrap(), None, "it ends, it does not break");
    assert!(ended.await.unwrap().success());
    assert!(since.elapsed() < HELD_UP, "{:?}", since.elapsed());
}
