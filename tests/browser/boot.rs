//! What `boot.js` leaves is taken once.

use miniature::{
    api::Size,
    browser::origin::{Api, take_boot_friends, take_boot_session},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::script::Replaced;

fn booted(fields: &str) -> Replaced {
    Replaced::by(&format!(
        "window.__miniature = {fields}; return () => {{ delete window.__miniature; }};"
    ))
}

#[wasm_bindgen_test]
async fn the_friends_request_is_taken_once_and_read() {
    let page = r#"{"friends":[],"next":"c"}"#;
    let boot = booted(&format!(
        "{{ friends: Promise.resolve(new Response('{page}', {{ headers: {{
             'content-type': 'application/json', etag: '\"7\"' }} }})), pictures: 64, cursor: null }}"
    ));

    let begun = take_boot_friends().unwrap();
    assert!(take_boot_friends().is_none());
    assert_eq!((begun.pictures, begun.cursor.as_deref()), (Some(Size::S64), None));

    let answer = Api::default().boot_friends(begun).await.unwrap().unwrap();
    assert_eq!(answer.page.next.as_deref(), Some("c"));
    assert_eq!(answer.etag.as_deref(), Some("\"7\""));
    assert!(answer.pictures.is_empty());
    drop(boot);
}

#[wasm_bindgen_test]
async fn the_session_request_is_taken_once_and_read() {
    let boot = booted("{ session: Promise.resolve(new Response('', { status: 401 })) }");
    let begun = take_boot_session().unwrap();
    assert!(take_boot_session().is_none());
    assert_eq!(Api::default().boot_session(begun).await, Ok(None));
    drop(boot);
}

#[wasm_bindgen_test]
fn without_boot_there_is_nothing_to_take() {
    assert!(take_boot_friends().is_none());
    assert!(take_boot_session().is_none());
    let _boot = booted("'garbage'");
    assert!(take_boot_friends().is_none());
}
