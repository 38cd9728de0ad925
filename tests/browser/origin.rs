//! What the API's binding makes of answers.

use std::{cell::RefCell, time::Duration};

use miniature::{
    api::{BatchEntry, Friend, FriendsPage, Hint, NotFound, Record},
    browser::origin::{Api, Reader},
    cache::{
        core::{Fetched, FriendsReply, Refusal, Reply, Request},
        entry::Content,
        layer::OriginError,
        raster::{RasterError, RasterType},
    },
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    requests::{answering, fetch, pictures, reader, rendition},
    samples::{
        GATEWAYS, NO_SESSION, PIXEL, SIZE, container, image, lineage, profile, record, user,
    },
};

const FRIENDS: Request = Request::Friends { cursor: None, pictures: Some(SIZE), etag: None };

fn revalidated() -> Request {
    Request::Friends { cursor: None, pictures: Some(SIZE), etag: Some("\"7\"".into()) }
}

/// A multipart answer: the JSON part, and images by number.
fn form(part: &str, json: &str, images: &[(u8, &[u8])]) -> String {
    let images: String = images
        .iter()
        .map(|(number, bytes)| {
            let image = image(*number);
            format!("form.append('{image}', new Blob([new Uint8Array({bytes:?})], {{ type: 'image/webp' }}));")
        })
        .collect();
    format!(
        "{{ const form = new FormData();
            form.append('{part}', '{json}');
            {images}
            return new Response(form, {{ headers: {{ etag: '\"8\"', 'miniature-lineage': '{}' }} }}); }}",
        lineage(1)
    )
}

async fn outcome(request: &Request) -> Result<Reply<Content>, Refusal> {
    fetch(request, None).await.outcome
}

fn webp(bytes: &[u8]) -> Content {
    Content::Bytes(RasterType::Webp, bytes.into())
}

#[wasm_bindgen_test]
async fn a_batch_brings_records_and_renditions_that_are_what_they_claim() {
    let grace = record("grace", 2).record;
    let nobody = BatchEntry::Missing { user_id: user("ada"), error: NotFound::NotFound };
    let entries = vec![nobody, grace.into()];
    let json = serde_json::to_string(&entries).unwrap();
    let large = [0; 1_001];
    let images: [(u8, &[u8]); 4] = [(2, &container()), (3, &PIXEL), (4, b"<html>"), (5, &large)];
    let _answer = answering(&form("records", &json, &images));

    let Fetched { lineage: told, asked, outcome, .. } = fetch(&pictures(), None).await;

    assert_eq!((told, asked), (Some(lineage(1)), None));
    let renditions = vec![
        (image(2), Ok(webp(&container()))),
        (image(3), Err(RasterError::WrongSize)),
        (image(4), Err(RasterError::NotWebp)),
        (image(5), Err(RasterError::TooLarge)),
    ];
    assert_eq!(outcome, Ok(Reply::Pictures { entries, renditions }));
}

#[wasm_bindgen_test]
async fn a_rendition_from_a_store_is_what_was_asked_for_or_refused() {
    let body = |bytes: &[u8]| format!("new Response(new Uint8Array({bytes:?}))");
    let refused = Err(OriginError::Status(403).into());
    let cases = [
        (body(&container()), Ok(Reply::Rendition((image(2), Ok(webp(&container())))))),
        (body(&PIXEL), Ok(Reply::Rendition((image(2), Err(RasterError::WrongSize))))),
        (body(b"<html>"), Ok(Reply::Rendition((image(2), Err(RasterError::NotWebp))))),
        ("new Response('<Error/>', { status: 403 })".to_owned(), refused),
        ("Promise.reject(new TypeError())".to_owned(), Err(OriginError::Unreachable.into())),
    ];
    for (answer, expected) in cases {
        let _answer = answering(&answer);
        assert_eq!(outcome(&rendition("https://store.example/2")).await, expected, "{answer}");
    }
}

#[wasm_bindgen_test]
async fn a_record_may_say_where_its_bytes_are() {
    let (content_type, url) = ("image/webp".to_owned(), "https://store.example/2".to_owned());
    let hint = Hint { url, expires_in_s: Some(3_000), content_type, bytes: 7 };
    let hint = Some(Box::new(hint));
    let entries = vec![BatchEntry::Found { record: record("grace", 2).record, hint }];
    let json = serde_json::to_string(&entries).unwrap();
    let _answer = answering(&form("records", &json, &[]));
    let renditions = Vec::new();
    assert_eq!(outcome(&pictures()).await, Ok(Reply::Pictures { entries, renditions }));
}

