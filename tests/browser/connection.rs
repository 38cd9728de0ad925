//! IndexedDB's connection: opened once, lost, closed under us, hanging.

use std::time::Duration;

use futures_util::{
    FutureExt,
    future::{Either, join_all, select},
};
use miniature::{
    browser::{
        indexed_db::{IndexedDbShelf, accounts},
        layer::CacheLayer,
        schedule,
    },
    cache::{clock::Timestamp, entry::Found, layer::LayerError},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    contract::Subject,
    indexed_db::{Indexed, find, shelf_with},
    samples::{ROOM, assert_entry, entry, new_account},
    script::{self, Errors, Replaced},
};

/// What another tab with newer code does; fails if this one stands in its way.
const UPGRADE: &str = "const opening = indexedDB.open('miniature:' + args[0], 3);
     await new Promise((done, fail) => { opening.onsuccess = done; opening.onerror = opening.onblocked = fail; });
     opening.result.close();";

/// What another tab does at a sign-out; fails if this one stands in its way.
const DELETE: &str = "const deleting = indexedDB.deleteDatabase('miniature:' + args[0]);
     await new Promise((done, fail) => { deleting.onsuccess = done; deleting.onerror = deleting.onblocked = fail; });";

/// `future`, unless it takes longer than half a second.
async fn in_time<T>(future: impl Future<Output = T>) -> Option<T> {
    let limit = schedule::sleep(Duration::from_millis(500));
    match select(std::pin::pin!(future), std::pin::pin!(limit)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Counts how often a database is opened, and keeps the last one at hand.
fn opens_counted() -> Replaced {
    Replaced::by(
        "const held = IDBFactory.prototype.open;
         window.opened = 0;
         IDBFactory.prototype.open = function (...args) {
             window.opened += 1;
             window.opening = held.apply(this, args);
             return window.opening;
         };
         return () => { IDBFactory.prototype.open = held; };",
    )
}

fn opened() -> Option<f64> {
    js_sys::eval("window.opened").unwrap().as_f64()
}

#[wasm_bindgen_test]
async fn an_upgrade_by_another_tab_disconnects_and_then_bypasses_this_one() {
    let account = new_account();
    let shelf = shelf_with(&account, &entry("ada", 1)).await;

    script::run(UPGRADE, &[account.as_str()]).await;

    assert_eq!(find(&shelf).await, Err(LayerError::Disconnected));
    assert_eq!(find(&shelf).await, Err(LayerError::Unavailable), "this tab's code is too old");
}

#[wasm_bindgen_test]
async fn a_database_deleted_by_another_tab_is_made_anew() {
    let account = new_account();
    let shelf = shelf_with(&account, &entry("ada", 1)).await;

    script::run(DELETE, &[account.as_str()]).await;

    assert_eq!(find(&shelf).await, Err(LayerError::Disconnected));
    assert_eq!(find(&shelf).await, Ok(Found::default()));
}

#[wasm_bindgen_test]
async fn calls_that_come_together_open_once() {
    let shelf = Indexed::open(&new_account());
    let count = opens_counted();

    let found = join_all([find(&shelf), find(&shelf), find(&shelf)]).await;

    assert!(found.iter().all(|found| *found == Ok(Found::default())));
    assert_eq!(opened(), Some(1.0));
    drop(count);
}

#[wasm_bindgen_test]
async fn an_open_that_never_answers_hangs_only_the_calls_that_wait_for_it() {
    let account = new_account();
    drop(shelf_with(&account, &entry("ada", 1)).await);
    let shelf = Indexed::open(&account);
    let silent = Replaced::property("IDBFactory.prototype", "open", "() => ({})");

    // As with the dashboard open: several wait for the same open, and each gives up.
    let (read, measure) = (in_time(find(&shelf)), in_time(shelf.usage()));
    let written = in_time(shelf.apply(&[], Timestamp(1), ROOM));
    let (read, measure, written) = futures_util::join!(read, measure, written);
    assert!(read.is_none() && measure.is_none() && written.is_none());

    drop(silent);
    assert_entry(&in_time(find(&shelf)).await.unwrap().unwrap(), "ada", 1);
    assert_eq!(in_time(shelf.usage()).await.unwrap().unwrap().entries, 2);
}

#[wasm_bindgen_test]
async fn an_open_that_answers_after_the_shelf_was_closed_is_closed_at_once() {
    let account = new_account();
    let shelf = Indexed::open(&account);
    let late =
        Replaced::property("IDBFactory.prototype", "open", "() => (window.late = { error: null })");
    assert!(find(&shelf).now_or_never().is_none());
    // An opening begins in a microtask.
    schedule::sleep(Duration::ZERO).await;
    drop(late);
    shelf.close();

    let answer = "const closed = new Promise((done) => {
             window.late.result = { close: () => done('closed'), addEventListener() {}, removeEventListener() {} };
         });
         window.late.onsuccess();
         return await closed;";
    let answer = in_time(script::run(answer, &[])).await;
    assert_eq!(answer.and_then(|answer| answer.as_string()).as_deref(), Some("closed"));
    assert_eq!(find(&shelf).await, Ok(Found::default()));
}

#[wasm_bindgen_test]
async fn a_closed_shelf_stands_in_nobodys_way_and_opens_anew() {
    let account = new_account();
    let shelf = shelf_with(&account, &entry("ada", 1)).await;
    let count = opens_counted();

    shelf.close();
    assert_entry(&find(&shelf).await.unwrap(), "ada", 1);
    assert_eq!(opened(), Some(1.0));
    drop(count);

    // Nothing of it runs any more once a write has ended.
    shelf.apply(&[], Timestamp(2), ROOM).await.unwrap();
    shelf.close();
    script::run(DELETE, &[account.as_str()]).await;
    assert_eq!(find(&shelf).await, Ok(Found::default()));
}

