//! IndexedDB: the contract, and what only it keeps.

use miniature::{
    api::{Size, UserId},
    browser::{indexed_db::IndexedDbShelf, layer::CacheLayer, schedule},
    cache::{
        clock::Timestamp,
        core::{Op, Written},
        document::DocumentKey,
        entry::{Content, Found, Rendition},
        layer::LayerError,
    },
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    contract::{Subject, contract},
    samples::{
        ROOM, SIZE, assert_entry, entry, image, keep, keep_picture, lookup, new_account, page,
        pages_in_turn, picture, profile, record, rendition, shown, user,
    },
    script::{self, Replaced},
};

pub(crate) struct Indexed;

contract!(Indexed);

/// Opens the database beside the bindings, and awaits what `body` returns. `end` awaits a request.
pub(crate) async fn raw(account: &UserId, body: &str) -> wasm_bindgen::JsValue {
    let body = format!(
        "const end = (request) => new Promise((done, fail) => {{
             request.onsuccess = () => done(request.result);
             request.onerror = fail;
         }});
         const database = await end(indexedDB.open('miniature:' + args[0]));
         const store = (name) => database.transaction(name, 'readwrite').objectStore(name);
         try {{ {body} }} finally {{ database.close(); }}"
    );
    script::run(&body, &[account.as_str()]).await
}

impl Subject for Indexed {
    type Layer = IndexedDbShelf;

    fn open(account: &UserId) -> IndexedDbShelf {
        IndexedDbShelf::new(account)
    }

    async fn corrupt(account: &UserId, name: &str, number: u8) {
        let garbage = "{ type: 'text/html', bytes: 'garbage', known: '{', used_at: 1 }";
        let key = format!("{}/{SIZE}", image(number));
        let body = format!(
            "await end(store('records').put({garbage}, '{name}'));
             await end(store('renditions').put({garbage}, '{key}'));"
        );
        raw(account, &body).await;
    }

    async fn holds(account: &UserId, name: &str, number: u8) -> bool {
        let key = format!("{}/{SIZE}", image(number));
        let body = format!(
            "return await end(store('records').count('{name}'))
                  + await end(store('renditions').count('{key}'));"
        );
        raw(account, &body).await.as_f64() != Some(0.0)
    }

    fn deny() -> Replaced {
        Replaced::denied("window", "indexedDB")
    }
}

pub(crate) async fn find(shelf: &IndexedDbShelf) -> Result<Found, LayerError> {
    shelf.get_many(&[lookup("ada")]).await.map(|mut found| found.remove(0))
}

pub(crate) async fn apply(shelf: &IndexedDbShelf, ops: &[Op<Content>], now: u64) -> Written {
    shelf.apply(ops, Timestamp(now), ROOM).await.unwrap()
}

pub(crate) async fn shelf_with(account: &UserId, ops: &[Op<Content>]) -> IndexedDbShelf {
    let shelf = Indexed::open(account);
    apply(&shelf, ops, 1).await;
    shelf
}

fn keep_at(name: &str, number: u8, size: Size) -> Op<Content> {
    Op::Rendition { user: user(name), rendition: picture(number, size) }
}

#[wasm_bindgen_test]
async fn fifty_lookups_are_answered_by_one_transaction() {
    let entries: Vec<_> = (1..=50).flat_map(|n| entry(&format!("user-{n}"), n)).collect();
    let shelf = shelf_with(&new_account(), &entries).await;
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

    for (found, n) in found.iter().zip(1..) {
        assert_entry(found, &format!("user-{n}"), n);
    }
    assert_eq!(js_sys::eval("window.transactions").unwrap().as_f64(), Some(1.0));
    drop(count);
}

#[wasm_bindgen_test]
async fn the_best_size_that_is_held_is_found() {
    use Size::{S64, S128, S256, S512};
    let cases = [
        ("the exact one", vec![S64, S128, S256], S128, Some(S128)),
        ("the next larger", vec![S64, S256, S512], S128, Some(S256)),
        ("the largest of the smaller", vec![S64, S128], S512, Some(S128)),
        ("none", vec![], S64, None),
    ];
    for (name, held, wanted, expected) in cases {
        let mut ops = vec![keep(record("ada", 1))];
        ops.extend(held.into_iter().map(|size| keep_at("ada", 1, size)));
        let shelf = shelf_with(&new_account(), &ops).await;
        let mut asked = lookup("ada");
        asked.wanted.size = wanted;
        let found = shelf.get_many(&[asked]).await.unwrap().remove(0);
        assert_eq!(found.rendition.map(|found| found.size()), expected, "{name}");
    }
}