/// Once it failed all 50.
#[wasm_bindgen_test]
async fn a_batch_line_that_a_newer_server_words_differently_costs_that_user_alone() {
    let known = BatchEntry::from(record("grace", 2).record);
    let line = serde_json::to_string(&known).unwrap();
    let json = format!(
        r#"[{{"user_id":"ada","revision":"12b"}},{line},7,{{"user_id":"eve","error":"moved"}}]"#
    );
    let _answer = answering(&form("records", &json, &[]));
    let entries = vec![known];
    let renditions = Vec::new();
    assert_eq!(outcome(&pictures()).await, Ok(Reply::Pictures { entries, renditions }));
}

#[wasm_bindgen_test]
async fn a_page_of_friends_comes_with_its_pictures_and_its_name() {
    let page = FriendsPage { friends: Vec::new(), next: Some("c".into()) };
    let json = serde_json::to_string(&page).unwrap();
    let _answer = answering(&form("friends", &json, &[(2, &container())]));
    let renditions = vec![(image(2), Ok(webp(&container())))];
    let reply = FriendsReply { page, etag: Some("\"8\"".into()), pictures: Some(SIZE), renditions };
    assert_eq!(outcome(&FRIENDS).await, Ok(Reply::Friends(Some(reply))));
}

#[wasm_bindgen_test]
async fn a_page_that_has_not_changed_is_not_sent() {
    let _answer = answering("new Response(null, { status: 304 })");
    let fetched = fetch(&revalidated(), None).await;
    assert_eq!((fetched.lineage, fetched.outcome), (None, Ok(Reply::Friends(None))));
    let odd = Err(OriginError::Status(304).into());
    assert_eq!(outcome(&FRIENDS).await, odd, "there is nothing that it could be the same as");
}

#[wasm_bindgen_test]
async fn a_profile_is_missing_only_if_our_server_says_so() {
    let request = Request::Profile(user("ada"));
    let problem = "{ 'content-type': 'application/problem+json; charset=utf-8' }";
    let miniature::cache::document::Body::Profile(ada) = profile("ada").body else { panic!() };
    let json = serde_json::to_string(&ada).unwrap();
    let not_found: Result<Reply<Content>, Refusal> = Err(OriginError::Status(404).into());
    let cases = [
        (
            format!("new Response('{{}}', {{ status: 404, headers: {problem} }})"),
            Ok(Reply::Profile(None)),
        ),
        ("new Response('<html>', { status: 404 })".into(), not_found.clone()),
        (format!("new Response('{json}')"), Ok(Reply::Profile(Some(ada)))),
    ];
    for (answer, expected) in cases {
        let _answer = answering(&answer);
        assert_eq!(outcome(&request).await, expected, "{answer}");
    }
    let _answer =
        answering(&format!("new Response('{{}}', {{ status: 404, headers: {problem} }})"));
    assert_eq!(outcome(&FRIENDS).await, not_found);
}

#[wasm_bindgen_test]
async fn that_nobody_is_signed_in_answers_one_question_and_refuses_the_others() {
    let _answer = answering(NO_SESSION);
    assert_eq!(outcome(&Request::Session).await, Ok(Reply::Session(None)));
    for request in [pictures(), FRIENDS, Request::Profile(user("ada"))] {
        assert_eq!(outcome(&request).await, Err(OriginError::SignedOut.into()), "{request:?}");
    }
}

