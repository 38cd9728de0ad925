//! What the API's binding sends, that it stops when nobody waits, and signing in and out.

use std::{cell::RefCell, time::Duration};

use futures_util::FutureExt;
use miniature::{
    api::{BatchUser, Credentials, Lineage, Marker, Revision},
    browser::{
        clock,
        origin::{Api, Reader, SignInError},
    },
    cache::{
        core::{Fetched, Reply, Request},
        entry::Content,
        key::RenditionKey,
        layer::OriginError,
    },
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    samples::{GATEWAYS, NO_SESSION, SIZE, image, lineage, user},
    script::Replaced,
};

/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_secs(60);

/// Answers every `fetch` with what `answer` makes, and notes the request.
pub(crate) fn answering(answer: &str) -> Replaced {
    let function = format!(
        "(url, init) => {{ window.asked = {{ url, init }}; return (async () => {answer})(); }}"
    );
    Replaced::property("window", "fetch", &function)
}

fn asked(field: &str) -> String {
    js_sys::eval(&format!("String(window.asked.{field})")).unwrap().as_string().unwrap()
}

pub(crate) fn pictures() -> Request {
    let held = BatchUser { user_id: user("ada"), held: Some(Revision(12)) };
    let new = BatchUser { user_id: user("grace"), held: None };
    Request::Pictures { size: SIZE, users: vec![held, new] }
}

pub(crate) fn rendition(url: &str) -> Request {
    Request::Rendition { url: url.into(), key: RenditionKey { image: image(2), size: SIZE } }
}

pub(crate) async fn fetch(request: &Request, lineage: Option<Lineage>) -> Fetched<Content> {
    Api::default().fetch(request, lineage, &reader(&|_| {})).await
}

/// One that is told of pieces, and of no parts.
pub(crate) fn reader(progressed: &dyn Fn(u64)) -> Reader<'_> {
    Reader { limit: 1_000, part_every: LONG, progressed, arriving: &|_| {} }
}

#[wasm_bindgen_test]
async fn each_request_has_its_address_and_its_headers() {
    let _answer = answering("new Response('')");
    let friends = |cursor: Option<&str>, pictures, etag: Option<&str>| Request::Friends {
        cursor: cursor.map(Into::into),
        pictures,
        etag: etag.map(Into::into),
    };
    let cases = [
        (pictures(), "/api/images/batch?size=64&users=ada:12,grace", "multipart/form-data", "null"),
        (friends(None, None, None), "/api/friends?limit=50", "null", "null"),
        (
            friends(Some("a/b c"), Some(SIZE), Some("\"7\"")),
            "/api/friends?limit=50&cursor=a%2Fb%20c&pictures=64",
            "null",
            "\"7\"",
        ),
        (Request::Profile(user("ada")), "/api/users/ada", "null", "null"),
        (Request::Session, "/api/session", "null", "null"),
    ];
    for (request, url, accept, etag) in cases {
        for (lineage, header) in
            [(None, "null".to_owned()), (Some(lineage(1)), lineage(1).to_string())]
        {
            fetch(&request, lineage).await;
            assert_eq!(asked("init.headers.get('miniature-lineage')"), header, "{url}");
        }
        assert_eq!(asked("url"), url);
        assert_eq!(asked("init.method"), "GET", "{url}");
        assert_eq!(asked("init.headers.get('accept')"), accept, "{url}");
        assert_eq!(asked("init.headers.get('if-none-match')"), etag, "{url}");
        assert_eq!(asked("init.cache"), "no-store", "{url}");
        assert_eq!(asked("init.credentials"), "same-origin", "{url}");
        assert_eq!(asked("init.redirect"), "error", "{url}");
    }
}

#[wasm_bindgen_test]
async fn a_request_elsewhere_goes_there() {
    let _answer = answering("new Response('')");
    Api::at("https://api.example").fetch(&Request::Session, None, &reader(&|_| {})).await;
    assert_eq!(asked("url"), "https://api.example/api/session");
}

/// What the API names goes to a store: with nothing that says who asks.
#[wasm_bindgen_test]
async fn a_rendition_is_asked_for_where_the_hint_says() {
    let _answer = answering("new Response('')");
    let api = Api::at("https://api.example");
    for (hint, url) in [
        ("https://store.example/7?X-Amz-Signature=8", "https://store.example/7?X-Amz-Signature=8"),
        ("/images/7?size=64", "https://api.example/images/7?size=64"),
    ] {
        api.fetch(&rendition(hint), Some(lineage(1)), &reader(&|_| {})).await;
        assert_eq!(asked("url"), url);
        assert_eq!(asked("init.headers.get('miniature-lineage')"), "null");
        assert_eq!(asked("init.credentials"), "same-origin");
        assert_eq!(asked("init.cache"), "no-store");
    }
}

#[wasm_bindgen_test]
fn a_request_that_nobody_waits_for_is_aborted() {
    let _answer = answering("new Promise(() => {})");
    let request = pictures();
    let mut waiting = Box::pin(fetch(&request, None));
    assert!(waiting.as_mut().now_or_never().is_none());
    assert_eq!(asked("init.signal.aborted"), "false");

    drop(waiting);

    assert_eq!(asked("init.signal.aborted"), "true");
}

/// A body that brings one piece and then waits.
const STALLED: &str =
    "new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(7)); } }),
     { headers: { 'content-type': 'application/json' } })";