#[wasm_bindgen_test]
async fn the_image_that_is_looked_up_goes_before_the_records() {
    let shelf = shelf_with(&new_account(), &entry("ada", 1)).await;
    // Somebody else's picture, as far as this layer knows.
    apply(&shelf, &entry("grace", 2), 2).await;
    let mut asked = lookup("ada");
    let found = async |asked| shelf.get_many(&[asked]).await.unwrap().remove(0).rendition.unwrap();

    asked.image = Some(image(2));
    assert_eq!(found(asked.clone()).await.image(), image(2));
    asked.image = Some(image(9));
    assert_eq!(found(asked).await.image(), image(1), "an older one will do until then");
}

#[wasm_bindgen_test]
async fn one_unreadable_size_does_not_hide_another() {
    let account = new_account();
    let mut ops = entry("ada", 1);
    ops.push(keep_at("ada", 1, Size::S256));
    let shelf = shelf_with(&account, &ops).await;
    raw(&account, &format!("await end(store('renditions').put({{}}, '{}/64'));", image(1))).await;

    let found = find(&shelf).await.unwrap();

    assert_eq!(found.rendition.as_ref().map(shown), Some(shown(&picture(1, Size::S256))));
    let left = "return (await end(store('renditions').getAllKeys())).join();";
    assert_eq!(raw(&account, left).await.as_string(), Some(format!("{}/256", image(1))));
    assert_eq!(shelf.usage().await.unwrap().entries, 2);
}

#[wasm_bindgen_test]
async fn a_newer_picture_takes_the_place_of_every_size_of_the_older_one() {
    let account = new_account();
    let mut ops = entry("ada", 1);
    ops.extend([keep_at("ada", 1, Size::S256), keep_at("ada", 1, Size::S512)]);
    ops.extend(entry("grace", 3));
    let shelf = shelf_with(&account, &ops).await;

    apply(&shelf, &entry("ada", 2), 2).await;

    let left = "return (await end(store('renditions').getAllKeys())).join();";
    let expected = [2, 3].map(|number| format!("{}/64", image(number))).join(",");
    assert_eq!(raw(&account, left).await.as_string(), Some(expected));
    assert_eq!(shelf.usage().await.unwrap().entries, 4);
}

#[wasm_bindgen_test]
async fn a_data_url_is_left_to_the_layer_that_keeps_such() {
    let account = new_account();
    let preview = picture(1, SIZE);
    let content = Content::DataUrl(preview.content.to_data_url());
    let rendition = Rendition { content, ..preview };
    let ops = [keep(record("ada", 1)), Op::Rendition { user: user("ada"), rendition }];
    let shelf = shelf_with(&account, &ops).await;
    assert_eq!(find(&shelf).await.unwrap().rendition, None);
    assert_eq!(shelf.usage().await.unwrap().entries, 1);
}

#[wasm_bindgen_test]
async fn noting_a_use_does_not_rewrite_a_picture() {
    let account = new_account();
    let mut ops = entry("ada", 1);
    ops.push(keep_at("ada", 1, Size::S256));
    let shelf = shelf_with(&account, &ops).await;
    let writes = Replaced::by(
        "const held = IDBObjectStore.prototype.put;
         window.written = [];
         IDBObjectStore.prototype.put = function (value, key) { window.written.push(`${this.name} ${key}`); return held.call(this, value, key); };
         return () => { IDBObjectStore.prototype.put = held; };",
    );

    let rendition = Some(picture(1, Size::S256).key);
    apply(&shelf, &[Op::Touch { user: user("ada"), rendition }], 7).await;

    let written = js_sys::eval("window.written.join()").unwrap().as_string();
    drop(writes);
    let expected = format!("records ada,uses ada,uses {}/256,sums all", image(1));
    assert_eq!(written, Some(expected), "the rendition that was shown, and no other");
    let ages = "return (await end(store('uses').getAll())).map(({ used_at }) => used_at).join();";
    assert_eq!(raw(&account, ages).await.as_string().as_deref(), Some("7,1,7"));
}

#[wasm_bindgen_test]
async fn documents_are_kept_until_removed() {
    let account = new_account();
    let held = [page(None, "c"), page(Some("c"), "d"), profile("ada")];
    let shelf = Indexed::open(&account);
    apply(&shelf, &held.clone().map(Op::Document), 1).await;
    let mut keys: Vec<DocumentKey> = held.iter().rev().map(|page| page.key.clone()).collect();
    keys.push(page(Some("unknown"), "").key);
    let [first, second, third] = held.map(Some);
    let expected = [third, second, first.clone(), None];
    assert_eq!(shelf.documents(&keys).await.unwrap(), expected);
    assert_eq!(shelf.usage().await.unwrap().entries, 0, "documents have budgets of their own");

    let removed = [Op::RemoveDocument(keys[0].clone()), Op::RemoveDocument(keys[1].clone())];
    apply(&shelf, &removed, 2).await;
    assert_eq!(shelf.documents(&keys).await.unwrap(), [None, None, first, None]);
}

