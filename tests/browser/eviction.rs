//! What goes from IndexedDB when there is too much, and how it is counted.

use std::collections::BTreeSet;

use miniature::{
    api::{Size, UserId},
    browser::{indexed_db::IndexedDbShelf, layer::CacheLayer},
    cache::{
        clock::Timestamp,
        core::{Op, Room, Written},
        document::Document,
        entry::Content,
        eviction::{Limits, Usage},
    },
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    contract::Subject,
    indexed_db::{Indexed, apply, raw, shelf_with},
    samples::{ROOM, entry, image, keep, new_account, page, picture, profile, record, user},
};

fn room(entries: usize, bytes: u64) -> Room {
    Room { limits: Limits { entries, bytes, trim_entries_to: entries }, ..ROOM }
}

async fn apply_within(
    shelf: &IndexedDbShelf,
    ops: &[Op<Content>],
    now: u64,
    room: Room,
) -> Written {
    shelf.apply(ops, Timestamp(now), room).await.unwrap()
}

/// The names of all records and renditions, as `ada` and `1/64`.
async fn held(account: &UserId) -> BTreeSet<String> {
    let names = "return [
             ...await end(store('records').getAllKeys()),
             ...await end(store('renditions').getAllKeys()),
         ].join();";
    let names = raw(account, names).await.as_string().unwrap();
    let short =
        (1..=9).fold(names, |names, n| names.replace(&image(n).to_string(), &n.to_string()));
    short.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[track_caller]
fn assert_names(held: &BTreeSet<String>, expected: &str, name: &str) {
    let expected = expected.split_whitespace().map(str::to_owned).collect();
    assert_eq!(*held, expected, "{name}");
}

/// `ada`, `grace` and `joan`, used at 1, 2 and 3.
async fn three(account: &UserId) -> IndexedDbShelf {
    let shelf = Indexed::open(account);
    for (now, name) in (1..).zip(["ada", "grace", "joan"]) {
        apply(&shelf, &entry(name, u8::try_from(now).unwrap()), now).await;
    }
    shelf
}

#[wasm_bindgen_test]
async fn the_least_recently_used_goes_first_and_renditions_before_records() {
    let bytes = u64::MAX;
    let touch = |name: &str, number| Op::Touch {
        user: user(name),
        rendition: Some(picture(number, Size::S64).key),
    };
    let cases = [
        ("nothing within the limits", vec![], 9, room(6, bytes), "ada 1/64 grace 2/64 joan 3/64"),
        ("a rendition before its record", vec![], 9, room(5, bytes), "ada grace 2/64 joan 3/64"),
        ("then the record", vec![], 9, room(4, bytes), "grace 2/64 joan 3/64"),
        ("a use counts", vec![touch("ada", 1)], 9, room(4, bytes), "ada 1/64 joan 3/64"),
        (
            "trimmed further once there are too many",
            vec![],
            9,
            Room { limits: Limits { entries: 5, bytes, trim_entries_to: 2 }, ..ROOM },
            "joan 3/64",
        ),
        ("bytes count", vec![], 9, room(6, 1_100), "grace 2/64 joan 3/64"),
        (
            "what a clock that ran ahead has used goes first",
            vec![],
            1,
            room(4, bytes),
            "ada 1/64 joan 3/64",
        ),
        ("in the order of that clock", vec![], 0, room(3, bytes), "grace joan 3/64"),
        ("no room at all", vec![], 9, room(0, 0), ""),
    ];
    for (name, ops, now, room, expected) in cases {
        let account = new_account();
        let shelf = three(&account).await;
        let written = apply_within(&shelf, &ops, now, room).await;
        let held = held(&account).await;
        assert_names(&held, expected, name);
        assert_eq!(written.usage.entries, held.len(), "{name}");
        assert_eq!(shelf.usage().await, Ok(written.usage), "{name}");
    }
}

#[wasm_bindgen_test]
async fn what_was_just_written_goes_last() {
    let account = new_account();
    let shelf = three(&account).await;

    // By a clock that was set back: what is written now seems the oldest.
    apply_within(&shelf, &entry("mary", 4), 0, room(4, u64::MAX)).await;
    assert_names(&held(&account).await, "joan 3/64 mary 4/64", "others go first");

    apply_within(&shelf, &entry("lise", 5), 0, room(1, u64::MAX)).await;
    assert_names(&held(&account).await, "lise", "unless nothing else is left");
}

#[wasm_bindgen_test]
async fn a_batch_larger_than_the_layer_leaves_no_bytes_that_nothing_finds() {
    let account = new_account();
    let shelf = Indexed::open(&account);
    let batch: Vec<_> = (1..=9).flat_map(|n| entry(&format!("user-{n}"), n)).collect();

    apply_within(&shelf, &batch, 1, room(12, u64::MAX)).await;

    let held = held(&account).await;
    let records = held.iter().filter(|name| !name.contains('/')).count();
    assert_eq!((records, held.len()), (9, 12), "{held:?}");
}

#[wasm_bindgen_test]
async fn for_a_full_disk_half_goes_before_anything_is_written() {
    let account = new_account();
    let shelf = three(&account).await;
    apply(&shelf, &entry("mary", 4), 4).await;

    let halved = Room { halve: true, ..ROOM };
    apply_within(&shelf, &entry("lise", 5), 5, halved).await;

    assert_names(&held(&account).await, "joan 3/64 mary 4/64 lise 5/64", "the older half");
}

