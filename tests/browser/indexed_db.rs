//! IndexedDB: the contract, and what only it can do or suffer.

use std::time::Duration;

use futures_util::{
    FutureExt,
    future::{Either, join_all, select},
};
use miniature::{
    api::UserId,
    browser::{clock::BrowserClock, indexed_db::IndexedDbShelf, quota},
    cache::{
        clock::{Clock, Timestamp},
        entry::{Entry, Found},
        key::Key,
        layer::{CacheLayer, LayerError},
    },
};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

use crate::{
    contract::{Subject, contract},
    samples::{assert_found, entry, image, lookup, new_account, rendition, user},
    script::{self, Errors, Replaced},
};

struct Indexed;

contract!(Indexed);

/// What another tab with newer code does; fails if this one stands in its way.
const UPGRADE: &str = "const opening = indexedDB.open('miniature:' + args[0], 2);
         await new Promise((done, fail) => { opening.onsuccess = done; opening.onerror = opening.onblocked = fail; });
         opening.result.close();";

/// Opens the database beside the bindings and awaits one request on a store.
async fn raw(account: &UserId, key: &Key, request: &str) -> wasm_bindgen::JsValue {
    let (store, name) = match key {
        Key::User(user) => ("records", user.to_string()),
        Key::Rendition(key) => ("renditions", format!("{}/{}", key.image, key.size)),
    };
    let body = format!(
        "const [account, store, key] = args;
         const end = (r) => new Promise((done, fail) => {{ r.onsuccess = () => done(r.result); r.onerror = fail; }});
         const database = await end(indexedDB.open('miniature:' + account));
         const result = await end(database.transaction(store, 'readwrite').objectStore(store).{request});
         database.close();
         return result;"
    );
    script::run(&body, &[account.as_str(), store, &name]).await
}

impl Subject for Indexed {
    type Layer = IndexedDbShelf;

    fn open(account: &UserId) -> IndexedDbShelf {
        IndexedDbShelf::new(account)
    }

    async fn corrupt(account: &UserId, key: &Key) {
        raw(account, key, "put({ type: 'text/html', bytes: 'garbage' }, key)").await;
    }

    async fn holds(account: &UserId, key: &Key) -> bool {
        raw(account, key, "count(key)").await.as_f64() == Some(1.0)
    }

    fn deny() -> Replaced {
        Replaced::denied("window", "indexedDB")
    }
}

async fn find(shelf: &IndexedDbShelf) -> Result<Found, LayerError> {
    shelf.get_many(&[lookup("ada")]).await.map(|mut found| found.remove(0))
}

async fn shelf_with(account: &UserId, entry: Entry) -> IndexedDbShelf {
    let shelf = Indexed::open(account);
    shelf.put_many(&[entry], Timestamp(1)).await.unwrap();
    shelf
}