#[wasm_bindgen_test]
async fn a_gateway_that_wants_a_password_is_a_server_out_of_reach() {
    for gateway in GATEWAYS {
        let _answer = answering(gateway);
        for request in [Request::Session, pictures(), FRIENDS, Request::Profile(user("ada"))] {
            let unreachable = Err(OriginError::Unreachable.into());
            assert_eq!(outcome(&request).await, unreachable, "{request:?}: {gateway}");
        }
    }
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
        ("refused", "new Response('', { status: 422 })".into(), OriginError::Status(422)),
        ("broken", "new Response('', { status: 500 })".into(), OriginError::Status(500)),
        ("a page", "new Response('<html>')".into(), OriginError::Malformed),
        ("other JSON", format!("new Response('{{}}', {json})"), OriginError::Malformed),
        ("no body", "new Response(null, { status: 204 })".into(), OriginError::Malformed),
        ("no records", form(&format!("'{}', 'x'", image(1))), OriginError::Malformed),
        ("an unknown part", form("'cookies', 'x'"), OriginError::Malformed),
        (
            "a connection that breaks",
            "new Response(new ReadableStream({ start(c) { c.error(new TypeError('reset')); } }), \
             { headers: { 'content-type': 'multipart/form-data; boundary=a' } })"
                .into(),
            OriginError::Unreachable,
        ),
        (
            "a body of something else than bytes",
            format!(
                "new Response(new ReadableStream({{ start(c) {{ c.enqueue('x'); }} }}), {json})"
            ),
            OriginError::Malformed,
        ),
    ];
    for (name, answer, expected) in cases {
        let _answer = answering(&answer);
        for request in [pictures(), FRIENDS] {
            let refused = outcome(&request).await;
            // Chromium and Firefox fail such a body by themselves.
            if name.starts_with("a body of") && refused == Err(OriginError::Unreachable.into()) {
                continue;
            }
            assert_eq!(refused, Err(expected.into()), "{name}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_lineage_that_cannot_be_read_is_none() {
    for header in ["", "'miniature-lineage': '1767225600000'"] {
        let _answer =
            answering(&format!("new Response('', {{ status: 503, headers: {{ {header} }} }})"));
        assert_eq!(fetch(&FRIENDS, None).await.lineage, None, "{header}");
    }
    let header = format!("'miniature-lineage': '{}'", lineage(2));
    let _answer =
        answering(&format!("new Response('', {{ status: 503, headers: {{ {header} }} }})"));
    assert_eq!(fetch(&FRIENDS, None).await.lineage, Some(lineage(2)), "of a refusal, too");
}

#[wasm_bindgen_test]
async fn how_long_to_wait_is_read_from_any_refusal() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let cases = [
        ("'30'", seconds(30)),
        ("'0'", seconds(0)),
        ("'99999999999999999999'", seconds(u64::from(u32::MAX))),
        ("'soon'", None),
        ("'-5'", None),
        ("'1.5'", None),
        ("''", None),
        ("'Thu, 01 Jan 2026 00:00:00 GMT'", seconds(0)),
        ("'Thu, 99 Foo 2026 00:00:00 GMT'", None),
    ];
    for status in [401, 429, 500, 503] {
        for (header, expected) in cases {
            let _answer = answering(&format!(
                "new Response('', {{ status: {status}, headers: {{ 'retry-after': {header} }} }})"
            ));
            let refusal = outcome(&FRIENDS).await.unwrap_err();
            assert_eq!(refusal.retry_after, expected, "{status} {header}");
        }
    }
    let _answer = answering(
        "new Response('', { status: 503, headers: { 'retry-after': new Date(Date.now() + 90500).toUTCString() } })",
    );
    let wait = outcome(&FRIENDS).await.unwrap_err().retry_after.unwrap();
    assert!(wait > Duration::from_secs(80) && wait <= Duration::from_secs(91), "{wait:?}");
}

#[wasm_bindgen_test]
async fn progress_is_told_at_the_headers_and_with_each_piece() {
    let pieces = "new Response(new ReadableStream({ start(c) {
             for (const piece of ['{\"friends\":[],', '\"next\":', 'null}']) c.enqueue(new TextEncoder().encode(piece));
             c.close();
         } }), { headers: { 'content-type': 'application/json' } })";
    // Where a browser has no streams, the whole is one piece.
    let whole = format!(
        "{{ const answer = {pieces}; Object.defineProperty(answer, 'body', {{ value: null }}); return answer; }}"
    );
    let refused = "new Response('too long', { status: 503 })".to_owned();
    let cases = [
        (pieces.to_owned(), vec![0, 14, 7, 5]),
        (whole, vec![0, 26]),
        (refused, vec![0]),
        ("{ throw new TypeError('offline'); }".to_owned(), vec![]),
    ];
    for (answer, expected) in cases {
        let _answer = answering(&answer);
        let heard = RefCell::new(Vec::new());
        let progressed = |bytes| heard.borrow_mut().push(bytes);
        let fetched = Api::default().fetch(&FRIENDS, None, &reader(&progressed)).await;
        assert_eq!(*heard.borrow(), expected, "{answer}");
        assert_eq!(fetched.outcome.is_ok(), expected.len() > 1, "{answer}");
    }
}