/// Adds up what is there.
async fn recounted(account: &UserId) -> Usage {
    let add = "const uses = await end(store('uses').getAll());
         const names = await end(store('uses').getAllKeys());
         const records = await end(store('records').getAllKeys());
         const renditions = await end(store('renditions').getAllKeys());
         const missing = [...records, ...renditions].sort().join() !== [...names].sort().join();
         if (missing) return 'uses and rows differ';
         const bytes = uses.reduce((sum, use) => sum + use.bytes, 0);
         const pictures = (await end(store('renditions').getAll())).reduce((sum, row) => sum + row.bytes.byteLength, 0);
         const texts = (await end(store('records').getAll())).reduce((sum, row) => sum + row.known.length, 0);
         if (bytes !== pictures + texts) return `${bytes} are not ${pictures} + ${texts}`;
         return `${uses.length} ${bytes}`;";
    let sum = raw(account, add).await.as_string().unwrap();
    let (entries, bytes) = sum.split_once(' ').unwrap();
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{sum}"));
    Usage { entries: usize::try_from(number(entries)).unwrap(), bytes: number(bytes) }
}

#[wasm_bindgen_test]
async fn the_sum_is_that_of_a_recount_whatever_was_done() {
    let mut state = 7_u32;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let account = new_account();
    let shelf = Indexed::open(&account);
    for turn in 0..60_u64 {
        let mut ops = Vec::new();
        for _ in 0..=draw(6) {
            let number = u8::try_from(1 + draw(9)).unwrap();
            let name = ["ada", "grace", "joan", "mary"][draw(4) as usize];
            let size = Size::ALL[draw(4) as usize];
            ops.push(match draw(8) {
                0 | 1 => keep(record(name, number)),
                2..=4 => Op::Rendition { user: user(name), rendition: picture(number, size) },
                5 => Op::Touch { user: user(name), rendition: Some(picture(number, size).key) },
                6 => Op::RemoveImage { user: user(name), image: image(number) },
                _ if draw(2) == 0 => Op::Expire(user(name)),
                _ => Op::RemoveUser(user(name)),
            });
        }
        let room = Room { halve: draw(10) == 0, ..room(9 + draw(4) as usize, 3_000) };
        let written = apply_within(&shelf, &ops, turn + u64::from(draw(9)), room).await;
        assert_eq!(written.usage, recounted(&account).await, "turn {turn}: {ops:?}");
        assert!(written.usage.bytes <= 3_000, "turn {turn}");
    }
}

#[wasm_bindgen_test]
async fn a_sum_that_cannot_be_read_is_added_up_anew() {
    let account = new_account();
    let shelf = three(&account).await;
    let before = shelf.usage().await.unwrap();
    for spoil in ["put('many', 'all')", "delete('all')"] {
        raw(&account, &format!("await end(store('sums').{spoil});")).await;
        assert_eq!(shelf.usage().await.unwrap(), before, "{spoil}");
        assert_eq!(apply(&shelf, &[], 9).await.usage, before, "{spoil}");
    }
}

/// Hovering over 300 rows once pushed the list's own pages out.
#[wasm_bindgen_test]
async fn pages_and_profiles_have_budgets_of_their_own() {
    let room = Room { pages: 3, profiles: 2, ..ROOM };
    let shelf = Indexed::open(&new_account());
    let put = async |document: Document, now| {
        apply_within(&shelf, &[Op::Document(document)], now, room).await;
    };
    let kept = async |documents: &[Document]| {
        let keys: Vec<_> = documents.iter().map(|document| document.key.clone()).collect();
        let read = shelf.documents(&keys).await.unwrap();
        read.iter().map(|document| u8::from(document.is_some())).collect::<Vec<_>>()
    };
    let pages = [None, Some("a"), Some("b"), Some("c"), Some("d")].map(|cursor| page(cursor, ""));
    let profiles = ["ada", "grace", "joan", "mary"].map(profile);

    for (now, page) in (1..).zip(&pages[..3]) {
        put(page.clone(), now).await;
    }
    for (now, profile) in (10..).zip(&profiles) {
        put(profile.clone(), now).await;
    }
    assert_eq!(kept(&pages).await, [1, 1, 1, 0, 0], "profiles push no page out");
    assert_eq!(kept(&profiles).await, [0, 0, 1, 1], "the oldest go");

    put(pages[0].clone(), 20).await;
    put(pages[3].clone(), 21).await;
    assert_eq!(kept(&pages).await, [1, 0, 1, 1, 0], "what is stored again is young");
    // By a clock that was set right after it had run ahead.
    put(pages[4].clone(), 5).await;
    assert_eq!(kept(&pages).await, [0, 0, 1, 1, 1], "what is of the future goes first");
    assert_eq!(kept(&profiles).await, [0, 0, 1, 1]);
}

#[wasm_bindgen_test]
async fn nothing_ever_lists_the_layer() {
    let shelf = shelf_with(&new_account(), &entry("ada", 1)).await;
    let listed = crate::script::Replaced::by(
        "const held = {};
         window.listed = 0;
         for (const name of ['getAll', 'openCursor', 'openKeyCursor', 'count']) {
             held[name] = IDBObjectStore.prototype[name];
             IDBObjectStore.prototype[name] = function (...args) { window.listed += 1; return held[name].apply(this, args); };
         }
         return () => Object.assign(IDBObjectStore.prototype, held);",
    );
    apply(&shelf, &entry("grace", 2), 2).await;
    shelf.usage().await.unwrap();
    assert_eq!(js_sys::eval("window.listed").unwrap().as_f64(), Some(0.0));
    drop(listed);
}