/// `future`, unless it takes longer than half a second.
async fn in_time<T>(future: impl Future<Output = T>) -> Option<T> {
    let limit = BrowserClock.sleep(Duration::from_millis(500));
    match select(std::pin::pin!(future), std::pin::pin!(limit)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

#[wasm_bindgen_test]
async fn fifty_lookups_are_answered_by_one_transaction() {
    let shelf = Indexed::open(&new_account());
    let entries: Vec<Entry> = (1..=50).map(|n| entry(&format!("user-{n}"), n)).collect();
    shelf.put_many(&entries, Timestamp(1)).await.unwrap();
    let count = Replaced::by(
        "const held = IDBDatabase.prototype.transaction;
         window.transactions = 0;
         IDBDatabase.prototype.transaction = function (...args) {
             window.transactions += 1;
             return held.apply(this, args);
         };
         return () => { IDBDatabase.prototype.transaction = held; };",
    );
    let names: Vec<_> = (1..=50).map(|n| lookup(&format!("user-{n}"))).collect();

    let found = shelf.get_many(&names).await.unwrap();

    found.iter().zip(&entries).for_each(|(found, put)| assert_found(found, put));
    assert_eq!(js_sys::eval("window.transactions").unwrap().as_f64(), Some(1.0));
    drop(count);
}

#[wasm_bindgen_test]
async fn an_upgrade_by_another_tab_disconnects_and_then_bypasses_this_one() {
    let account = new_account();
    let shelf = shelf_with(&account, entry("ada", 1)).await;

    script::run(UPGRADE, &[account.as_str()]).await;

    assert_eq!(find(&shelf).await, Err(LayerError::Disconnected));
    assert_eq!(find(&shelf).await, Err(LayerError::Unavailable), "this tab's code is too old");
}

#[wasm_bindgen_test]
async fn a_database_deleted_by_another_tab_is_made_anew() {
    let account = new_account();
    let shelf = shelf_with(&account, entry("ada", 1)).await;

    let delete = "const deleting = indexedDB.deleteDatabase('miniature:' + args[0]);
         await new Promise((done, fail) => { deleting.onsuccess = done; deleting.onerror = deleting.onblocked = fail; });";
    script::run(delete, &[account.as_str()]).await;

    assert_eq!(find(&shelf).await, Err(LayerError::Disconnected));
    assert_eq!(find(&shelf).await, Ok(Found::default()));
}

#[wasm_bindgen_test]
async fn an_open_that_never_answers_hangs_only_the_call_that_waits_for_it() {
    let account = new_account();
    drop(shelf_with(&account, entry("ada", 1)).await);
    let shelf = Indexed::open(&account);
    let silent = Replaced::property("IDBFactory.prototype", "open", "() => ({})");

    assert_eq!(in_time(find(&shelf)).await, None);

    drop(silent);
    assert_found(&in_time(find(&shelf)).await.unwrap().unwrap(), &entry("ada", 1));
}

#[wasm_bindgen_test]
async fn calls_that_come_together_open_once() {
    let shelf = Indexed::open(&new_account());
    let count = Replaced::by(
        "const held = IDBFactory.prototype.open;
         window.opened = 0;
         IDBFactory.prototype.open = function (...args) { window.opened += 1; return held.apply(this, args); };
         return () => { IDBFactory.prototype.open = held; };",
    );

    let found = join_all([find(&shelf), find(&shelf), find(&shelf)]).await;

    assert!(found.iter().all(|found| *found == Ok(Found::default())));
    assert_eq!(js_sys::eval("window.opened").unwrap().as_f64(), Some(1.0));
    drop(count);
}

/// A megabyte that does not compress.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(1 << 20)
    .collect()
}

/// Firefox is started with a quota that a test can spend (`webdriver.json`). Chromium grants six
/// tenths of the disk and cannot be told otherwise; there the next test has to do.
#[wasm_bindgen_test]
async fn a_spent_quota_stores_nothing() {
    let estimate = quota::estimate().await.unwrap();
    if estimate.quota_bytes > 64 << 20 {
        console_log!("not spent: {} bytes are too many to write", estimate.quota_bytes);
        return;
    }
    let account = new_account();
    let shelf = shelf_with(&account, entry("ada", 1)).await;
    let fill = "const opening = indexedDB.open('filler');
         opening.onupgradeneeded = () => opening.result.createObjectStore('filler', { autoIncrement: true });
         await new Promise((done) => { opening.onsuccess = done; });
         // Noise: what is written is compressed.
         const noise = new Uint8Array(1 << 20);
         for (let at = 0; at < noise.length; at += 65536) crypto.getRandomValues(noise.subarray(at, at + 65536));
         for (let size = noise.length; size > 1024; size >>= 1) {
             for (let full = false; !full; ) {
                 const transaction = opening.result.transaction('filler', 'readwrite');
                 // After one that found the disk full, Firefox lets the next transaction only delete.
                 try { transaction.objectStore('filler').put(noise.slice(0, size)); } catch { continue; }
                 full = await new Promise((done) => {
                     transaction.oncomplete = () => done(false);
                     transaction.onabort = () => done(true);
                 });
             }
         }
         opening.result.close();";
    script::run(fill, &[]).await;
    let mut large = entry("ada", 2);
    large.rendition = Some(rendition(image(2), &noise()));

    let answer = shelf.put_many(&[entry("grace", 3), large.clone()], Timestamp(2)).await;

    assert_eq!(answer, Err(LayerError::Full));
    assert_found(&find(&shelf).await.unwrap(), &entry("ada", 1));
    assert!(!Indexed::holds(&account, &Key::User(user("grace"))).await);
    script::run(
        "await new Promise((done) => { indexedDB.deleteDatabase('filler').onsuccess = done; });",
        &[],
    )
    .await;
    shelf.remove_many(&crate::samples::keys(&entry("ada", 1))).await.unwrap();
    assert_eq!(shelf.put_many(&[large], Timestamp(3)).await, Ok(()), "after making room");
}

/// The two ways in which a browser reports a spent quota, played back.
#[wasm_bindgen_test]
async fn a_spent_quota_as_browsers_report_it_stores_nothing() {
    let account = new_account();
    let shelf = shelf_with(&account, entry("ada", 1)).await;
    let in_a_request = "function () { throw new DOMException('full', 'QuotaExceededError'); }";
    let at_the_end = "(() => {
         const put = IDBObjectStore.prototype.put;
         return function (...args) {
             const request = put.apply(this, args);
             const last = args[1] === 'grace' && this.name === 'uses';
             if (last) request.addEventListener('success', () => this.transaction.abort());
             return request;
         };
     })()";
    for put in [in_a_request, at_the_end] {
        let full = Replaced::property("IDBObjectStore.prototype", "put", put);
        let entries = [entry("ada", 2), entry("grace", 0)];
        let answer = shelf.put_many(&entries, Timestamp(2)).await;
        drop(full);

        assert_eq!(answer, Err(LayerError::Full), "{put}");
        assert_found(&find(&shelf).await.unwrap(), &entry("ada", 1));
        assert!(!Indexed::holds(&account, &Key::User(user("grace"))).await, "{put}");
    }
}