#[wasm_bindgen_test]
async fn a_body_that_nobody_waits_for_is_aborted() {
    let _answer = answering(STALLED);
    let heard = RefCell::new(Vec::new());
    let (api, progressed) = (Api::default(), |bytes| heard.borrow_mut().push(bytes));
    let reader = reader(&progressed);
    let mut waiting = Box::pin(api.fetch(&Request::Session, None, &reader).fuse());
    while heard.borrow().len() < 2 {
        let pause = miniature::browser::schedule::sleep(Duration::ZERO);
        futures_util::future::select(waiting.as_mut(), Box::pin(pause)).await;
    }
    assert_eq!(*heard.borrow(), [0, 7]);
    assert_eq!(asked("init.signal.aborted"), "false");
    drop(waiting);
    assert_eq!(asked("init.signal.aborted"), "true");
}

fn credentials() -> Credentials {
    Credentials { username: "ada".into(), password: "secret".into() }
}

#[wasm_bindgen_test]
async fn a_refused_sign_in_says_what_helps() {
    let problem = r#"{"type":"about:blank","title":"Bad request","status":422,"field":"username"}"#;
    let problem_answer = format!("new Response('{problem}', {{ status: 422 }})");
    let retry_after = Some(Duration::from_secs(30));
    let cases = [
        (
            "new Response('{}', { status: 401, headers: { 'content-type': 'application/problem+json' } })",
            SignInError::WrongPassword,
        ),
        (GATEWAYS[0], OriginError::Unreachable.into()),
        (
            "new Response('', { status: 429, headers: { 'retry-after': '30' } })",
            SignInError::TooMany { retry_after },
        ),
        (&problem_answer, SignInError::Refused(serde_json::from_str(problem).unwrap())),
        ("new Response('', { status: 400 })", OriginError::Status(400).into()),
        ("new Response('', { status: 503 })", OriginError::Status(503).into()),
        ("new Response('{', { status: 200 })", OriginError::Malformed.into()),
        ("{ throw new TypeError('offline'); }", OriginError::Unreachable.into()),
    ];
    for (answer, expected) in cases {
        let _answer = answering(answer);
        let answer = Api::default().sign_in(&credentials(), LONG).await;
        assert_eq!(answer, Err(expected), "{answer:?}");
    }
    assert_eq!(asked("init.body"), r#"{"username":"ada","password":"secret"}"#);
    assert_eq!(asked("init.cache"), "no-store");
}

#[wasm_bindgen_test]
async fn signing_out_names_the_session_and_without_one_it_is_no_error() {
    let outcomes = [
        ("new Response(null, { status: 204 })", Ok(Reply::SignedOut)),
        (NO_SESSION, Ok(Reply::SignedOut)),
        (GATEWAYS[0], Err(OriginError::Unreachable)),
        ("new Response('<p>Welcome', { status: 200 })", Err(OriginError::Malformed)),
        ("new Response('', { status: 500 })", Err(OriginError::Status(500))),
    ];
    for (marker, named) in [("ada.0123abcd", "ada.0123abcd"), ("", "null")] {
        let request = Request::SignOut(Marker::from(marker.to_owned()));
        for (answer, expected) in &outcomes {
            let _answer = answering(answer);
            let outcome = fetch(&request, None).await.outcome.map_err(|refusal| refusal.error);
            assert_eq!(outcome, *expected, "{answer}");
        }
        assert_eq!((asked("url"), asked("init.method")), ("/api/session".into(), "DELETE".into()));
        assert_eq!(asked("init.headers.get('miniature-session')"), named);
    }
}

#[wasm_bindgen_test]
async fn an_answer_says_to_whom_it_was_given() {
    for (header, expected) in [("ada", Some(user("ada"))), ("a b", None), ("", None)] {
        let headers = format!("{{ headers: {{ 'miniature-account': '{header}' }} }}");
        let _answer = answering(&format!("new Response('', {headers})"));
        assert_eq!(fetch(&Request::Session, None).await.account, expected, "{header}");
    }
}

#[wasm_bindgen_test]
async fn a_server_that_is_silent_is_given_up_and_the_request_aborted() {
    let silence = Duration::from_millis(50);
    for answer in ["new Promise(() => {})", STALLED] {
        let _answer = answering(answer);
        let signed_in = Api::default().sign_in(&credentials(), silence).await;
        assert_eq!(signed_in, Err(OriginError::Unreachable.into()), "{answer}");
        assert_eq!(asked("init.signal.aborted"), "true", "{answer}");
    }
}

#[wasm_bindgen_test]
async fn a_slow_answer_is_not_silent() {
    let _answer = answering(
        "new Response(new ReadableStream({ async pull(c) {
             this.text ??= [...'{\"user_id\":\"ada\",\"name\":\"Ada\",\"picture\":{\"user_id\":\"ada\",\"revision\":0}}'];
             await new Promise((done) => setTimeout(done, 20));
             if (this.text.length === 0) return c.close();
             c.enqueue(new TextEncoder().encode(this.text.splice(0, 4).join('')));
         } }))",
    );
    let before = clock::now().running;
    let account = Api::default().sign_in(&credentials(), Duration::from_millis(250)).await;
    assert_eq!(account.map(|account| account.user_id), Ok(user("ada")));
    assert!(clock::now().running - before > Duration::from_millis(250), "it was slow");
}
