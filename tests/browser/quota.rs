//! A full disk, as IndexedDB reports it: by that name, and by no other.

use miniature::{
    browser::{layer::CacheLayer, quota},
    cache::{
        clock::Timestamp,
        core::{Op, Room},
        entry::{Content, Found},
        layer::LayerError,
    },
};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

use crate::{
    indexed_db::{find, shelf_with},
    samples::{
        ROOM, assert_entry, entry, image, keep, lookup, new_account, record, rendition, user,
    },
    script::{self, Replaced},
};

/// Half a megabyte that does not compress.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(1 << 19)
    .collect()
}

fn large(name: &str, number: u8) -> [Op<Content>; 2] {
    let rendition = rendition(image(number), &noise());
    [keep(record(name, number)), Op::Rendition { user: user(name), rendition }]
}

/// Firefox is started with a quota that a test can spend (`webdriver.json`). Chromium grants six
/// tenths of the disk and cannot be told otherwise; there the next test has to do.
#[wasm_bindgen_test]
async fn a_spent_quota_stores_nothing_until_half_is_given_up() {
    let estimate = quota::estimate().await.unwrap();
    if estimate.quota_bytes > 64 << 20 {
        console_log!("not spent: {} bytes are too many to write", estimate.quota_bytes);
        return;
    }
    let ops = [entry("ada", 1).as_slice(), &large("joan", 4)].concat();
    let shelf = shelf_with(&new_account(), &ops).await;
    shelf
        .apply(&[Op::Touch { user: user("ada"), rendition: None }], Timestamp(2), ROOM)
        .await
        .unwrap();
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
    let change = [entry("grace", 3).as_slice(), &large("mary", 5)].concat();

    let answer = shelf.apply(&change, Timestamp(3), ROOM).await;
    assert_eq!(answer, Err(LayerError::Full));
    assert_entry(&find(&shelf).await.unwrap(), "ada", 1);
    assert_eq!(shelf.get_many(&[lookup("grace")]).await.unwrap(), [Found::default()]);

    // At once: a connection that has found the disk full is not used again.
    let again = shelf.apply(&change, Timestamp(4), Room { halve: true, ..ROOM }).await;
    script::run(
        "await new Promise((done) => { indexedDB.deleteDatabase('filler').onsuccess = done; });",
        &[],
    )
    .await;
    assert!(again.is_ok(), "{again:?}");
    assert_entry(&shelf.get_many(&[lookup("grace")]).await.unwrap()[0], "grace", 3);
}

/// Takes parts of the browser away.
type Break<'a> = &'a dyn Fn() -> Vec<Replaced>;

/// How browsers report it, played back, and how they report other things.
#[wasm_bindgen_test]
async fn only_a_spent_quota_is_one_and_whatever_fails_stores_nothing() {
    let throws = |name: &str| {
        let put = format!(
            "(() => {{
                 const put = IDBObjectStore.prototype.put;
                 return function (value, key) {{
                     if (key === 'grace') throw new DOMException('thrown', '{name}');
                     return put.call(this, value, key);
                 }};
             }})()"
        );
        vec![Replaced::property("IDBObjectStore.prototype", "put", &put)]
    };
    // When it commits; for a reason, or for none.
    let aborts = |error: &str| {
        let put = "(() => {
             const put = IDBObjectStore.prototype.put;
             return function (...args) {
                 const request = put.apply(this, args);
                 if (this.name === 'sums') request.addEventListener('success', () => this.transaction.abort());
                 return request;
             };
         })()";
        let put = Replaced::property("IDBObjectStore.prototype", "put", put);
        vec![Replaced::property("IDBTransaction.prototype", "error", error), put]
    };
    let named = |name: &str| aborts(&format!("new DOMException('told', '{name}')"));
    let cases: [(&str, Break<'_>, LayerError); 6] = [
        ("a call throws it", &|| throws("QuotaExceededError"), LayerError::Full),
        ("a commit fails with it", &|| named("QuotaExceededError"), LayerError::Full),
        ("a commit fails without a reason", &|| aborts("null"), LayerError::Failed),
        ("a commit fails for another", &|| named("DataError"), LayerError::Failed),
        ("a call throws something else", &|| throws("DataError"), LayerError::Failed),
        (
            "the transaction is over",
            &|| throws("TransactionInactiveError"),
            LayerError::Disconnected,
        ),
    ];
    for (name, break_it, expected) in cases {
        let shelf = shelf_with(&new_account(), &entry("ada", 1)).await;
        let broken = break_it();
        let change = [entry("ada", 2), entry("grace", 3)].concat();
        let answer = shelf.apply(&change, Timestamp(2), ROOM).await;
        drop(broken);

        assert_eq!(answer, Err(expected), "{name}");
        assert_entry(&find(&shelf).await.unwrap(), "ada", 1);
        let found = shelf.get_many(&[lookup("grace")]).await.unwrap();
        assert_eq!(found, [Found::default()], "{name}");
    }
}