#[wasm_bindgen_test]
async fn clearing_does_not_wait_for_a_tab_that_stays_connected() {
    let account = new_account();
    let shelf = shelf_with(&account, entry("ada", 1)).await;
    let hold = "const opening = indexedDB.open('miniature:' + args[0]);
         await new Promise((done) => { opening.onsuccess = done; });
         window.stubborn = opening.result;";
    script::run(hold, &[account.as_str()]).await;

    assert_eq!(in_time(shelf.clear()).await, Some(Ok(())));

    let count = "const read = window.stubborn.transaction('records').objectStore('records').count();
         return new Promise((done) => { read.onsuccess = () => { window.stubborn.close(); done(read.result); }; });";
    assert_eq!(script::run(count, &[]).await.as_f64(), Some(0.0));
}

#[wasm_bindgen_test]
async fn after_clearing_there_is_no_database() {
    let account = new_account();
    let shelf = shelf_with(&account, entry("ada", 1)).await;
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
    let entries = [entry("ada", 1)];
    // Once while the database opens, once while the transaction runs.
    assert!(shelf.put_many(&entries, Timestamp(1)).now_or_never().is_none());
    assert_eq!(find(&shelf).await, Ok(Found::default()));
    assert!(shelf.put_many(&entries, Timestamp(1)).now_or_never().is_none());

    assert_found(&find(&shelf).await.unwrap(), &entries[0]);
    drop(shelf);
    BrowserClock.sleep(Duration::from_millis(1)).await;
    assert_eq!(errors.messages(), "");
}

#[wasm_bindgen_test]
async fn noting_a_use_does_not_rewrite_a_picture() {
    let shelf = shelf_with(&new_account(), entry("ada", 1)).await;
    let writes = Replaced::by(
        "const held = IDBObjectStore.prototype.put;
         window.written = [];
         IDBObjectStore.prototype.put = function (...args) { window.written.push(this.name); return held.apply(this, args); };
         return () => { IDBObjectStore.prototype.put = held; };",
    );

    shelf.touch_many(&crate::samples::keys(&entry("ada", 1)), Timestamp(7)).await.unwrap();

    let written = js_sys::eval("window.written.join()").unwrap().as_string();
    assert_eq!(written.as_deref(), Some("uses,uses"));
    drop(writes);
    let inventory = shelf.inventory().await.unwrap();
    assert!(inventory.iter().all(|held| held.used_at == Timestamp(7) && held.bytes > 0));
}

#[wasm_bindgen_test]
async fn a_page_is_kept_and_of_too_many_the_oldest_go() {
    let shelf = Indexed::open(&new_account());
    let names: Vec<String> = (0..302).map(|n| format!("page {n}")).collect();
    let puts = (1..).zip(&names).map(|(now, name)| shelf.page_put(name, name, Timestamp(now)));
    assert!(join_all(puts).await.into_iter().all(|put| put.is_ok()));

    assert_eq!(shelf.page_get("page 0").await, Ok(None));
    assert_eq!(shelf.page_get("page 1").await, Ok(None));
    assert_eq!(shelf.page_get("page 2").await, Ok(Some("page 2".into())));
    assert_eq!(shelf.page_get("page 301").await, Ok(Some("page 301".into())));
    shelf.clear().await.unwrap();
    assert_eq!(shelf.page_get("page 301").await, Ok(None));
}

#[wasm_bindgen_test]
async fn a_dropped_shelf_stands_in_nobodys_way() {
    let account = new_account();
    drop(shelf_with(&account, entry("ada", 1)).await);
    let errors = Errors::noted();

    script::run(UPGRADE, &[account.as_str()]).await;

    assert_eq!(errors.messages(), "");
}
