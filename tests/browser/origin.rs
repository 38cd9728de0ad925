//! The API's binding: what it asks, what it makes of answers, and that it stops asking.

use std::time::Duration;

use futures_util::FutureExt;
use miniature::{
    api::{BatchEntry, BatchUser, Credentials, Revision},
    browser::origin::{Api, FriendsQuery, SignInError},
    cache::layer::{BatchAnswer, Origin, OriginError},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    samples::{PIXEL, SIZE, image, record, rendition, user},
    script::Replaced,
};

/// Answers every `fetch` with what `answer` makes, and notes the request.
fn fetch(answer: &str) -> Replaced {
    let function = format!(
        "(url, init) => {{ window.asked = {{ url, init }}; return (async () => {answer})(); }}"
    );
    Replaced::property("window", "fetch", &function)
}

fn asked(field: &str) -> String {
    js_sys::eval(&format!("String(window.asked.{field})")).unwrap().as_string().unwrap()
}

async fn batch() -> Result<BatchAnswer, OriginError> {
    let held = BatchUser { user_id: user("ada"), held: Some(Revision(12)) };
    let new = BatchUser { user_id: user("grace"), held: None };
    Api::default().batch(SIZE, &[held, new]).await
}

#[wasm_bindgen_test]
async fn a_batch_is_one_request_and_one_answer() {
    let grace = record("grace", 2).record;
    let records = serde_json::to_string(&[BatchEntry::Found(grace.clone())]).unwrap();
    let picture = image(2);
    let answer = fetch(&format!(
        "{{ const form = new FormData();
            form.append('records', '{records}');
            form.append('{picture}', new Blob([new Uint8Array({PIXEL:?})], {{ type: 'image/webp' }}));
            return new Response(form); }}"
    ));

    let got = batch().await.unwrap();

    assert_eq!(got.entries, [BatchEntry::Found(grace)]);
    assert_eq!(got.renditions.len(), 1);
    assert_eq!((got.renditions[0].0, &got.renditions[0].1[..]), (picture, &PIXEL[..]));
    assert_eq!(asked("url"), "/api/images/batch?size=64&users=ada:12,grace");
    assert_eq!(asked("init.credentials"), "same-origin");
    assert_eq!(asked("init.redirect"), "error");
    drop(answer);
}

#[wasm_bindgen_test]
async fn an_answer_that_is_not_as_promised_is_told_apart() {
    let json = "{ headers: { 'content-type': 'application/json' } }";
    let form = |part: &str| {
        format!("{{ const f = new FormData(); f.append({part}); return new Response(f); }}")
    };
    let cases = [
        (
            "no network",
            "{ throw new TypeError('Failed to fetch'); }".into(),
            OriginError::Unreachable,
        ),
        ("signed out", "new Response('', { status: 401 })".into(), OriginError::SignedOut),
        ("refused", "new Response('', { status: 422 })".into(), OriginError::Status(422)),
        ("broken", "new Response('', { status: 500 })".into(), OriginError::Status(500)),
        ("a page", "new Response('<html>')".into(), OriginError::Malformed),
        ("other JSON", format!("new Response('{{}}', {json})"), OriginError::Malformed),
        ("no records", form(&format!("'{}', 'x'", image(1))), OriginError::Malformed),
        ("an unknown part", form("'cookies', 'x'"), OriginError::Malformed),
        (
            "a connection that breaks",
            "new Response(new ReadableStream({ start(c) { c.error(new TypeError('reset')); } }), \
             { headers: { 'content-type': 'multipart/form-data; boundary=a' } })"
                .into(),
            OriginError::Unreachable,
        ),
    ];
    for (name, answer, expected) in cases {
        let _answer = fetch(&answer);
        assert_eq!(batch().await, Err(expected), "{name}");
    }
}

#[wasm_bindgen_test]
fn a_request_that_nobody_waits_for_is_aborted() {
    let answer = fetch("new Promise(() => {})");
    let mut request = Box::pin(batch());
    assert!(request.as_mut().now_or_never().is_none());
    assert_eq!(asked("init.signal.aborted"), "false");

    drop(request);

    assert_eq!(asked("init.signal.aborted"), "true");
    drop(answer);
}

#[wasm_bindgen_test]
async fn only_what_decodes_is_said_to() {
    let api = Api::default();
    assert!(api.decodes(&rendition(image(1), &PIXEL)).await);
    assert!(!api.decodes(&rendition(image(1), &PIXEL[..30])).await);
    assert!(!api.decodes(&rendition(image(1), b"<html>")).await);
}

#[wasm_bindgen_test]
async fn a_page_of_friends_that_has_not_changed_is_not_sent() {
    let answer = fetch("new Response(null, { status: 304 })");
    let cursor = Some("a/b c".to_owned());
    let query = FriendsQuery { cursor, pictures: Some(SIZE), etag: Some("\"7\"".into()) };

    assert_eq!(Api::default().friends(&query).await, Ok(None));

    assert_eq!(asked("url"), "/api/friends?limit=50&cursor=a%2Fb%20c&pictures=64");
    assert_eq!(asked("init.headers.get('if-none-match')"), "\"7\"");
    drop(answer);
}

#[wasm_bindgen_test]
async fn an_unknown_profile_is_none() {
    let _answer = fetch("new Response('', { status: 404 })");
    assert_eq!(Api::default().profile(&user("nobody")).await, Ok(None));
    assert_eq!(asked("url"), "/api/users/nobody");
}

#[wasm_bindgen_test]
async fn a_refused_sign_in_says_what_helps() {
    let problem = r#"{"type":"about:blank","title":"Bad request","status":422,"field":"username"}"#;
    let problem_answer = format!("new Response('{problem}', {{ status: 422 }})");
    let retry_after = Some(Duration::from_secs(30));
    let cases = [
        ("new Response('', { status: 401 })", SignInError::WrongPassword),
        (
            "new Response('', { status: 429, headers: { 'retry-after': '30' } })",
            SignInError::TooMany { retry_after },
        ),
        (&problem_answer, SignInError::Refused(serde_json::from_str(problem).unwrap())),
        ("new Response('', { status: 400 })", OriginError::Status(400).into()),
        ("new Response('', { status: 503 })", OriginError::Status(503).into()),
        ("{ throw new TypeError('offline'); }", OriginError::Unreachable.into()),
    ];
    let credentials = Credentials { username: "ada".into(), password: "secret".into() };
    for (answer, expected) in cases {
        let _answer = fetch(answer);
        assert_eq!(Api::default().sign_in(&credentials).await, Err(expected), "{answer}");
    }
    assert_eq!(asked("init.body"), r#"{"username":"ada","password":"secret"}"#);
}

#[wasm_bindgen_test]
async fn signing_out_without_a_session_is_no_error() {
    for status in [204, 401] {
        let _answer = fetch(&format!("new Response(null, {{ status: {status} }})"));
        assert_eq!(Api::default().sign_out().await, Ok(()), "{status}");
    }
    let _answer = fetch("new Response('', { status: 500 })");
    assert_eq!(Api::default().sign_out().await, Err(OriginError::Status(500)));
}