#[wasm_bindgen_test]
async fn a_connection_that_the_browser_closes_is_let_go() {
    let account = new_account();
    let count = opens_counted();
    let shelf = shelf_with(&account, &entry("ada", 1)).await;

    js_sys::eval("window.opening.result.dispatchEvent(new Event('close'))").unwrap();
    assert_entry(&find(&shelf).await.unwrap(), "ada", 1);

    assert_eq!(opened(), Some(2.0));
    drop(count);
}

/// Lets reading throw what WebKit throws when its storage process has died, `times` times.
fn lost(times: u32) -> Replaced {
    Replaced::by(&format!(
        "const held = IDBObjectStore.prototype.get;
         let left = {times};
         IDBObjectStore.prototype.get = function (...args) {{
             if (left-- > 0) throw new DOMException('Connection to Indexed Database server lost', 'UnknownError');
             return held.apply(this, args);
         }};
         return () => {{ IDBObjectStore.prototype.get = held; }};"
    ))
}

#[wasm_bindgen_test]
async fn a_lost_connection_is_opened_anew_once() {
    let shelf = shelf_with(&new_account(), &entry("ada", 1)).await;
    let count = opens_counted();

    let once = lost(1);
    assert_entry(&find(&shelf).await.unwrap(), "ada", 1);
    assert_eq!(opened(), Some(1.0));
    drop(once);

    let once = lost(1);
    let written = shelf.apply(&entry("ada", 2), Timestamp(2), ROOM).await;
    drop(once);
    assert!(written.is_ok());
    assert_eq!(opened(), Some(2.0));

    let twice = lost(2);
    assert_eq!(find(&shelf).await, Err(LayerError::Failed));
    drop(twice);
    assert_entry(&find(&shelf).await.unwrap(), "ada", 2);
    drop(count);
}

#[wasm_bindgen_test]
async fn a_tab_that_stays_connected_has_nothing_left_and_clearing_ends_when_it_lets_go() {
    let account = new_account();
    let shelf = shelf_with(&account, &entry("ada", 1)).await;
    let hold = "const opening = indexedDB.open('miniature:' + args[0]);
         await new Promise((done) => { opening.onsuccess = done; });
         window.stubborn = opening.result;";
    script::run(hold, &[account.as_str()]).await;

    let mut clearing = Box::pin(shelf.clear());
    assert!(in_time(clearing.as_mut()).await.is_none(), "blocked is still in flight");

    let count = "const names = [...window.stubborn.objectStoreNames];
         const transaction = window.stubborn.transaction(names);
         const counts = names.map((name) => new Promise((done) => {
             const read = transaction.objectStore(name).count();
             read.onsuccess = () => done(read.result);
         }));
         const all = await Promise.all(counts);
         window.stubborn.close();
         return all.join();";
    assert_eq!(script::run(count, &[]).await.as_string().as_deref(), Some("0,0,0,0,0"));
    assert_eq!(clearing.await, Ok(()));
}

#[wasm_bindgen_test]
async fn after_clearing_there_is_no_database() {
    let account = new_account();
    let shelf = shelf_with(&account, &entry("ada", 1)).await;
    shelf.clear().await.unwrap();

    let names = "return (await indexedDB.databases()).map(({ name }) => name).join();";
    let names = script::run(names, &[]).await.as_string().unwrap();
    assert!(!names.contains(account.as_str()), "{names}");
}

#[wasm_bindgen_test]
async fn what_nobody_waits_for_any_more_ends_without_an_error_in_the_console() {
    let account = new_account();
    let errors = Errors::noted();
    let shelf = Indexed::open(&account);
    let ops = entry("ada", 1);
    // Once while the database opens, once while the transaction runs.
    assert!(shelf.apply(&ops, Timestamp(1), ROOM).now_or_never().is_none());
    assert_eq!(find(&shelf).await, Ok(Found::default()));
    assert!(shelf.apply(&ops, Timestamp(1), ROOM).now_or_never().is_none());
    assert_entry(&find(&shelf).await.unwrap(), "ada", 1);
    assert!(find(&shelf).now_or_never().is_none());

    assert_entry(&find(&shelf).await.unwrap(), "ada", 1);
    drop(shelf);
    schedule::sleep(Duration::from_millis(1)).await;
    assert_eq!(errors.messages(), "");
}

#[wasm_bindgen_test]
async fn a_dropped_shelf_stands_in_nobodys_way() {
    let account = new_account();
    drop(shelf_with(&account, &entry("ada", 1)).await);
    let errors = Errors::noted();

    script::run(UPGRADE, &[account.as_str()]).await;

    assert_eq!(errors.messages(), "");
}

#[wasm_bindgen_test]
async fn clones_of_a_shelf_share_its_connection() {
    let count = opens_counted();
    let shelf = shelf_with(&new_account(), &entry("ada", 1)).await;
    let other: IndexedDbShelf = shelf.clone();
    assert_entry(&find(&other).await.unwrap(), "ada", 1);
    assert_eq!(opened(), Some(1.0));
    drop(count);
}

#[wasm_bindgen_test]
async fn the_accounts_that_have_a_database_are_listed() {
    let account = new_account();
    let shelf = shelf_with(&account, &entry("ada", 1)).await;
    assert!(accounts().await.contains(&account));
    shelf.clear().await.unwrap();
    assert!(!accounts().await.contains(&account));
    let _old = Replaced::property("IDBFactory.prototype", "databases", "undefined");
    assert!(accounts().await.is_empty(), "a browser that does not say");
}
