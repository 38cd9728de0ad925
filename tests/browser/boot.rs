//! What `boot.js` asks for, and that the app takes it once, in time, and of the same account.

use std::time::Duration;

use miniature::{
    api::Size,
    browser::{
        clock, cookies,
        origin::{Api, take_boot},
    },
    cache::core::{Fetched, Reply, Request},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    requests::reader,
    samples::{NO_SESSION, lineage, user},
    script::{self, Replaced},
};

const AGE: Duration = Duration::from_secs(60);
const FRIENDS: Request = Request::Friends { cursor: None, pictures: Some(Size::S64), etag: None };
const MARKER: &str = "miniature_account";

/// The account marker, until dropped.
struct Marked;

impl Marked {
    fn as_of(marker: &str) -> Self {
        cookies::set(MARKER, marker, AGE);
        Self
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        cookies::remove(MARKER);
    }
}

/// What `boot.js` leaves, `age` milliseconds ago.
fn booted(age: u32) -> Replaced {
    Replaced::by(&format!(
        "const headers = {{ 'content-type': 'application/json', etag: '\"7\"', 'miniature-lineage': '{}' }};
         const abort = {{ friends: new AbortController(), session: new AbortController() }};
         window.aborted = () => [abort.friends, abort.session].map(({{ signal }}) => signal.aborted).join();
         window.__miniature = {{
             friends: Promise.resolve(new Response('{{\"friends\":[],\"next\":\"c\"}}', {{ headers }})),
             session: Promise.resolve({NO_SESSION}),
             pictures: 128, marker: 'ada.1', asked_at: performance.now() - {age}, abort,
         }};
         return () => {{ delete window.__miniature; }};",
        lineage(1)
    ))
}

fn eval(script: &str) -> String {
    js_sys::eval(&format!("String({script})")).unwrap().as_string().unwrap()
}

#[wasm_bindgen_test]
async fn each_request_is_taken_once_and_read() {
    let _marked = Marked::as_of("ada.1");
    let _boot = booted(1_000);

    let begun = take_boot(&FRIENDS, AGE).unwrap();
    assert!(take_boot(&FRIENDS, AGE).is_none());
    let fetched = Api::default().fetch_begun(begun, &FRIENDS, &reader(&|_| {})).await;

    let Fetched { lineage: told, asked, outcome, .. } = fetched;
    assert_eq!(told, Some(lineage(1)));
    let age = clock::now().running - asked.unwrap();
    assert!(age >= Duration::from_millis(990) && age < AGE, "{age:?}");
    let Ok(Reply::Friends(Some(reply))) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reply.page.next.as_deref(), Some("c"));
    assert_eq!(reply.etag.as_deref(), Some("\"7\""));
    assert_eq!(reply.pictures, Some(Size::S128), "as boot.js chose");

    assert_eq!(eval("window.aborted()"), "true,false", "the other is still on its way");
    let begun = take_boot(&Request::Session, AGE).unwrap();
    let fetched = Api::default().fetch_begun(begun, &Request::Session, &reader(&|_| {})).await;
    assert_eq!(fetched.outcome, Ok(Reply::Session(None)));
    assert!(take_boot(&Request::Session, AGE).is_none());
}

#[wasm_bindgen_test]
fn a_request_that_nobody_waits_for_is_aborted_alone() {
    let _marked = Marked::as_of("ada.1");
    let _boot = booted(0);
    drop(take_boot(&FRIENDS, AGE).unwrap());
    assert_eq!(eval("window.aborted()"), "true,false");
}

#[wasm_bindgen_test]
fn what_is_old_or_of_another_account_is_aborted_and_forgotten() {
    let cases = [
        ("too old", "ada.1", 0, Duration::ZERO),
        ("another account's", "grace.1", 0, AGE),
        ("another sign-in's", "ada.2", 0, AGE),
        ("of the future", "ada.1", 60_000, AGE),
    ];
    for (name, marker, ahead, age) in cases {
        for request in [FRIENDS, Request::Session] {
            let _marked = Marked::as_of(marker);
            let _boot = booted(0);
            js_sys::eval(&format!("window.__miniature.asked_at += {ahead}")).unwrap();
            assert!(take_boot(&request, age).is_none(), "{name}");
            assert_eq!(eval("window.aborted()"), "true,true", "{name}");
            assert_eq!(eval("window.__miniature"), "undefined", "{name}");
        }
    }
    let _boot = booted(0);
    assert!(take_boot(&FRIENDS, AGE).is_none(), "nobody is signed in");
    assert_eq!(eval("window.aborted()"), "true,true");
}