#[wasm_bindgen_test]
async fn no_document_replaces_a_later_one() {
    let shelf = Indexed::open(&new_account());
    let (pages, kept) = pages_in_turn();
    for page in &pages {
        apply(&shelf, &[Op::Document(page.clone())], 5_000).await;
    }
    let held = shelf.documents(&[pages[0].key.clone()]).await.unwrap();
    assert_eq!(held, [Some(pages[kept].clone())]);
}

#[wasm_bindgen_test]
async fn a_document_that_cannot_be_read_is_absent_and_removed() {
    let account = new_account();
    let shelf = Indexed::open(&account);
    apply(&shelf, &[Op::Document(page(None, "c")), Op::Document(profile("ada"))], 1).await;
    // One is cut off, the other is somebody else's.
    let spoil = "const row = await end(store('pages').get('profile:ada'));
         await end(store('pages').put({ ...row, text: row.text.replaceAll(/(?<=user_id...)ada/g, 'eve') }, 'profile:ada'));
         await end(store('pages').put({ text: '{', kind: 0, stored_at: 1 }, 'friends'));";
    raw(&account, spoil).await;

    let keys = [page(None, "").key, profile("ada").key];
    assert_eq!(shelf.documents(&keys).await.unwrap(), [None, None]);

    let count = "return await end(store('pages').count());";
    assert_eq!(raw(&account, count).await.as_f64(), Some(0.0));
}

#[wasm_bindgen_test]
async fn what_an_earlier_layout_kept_goes() {
    let account = new_account();
    let before = "const opening = indexedDB.open('miniature:' + args[0], 1);
         opening.onupgradeneeded = () => {
             opening.result.createObjectStore('records');
             opening.result.createObjectStore('uses');
             opening.result.createObjectStore('no more');
         };
         await new Promise((done) => { opening.onsuccess = done; });
         const put = opening.result.transaction('records', 'readwrite').objectStore('records').put('{}', 'ada');
         await new Promise((done) => { put.onsuccess = done; });
         opening.result.close();";
    script::run(before, &[account.as_str()]).await;

    let shelf = shelf_with(&account, &entry("grace", 2)).await;

    assert_eq!(find(&shelf).await, Ok(Found::default()));
    let stores = "return [...database.objectStoreNames].join();";
    let stores = raw(&account, stores).await.as_string();
    assert_eq!(stores.as_deref(), Some("pages,records,renditions,sums,uses"));
}

#[wasm_bindgen_test]
async fn a_picture_of_somebody_without_a_row_is_found_by_its_image() {
    let shelf = shelf_with(&new_account(), &[keep_picture("ada", 1)]).await;
    assert_eq!(find(&shelf).await, Ok(Found::default()));
    let mut asked = lookup("ada");
    asked.image = Some(image(1));
    let found = shelf.get_many(&[asked]).await.unwrap().remove(0);
    assert_eq!(found.rendition, Some(rendition(image(1), &[1; 300])));
    schedule::sleep(std::time::Duration::ZERO).await;
}

#[wasm_bindgen_test]
async fn those_whose_records_end_soon_are_listed_those_used_last_at_the_end() {
    let account = new_account();
    let shelf = Indexed::open(&account);
    assert_eq!(shelf.ending((Timestamp(0), Timestamp(9)), None, 9).await, Ok(Vec::new()));
    // Name, checked at, used at, and whether the picture is held.
    let rows = [("lasts", 50, 1, true), ("old", 10, 4, true), ("older", 5, 2, true)];
    let rows = rows.into_iter().chain([("ahead", 99, 5, true), ("bare", 10, 3, false)]);
    for ((name, checked_at, used_at, is_held), number) in rows.zip(1..) {
        let mut known = record(name, number);
        known.checked_at = Timestamp(checked_at);
        let lineage = known.lineage;
        let keep = Op::Record { record: known, insert: true };
        apply(&shelf, &[keep], used_at).await;
        if is_held {
            apply(&shelf, &[keep_picture(name, number)], used_at).await;
        }
        assert_eq!(lineage, record("ada", 1).lineage, "one for all");
    }
    let lineage = record("ada", 1).lineage;
    let cases = [
        ("all", lineage, 9, vec![("older", true), ("bare", false), ("old", true), ("ahead", true)]),
        ("those used last", lineage, 2, vec![("old", true), ("ahead", true)]),
        (
            "another lineage",
            None,
            2,
            vec![("old", lineage.is_none()), ("ahead", lineage.is_none())],
        ),
    ];
    for (name, lineage, most, expected) in cases {
        let found = shelf.ending((Timestamp(20), Timestamp(60)), lineage, most).await.unwrap();
        let found: Vec<(&str, bool)> =
            found.iter().map(|user| (user.user_id.as_str(), user.held.is_some())).collect();
        assert_eq!(found, expected, "{name}");
    }
    raw(&account, "await end(store('records').put({ known: '{', used_at: 1 }, 'old'));").await;
    let found = shelf.ending((Timestamp(20), Timestamp(60)), lineage, 9).await.unwrap();
    assert_eq!(found.len(), 3, "what cannot be read is left out");
}
