//! What a sync notes, and what wakes it.

use std::{cell::Cell, rc::Rc};

use miniature::{
    browser::{local_storage::LocalStorageShelf, worker},
    cache::clock::Timestamp,
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::samples::new_account;

#[wasm_bindgen_test]
fn when_it_was_is_noted_for_the_account_and_goes_with_it() {
    let shelf = LocalStorageShelf::open(&new_account()).unwrap();
    assert_eq!(shelf.synced_at(), None);
    shelf.note_sync(Timestamp(1_800_000_000_000)).unwrap();
    assert_eq!(shelf.synced_at(), Some(Timestamp(1_800_000_000_000)));
    let other = LocalStorageShelf::open(&new_account()).unwrap();
    assert_eq!(other.synced_at(), None);
    shelf.erase().unwrap();
    assert_eq!(shelf.synced_at(), None);
}

#[wasm_bindgen_test]
fn a_worker_that_was_woken_is_heard() {
    let heard = Rc::new(Cell::new(0));
    let count = heard.clone();
    let listener = worker::on_sync(move || count.set(count.get() + 1));
    let say = |data: &str| {
        let event = format!("new MessageEvent('message', {{ data: {data} }})");
        js_sys::eval(&format!("navigator.serviceWorker.dispatchEvent({event})")).unwrap();
    };
    ["{ type: 'sync' }", "{ type: 'other' }", "null", "'sync'"].into_iter().for_each(say);
    assert_eq!(heard.get(), 1);
    drop(listener);
    say("{ type: 'sync' }");
    assert_eq!(heard.get(), 1, "nobody listens any more");
}