#[wasm_bindgen_test]
fn other_requests_leave_it_alone() {
    let _marked = Marked::as_of("ada.1");
    let _boot = booted(0);
    let others = [
        Request::Friends { cursor: Some("c".into()), pictures: None, etag: None },
        Request::Friends { cursor: None, pictures: None, etag: Some("\"7\"".into()) },
        Request::Profile(user("ada")),
        Request::Pictures { size: Size::S64, users: Vec::new() },
    ];
    for request in others {
        assert!(take_boot(&request, AGE).is_none(), "{request:?}");
    }
    assert_eq!(eval("window.aborted()"), "false,false");
    assert!(take_boot(&FRIENDS, AGE).is_some());
}

#[wasm_bindgen_test]
fn without_boot_there_is_nothing_to_take() {
    let _marked = Marked::as_of("ada.1");
    assert!(take_boot(&FRIENDS, AGE).is_none());
    for garbage in ["'garbage'", "{ marker: 'ada.1', asked_at: performance.now(), friends: 1 }"] {
        let _boot = Replaced::by(&format!(
            "window.__miniature = {garbage}; return () => {{ delete window.__miniature; }};"
        ));
        assert!(take_boot(&FRIENDS, AGE).is_none(), "{garbage}");
    }
}

/// Runs the script itself, with this many device pixels to one. Returns what it asked for.
async fn boot(pixels: f64) -> Vec<String> {
    let fetch = "(url, init) => {
         window.calls.push([url, init.cache, init.redirect, init.headers['miniature-lineage'] ?? ''].join(' '));
         window.signals.push(init.signal);
         return window.answers.shift() ?? Promise.resolve(new Response(''));
     }";
    js_sys::eval("window.calls = []; window.signals = []; window.answers ??= [];").unwrap();
    let _fetch = Replaced::property("window", "fetch", fetch);
    let _pixels = Replaced::property("window", "devicePixelRatio", &pixels.to_string());
    js_sys::eval(include_str!("../../scripts/boot.js")).unwrap();
    let calls = eval("window.calls.join('|')");
    calls.split('|').filter(|call| !call.is_empty()).map(str::to_owned).collect()
}

fn stored(key: &str, value: &str) -> Replaced {
    Replaced::by(&format!(
        "localStorage.setItem('{key}', '{value}'); return () => localStorage.removeItem('{key}');"
    ))
}

#[wasm_bindgen_test]
async fn the_script_asks_on_a_cold_visit_for_what_the_app_takes() {
    assert!(boot(1.0).await.is_empty(), "nobody is signed in");
    let _marked = Marked::as_of("ada.1");
    let session = "/api/session no-store error ";
    for (pixels, size) in [(1.0, 64), (1.5, 64), (2.0, 128), (3.0, 128), (4.0, 256), (20.0, 512)] {
        let friends = format!("/api/friends?limit=50&pictures={size} no-store error ");
        assert_eq!(boot(pixels).await, [session.to_owned(), friends], "{pixels}");
    }
    assert!(take_boot(&FRIENDS, AGE).is_some());
    assert!(take_boot(&Request::Session, AGE).is_some());
    // What was not read is aborted: each request has its own signal.
    assert_eq!(eval("window.signals.map(({ aborted }) => aborted).join()"), "true,true");

    let held = lineage(2).to_string();
    let _lineage = stored("miniature:v1:ada:lineage", &held);
    assert!(boot(1.0).await.iter().all(|call| call.ends_with(&held)));

    cookies::set("miniature_list", "ada", AGE);
    assert_eq!(boot(1.0).await, [format!("{session}{held}")], "IndexedDB holds the list");
    cookies::remove("miniature_list");
    let _account = stored("miniature:v1:account", r#"{"user_id":"ada"}"#);
    let _page = stored("miniature:v1:ada:page:friends", "{}");
    assert!(boot(1.0).await.is_empty(), "a warm visit");
    let of_ada = boot_as("grace.2").await;
    assert_eq!(of_ada.len(), 2, "what is stored is not hers: {of_ada:?}");
    {
        let _owed = stored("miniature:v1:sign-out-owed", "grace.2");
        assert!(boot_as("grace.2").await.is_empty(), "her session is to end");
    }
    js_sys::eval("delete window.__miniature").unwrap();
}

async fn boot_as(marker: &str) -> Vec<String> {
    cookies::set(MARKER, marker, AGE);
    boot(1.0).await
}

#[wasm_bindgen_test]
async fn a_request_of_the_script_that_fails_is_none_to_take() {
    let _marked = Marked::as_of("ada.1");
    js_sys::eval("window.answers = [Promise.resolve(new Response('')), Promise.reject(new TypeError('offline'))]").unwrap();
    boot(1.0).await;
    script::run("await 0;", &[]).await;
    assert!(take_boot(&FRIENDS, AGE).is_none());
    assert!(take_boot(&Request::Session, AGE).is_some());
    js_sys::eval("delete window.__miniature").unwrap();
}