#[wasm_bindgen_test]
async fn pictures_that_nobody_asked_for_are_left_out() {
    let page = r#"{"friends":[],"next":null}"#;
    let _answer = answering(&form("friends", page, &[(2, &container())]));
    let request = Request::Friends { cursor: None, pictures: None, etag: None };
    let Ok(Reply::Friends(Some(reply))) = outcome(&request).await else { panic!() };
    assert_eq!((reply.pictures, reply.renditions), (None, Vec::new()));
}

fn friend_of(picture: Record) -> Friend {
    let (user_id, name) = (picture.user_id.clone(), picture.user_id.to_string());
    Friend { user_id, name, headline: String::new(), picture }
}

/// The same answer in pieces of so many bytes.
fn in_pieces(answer: &str, bytes: usize) -> String {
    format!(
        "{{ const whole = (() => {answer})();
            const bytes = new Uint8Array(await whole.arrayBuffer());
            let at = 0;
            return new Response(new ReadableStream({{ pull(c) {{
                if (at >= bytes.length) return c.close();
                c.enqueue(bytes.slice(at, at += {bytes}));
            }} }}), {{ headers: whole.headers }}); }}"
    )
}

/// What is said of each person, and with what picture, in the order in which it is said.
async fn told_by(answer: &str, request: &Request, part_every: Duration) -> Vec<(String, usize)> {
    let _answer = answering(answer);
    let parts = RefCell::new(Vec::new());
    let told = |fetched: Fetched<Content>| {
        assert_eq!(fetched.lineage, Some(lineage(1)));
        parts.borrow_mut().push(match fetched.outcome.unwrap() {
            Reply::Friends(reply) => ("page".to_owned(), reply.unwrap().renditions.len()),
            Reply::Pictures { entries, renditions } => {
                let users = entries.iter().map(|entry| match entry {
                    BatchEntry::Found { record, .. } => record.user_id.to_string(),
                    BatchEntry::Missing { user_id, .. } => format!("no {user_id}"),
                });
                (users.collect::<Vec<_>>().join(" "), renditions.len())
            }
            other => panic!("{other:?}"),
        });
    };
    let reader =
        Reader { limit: 1_000, part_every, progressed: &|_| {}, arriving: &|part| told(part) };
    let fetched = Api::default().fetch(request, None, &reader).await;
    let rest = match fetched.outcome.unwrap() {
        Reply::Friends(reply) => reply.unwrap().renditions.len(),
        Reply::Pictures { renditions, .. } => renditions.len(),
        other => panic!("{other:?}"),
    };
    parts.borrow_mut().push(("end".to_owned(), rest));
    parts.into_inner()
}

#[wasm_bindgen_test]
async fn what_has_arrived_is_told_before_the_end() {
    let ada = record("ada", 3).record;
    let grace = record("grace", 2).record;
    let json = serde_json::to_string(&[BatchEntry::from(ada), grace.into()]).unwrap();
    let batch = form("records", &json, &[(3, &container()), (2, &container())]);
    let told = |text: &str, renditions| (text.to_owned(), renditions);

    let slowly = told_by(&in_pieces(&batch, 40), &pictures(), Duration::ZERO).await;
    // The first part has all records, each other one picture.
    let expected = [told("ada grace", 0), told("", 1), told("", 1), told("end", 0)];
    assert_eq!(slowly, expected);
    let at_once = told_by(&batch, &pictures(), Duration::from_secs(60)).await;
    assert_eq!(at_once, [told("end", 2)]);
}

#[wasm_bindgen_test]
async fn a_page_is_told_before_its_pictures() {
    let friend = |name, number| friend_of(record(name, number).record);
    let page = FriendsPage { friends: vec![friend("ada", 3), friend("grace", 2)], next: None };
    let page = serde_json::to_string(&page).unwrap();
    let list = form("friends", &page, &[(3, &container()), (2, &container())]);
    let told = told_by(&in_pieces(&list, 40), &FRIENDS, Duration::ZERO).await;
    let expected = [("page", 0), ("", 1), ("", 1), ("end", 0)];
    assert_eq!(told, expected.map(|(text, renditions)| (text.to_owned(), renditions)));
}
