//! LocalStorage: the contract, and what only it can do or suffer.

use miniature::{
    api::{Account, Marker, UserId},
    browser::{
        local_storage::{self, ACCOUNT_KEY, LocalStorageShelf, PREFIX, accounts, note, noted},
        tabs::TabChange,
    },
    cache::{
        clock::Timestamp,
        core::{Note, Op, Start, StorageChange},
        entry::{Content, Found, Line},
        layer::LayerError,
    },
};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Storage;

use crate::{
    contract::{Subject, contract},
    samples::{
        assert_entry, entry, keep, keep_picture, lineage, new_account, page, pages_in_turn,
        picture, profile, record, shown, user,
    },
    script::Replaced,
};

struct Local;

contract!(Local);

fn raw() -> Storage {
    web_sys::window().unwrap().local_storage().unwrap().unwrap()
}

fn key(account: &UserId, name: &str) -> String {
    format!("{PREFIX}{account}:{name}")
}

fn get(account: &UserId, name: &str) -> Option<String> {
    raw().get_item(&key(account, name)).unwrap()
}

fn set(account: &UserId, name: &str, value: &str) {
    raw().set_item(&key(account, name), value).unwrap();
}

impl Subject for Local {
    type Layer = LocalStorageShelf;

    fn open(account: &UserId) -> LocalStorageShelf {
        LocalStorageShelf::open(account).unwrap()
    }

    async fn corrupt(account: &UserId, name: &str, _number: u8) {
        set(account, &format!("record:{name}"), "{\"record\":");
        set(account, &format!("preview:{name}"), "00 64 data:image/webp,");
    }

    async fn holds(account: &UserId, name: &str, _number: u8) -> bool {
        ["record", "preview"].iter().any(|kind| get(account, &format!("{kind}:{name}")).is_some())
    }

    fn deny() -> Replaced {
        Replaced::by(
            "const held = {};
             for (const name of ['getItem', 'setItem', 'removeItem', 'key']) {
                 held[name] = Storage.prototype[name];
                 Storage.prototype[name] = () => { throw new DOMException('denied', 'SecurityError'); };
             }
             const length = Object.getOwnPropertyDescriptor(Storage.prototype, 'length');
             Object.defineProperty(Storage.prototype, 'length', {
                 get() { throw new DOMException('denied', 'SecurityError'); }, configurable: true,
             });
             return () => {
                 Object.assign(Storage.prototype, held);
                 Object.defineProperty(Storage.prototype, 'length', length);
             };",
        )
    }
}

/// Fills the storage to the last character until dropped.
struct Filled(Vec<String>);

impl Filled {
    fn up() -> Self {
        let (mut keys, mut size) = (Vec::new(), 1 << 20);
        while size > 0 {
            let key = format!("filler:{}", keys.len());
            match raw().set_item(&key, &"x".repeat(size)) {
                Ok(()) => keys.push(key),
                Err(_) => size /= 2,
            }
        }
        assert!(keys.len() >= 4, "the quota is some megabytes");
        Self(keys)
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        self.0.iter().for_each(|key| raw().remove_item(key).unwrap());
    }
}

#[wasm_bindgen_test]
fn a_spent_quota_is_reported_and_nothing_is_changed() {
    let account = new_account();
    let shelf = Local::open(&account);
    let held = [entry("ada", 1), entry("grace", 2), vec![Op::Document(page(None, "a"))]].concat();
    shelf.apply(&held, Timestamp(1)).unwrap();
    let filled = Filled::up();

    // The first fits in the place of what is held; what comes after it does not fit.
    let changes = [
        entry("ada", 3),
        vec![Op::RemoveUser(user("grace")), Op::Document(page(None, "b"))],
        entry("joan", 4),
        entry("mary", 5),
        entry("ada", 6),
        entry("lise", 7),
    ]
    .concat();
    let answer = shelf.apply(&changes, Timestamp(2));

    assert_eq!(answer, Err(LayerError::Full));
    assert_entry(&shelf.found(&user("ada")).unwrap(), "ada", 1);
    assert_entry(&shelf.found(&user("grace")).unwrap(), "grace", 2);
    assert_eq!(shelf.found(&user("joan")).unwrap(), Found::default());
    assert_eq!(shelf.start(&account).friends, Some(page(None, "a")));
    drop(filled);
    assert!(shelf.apply(&changes, Timestamp(3)).is_ok());
    assert_entry(&shelf.found(&user("ada")).unwrap(), "ada", 6);
}

#[wasm_bindgen_test]
fn the_time_from_which_rows_are_believed_is_written_although_the_storage_is_full() {
    let account = new_account();
    let shelf = Local::open(&account);
    let fresh = Start {
        account: account.clone(),
        lineage: None,
        believe_from: Timestamp(0),
        feed: None,
        friends: None,
        live: None,
        has_picture_cache: false,
    };
    assert_eq!(shelf.start(&account), fresh);
    assert_eq!(get(&account, "believe-from").as_deref(), Some("0000000000000"));
    let _filled = Filled::up();

    let now = Timestamp(1_767_225_600_000);
    assert!(shelf.apply(&[Op::BelieveFrom(now)], now).is_ok());

    assert_eq!(shelf.start(&account).believe_from, now);
}

#[wasm_bindgen_test]
fn what_a_start_needs_is_kept_and_what_cannot_be_read_is_absent() {
    let account = new_account();
    let shelf = Local::open(&account);
    let first = page(None, "c");
    let ops = [Op::Document(first.clone()), Op::Lineage(lineage(3))];
    shelf.apply(&ops, Timestamp(1)).unwrap();
    let start = shelf.start(&account);
    assert_eq!((start.friends, start.lineage), (Some(first), Some(lineage(3))));

    // What the layout before this one kept under the same name, and other garbage.
    set(&account, "page:friends", r#"{"page":{"friends":[],"next":null}}"#);
    set(&account, "lineage", "soon");
    set(&account, "believe-from", "-000000000001");
    let start = shelf.start(&account);
    assert_eq!((start.friends, start.lineage), (None, None));
    assert_eq!(start.believe_from, Timestamp(0));
    assert_eq!(get(&account, "believe-from").as_deref(), Some("0000000000000"));
}

#[wasm_bindgen_test]
fn of_documents_only_the_first_page_is_kept() {
    let account = new_account();
    let shelf = Local::open(&account);
    let others = [page(Some("c"), "d"), profile("ada")];
    let first = page(None, "c");
    let mut ops = vec![Op::Document(first.clone())];
    ops.extend(others.iter().cloned().map(Op::Document));
    shelf.apply(&ops, Timestamp(1)).unwrap();
    let keys = || {
        let all = (0..raw().length().unwrap()).filter_map(|at| raw().key(at).unwrap());
        all.filter(|held| held.starts_with(&key(&account, "page:"))).collect::<Vec<_>>()
    };
    assert_eq!(keys(), [key(&account, "page:friends")]);
    assert_eq!(shelf.start(&account).friends, Some(first));

    let remove = others.map(|document| Op::RemoveDocument(document.key));
    shelf.apply(&remove, Timestamp(2)).unwrap();
    assert_eq!(keys(), [key(&account, "page:friends")]);
    shelf.apply(&[Op::RemoveDocument(page(None, "").key)], Timestamp(3)).unwrap();
    assert!(keys().is_empty());
}

#[wasm_bindgen_test]
fn no_document_replaces_a_later_one() {
    let account = new_account();
    let shelf = Local::open(&account);
    let (pages, kept) = pages_in_turn();
    for page in &pages {
        shelf.apply(&[Op::Document(page.clone())], Timestamp(5_000)).unwrap();
    }
    assert_eq!(shelf.start(&account).friends, Some(pages[kept].clone()));
}

#[wasm_bindgen_test]
fn a_confirmation_rewrites_no_picture() {
    let account = new_account();
    let shelf = Local::open(&account);
    shelf.apply(&entry("ada", 1), Timestamp(1)).unwrap();
    let writes = Replaced::by(
        "const held = Storage.prototype.setItem;
         window.written = [];
         Storage.prototype.setItem = function (key, value) { window.written.push(value.length); return held.call(this, key, value); };
         return () => { Storage.prototype.setItem = held; };",
    );
    let mut confirmed = record("ada", 1);
    confirmed.checked_at = Timestamp(1_767_225_600_000);

    shelf.apply(&[keep(confirmed)], Timestamp(1_767_225_600_000)).unwrap();

    let written = js_sys::eval("window.written.join()").unwrap().as_string().unwrap();
    drop(writes);
    assert!(written.parse::<u32>().is_ok_and(|bytes| bytes <= 150), "one write of {written}");
}

#[wasm_bindgen_test]
fn a_preview_is_handed_out_as_it_lies_there() {
    let shelf = Local::open(&new_account());
    shelf.apply(&entry("ada", 1), Timestamp(1)).unwrap();
    let found = shelf.found(&user("ada")).unwrap().rendition.unwrap();
    assert!(matches!(found.content, Content::DataUrl(_)));
}

#[wasm_bindgen_test]
fn a_preview_that_is_no_image_reads_as_none_and_is_removed() {
    let account = new_account();
    let shelf = Local::open(&account);
    shelf.apply(&entry("ada", 1), Timestamp(1)).unwrap();
    let preview = get(&account, "preview:ada").unwrap();
    set(&account, "preview:ada", &preview.replace("data:image/webp", "https://example.org/"));

    let found = shelf.found(&user("ada")).unwrap();

    assert_eq!((found.record, found.rendition), (Some(record("ada", 1)), None));
    assert_eq!(get(&account, "preview:ada"), None);
    assert!(get(&account, "record:ada").is_some());
}

#[wasm_bindgen_test]
fn a_preview_without_a_record_is_kept_and_found() {
    let shelf = Local::open(&new_account());
    shelf.apply(&[keep_picture("ada", 1)], Timestamp(1)).unwrap();

    let found = shelf.found(&user("ada")).unwrap();

    let preview = picture(1, crate::samples::SIZE);
    assert_eq!((found.record, found.used_at), (None, Timestamp(0)));
    assert_eq!(found.rendition.as_ref().map(shown), Some(shown(&preview)));
}

/// What the keys say by themselves.
fn line(account: &UserId, name: &str, used_at: u64) -> Line {
    let size = |kind: &str| {
        let value = get(account, &format!("{kind}:{name}"));
        value.map_or(0, |value| key(account, &format!("{kind}:{name}")).len() + value.len())
    };
    let bytes = (size("record") + size("preview")) as u64;
    Line { user: user(name), bytes, used_at: Timestamp(used_at) }
}

#[wasm_bindgen_test]
fn a_write_tells_what_the_rows_that_it_named_take_now() {
    let account = new_account();
    let shelf = Local::open(&account);
    let ops = [entry("ada", 1), entry("grace", 2), entry("joan", 0)].concat();
    let written = shelf.apply(&ops, Timestamp(5)).unwrap();
    let lines = ["ada", "grace", "joan"].map(|name| line(&account, name, 5));
    assert_eq!(written.lines, lines);
    assert!(lines.iter().all(|line| line.bytes > 0));

    let ops = [
        Op::RemoveUser(user("ada")),
        Op::RemoveImage { user: user("grace"), image: crate::samples::image(2) },
        Op::Touch { user: user("joan"), rendition: None },
        Op::Document(page(None, "")),
    ];
    let written = shelf.apply(&ops, Timestamp(6)).unwrap();
    let gone = Line { user: user("ada"), bytes: 0, used_at: Timestamp(0) };
    let (grace, joan) = (line(&account, "grace", 5), line(&account, "joan", 6));
    assert_eq!(written.lines, [gone, grace, joan]);
}

#[wasm_bindgen_test]
fn a_count_lists_this_accounts_users_and_removes_what_nobody_can_read() {
    let account = new_account();
    let shelf = Local::open(&account);
    shelf.apply(&entry("ada", 1), Timestamp(1)).unwrap();
    shelf.apply(&entry("grace", 2), Timestamp(2)).unwrap();
    let longer = user(&format!("{account}1"));
    Local::open(&longer).apply(&entry("joan", 3), Timestamp(3)).unwrap();
    for (name, value) in [
        ("picture:ada", "{}"),
        ("record:not a user", "7 - - 1 1"),
        ("record:mary", "7"),
        ("preview:mary", "no preview"),
    ] {
        set(&account, name, value);
    }
    set(&account, "believe-from", "0000000000000");

    let mut lines = shelf.count().unwrap();
    // The browser has keys in any order.
    lines.sort_by(|one, other| one.user.cmp(&other.user));

    assert_eq!(lines, [line(&account, "ada", 1), line(&account, "grace", 2)]);
    for name in ["picture:ada", "record:not a user", "record:mary", "preview:mary"] {
        assert_eq!(get(&account, name), None, "{name}");
    }
    assert!(get(&account, "believe-from").is_some());
}

#[wasm_bindgen_test]
fn clearing_leaves_what_protects_from_old_rows_and_the_rest_of_the_origin() {
    let account = new_account();
    let shelf = Local::open(&account);
    let mut ops = entry("ada", 1);
    ops.extend([
        Op::Document(page(None, "")),
        Op::BelieveFrom(Timestamp(5)),
        Op::Lineage(lineage(1)),
    ]);
    shelf.apply(&ops, Timestamp(1)).unwrap();
    raw().set_item("not ours", "stays").unwrap();

    shelf.clear().unwrap();

    let start = shelf.start(&account);
    assert_eq!((start.believe_from, start.lineage), (Timestamp(5), Some(lineage(1))));
    assert_eq!(start.friends, None);
    assert_eq!(shelf.count().unwrap(), []);
    assert_eq!(raw().get_item("not ours").unwrap().as_deref(), Some("stays"));
    raw().remove_item("not ours").unwrap();
}

#[wasm_bindgen_test]
fn a_change_by_another_tab_is_told_as_what_it_means() {
    let account = new_account();
    let shelf = Local::open(&account);
    shelf.apply(&entry("ada", 1), Timestamp(1)).unwrap();
    let old = get(&account, "record:ada");
    shelf.apply(&[keep(record("ada", 2))], Timestamp(2)).unwrap();
    let new = get(&account, "record:ada");
    let change = |name: &str, old: &Option<String>, new: &Option<String>| {
        let key = Some(key(&account, name));
        shelf.changed(&TabChange { key, old: old.clone(), new: new.clone() })
    };
    let line = line(&account, "ada", 2);
    let told = |of_record, old, new| {
        Some(StorageChange { user: user("ada"), of_record, old, new, line: line.clone() })
    };
    let (first, second) = (Some(record("ada", 1)), Some(record("ada", 2)));

    assert_eq!(change("record:ada", &old, &new), told(true, first, second.clone()));
    assert_eq!(change("record:ada", &Some("{}".into()), &None), told(true, None, None));
    assert_eq!(change("record:ada", &None, &new), told(true, None, second));
    assert_eq!(change("preview:ada", &old, &new), told(false, None, None));
    for name in ["believe-from", "page:friends", "picture:ada", "record:not a user"] {
        assert_eq!(change(name, &old, &new), None, "{name}");
    }
    assert_eq!(shelf.changed(&TabChange { key: None, old: None, new: None }), None);
}

#[wasm_bindgen_test]
fn who_is_signed_in_and_what_is_owed_are_remembered() {
    let account =
        Account { user_id: user("ada"), name: "Ada".into(), picture: record("ada", 1).record };
    let (nobody, marker) = (Note { account: None, owed: None }, Marker::from("ada.1".to_owned()));
    for noted in [
        Note { account: Some(account), owed: None },
        Note { account: None, owed: Some(marker) },
        Note { account: None, owed: Some(Marker::from(String::new())) },
        nobody.clone(),
    ] {
        note(&noted).unwrap();
        assert_eq!(local_storage::noted(), noted);
    }
    raw().set_item(ACCOUNT_KEY, "{").unwrap();
    assert_eq!(local_storage::noted(), nobody);
    assert_eq!(raw().get_item(ACCOUNT_KEY).unwrap(), None);
}

#[wasm_bindgen_test]
fn the_accounts_that_have_keys_are_listed() {
    let keys = ["accounts:record:x", "ada-2:lineage", "a b:record:x", "account", "sign-out-owed"];
    keys.iter().for_each(|key| raw().set_item(&format!("{PREFIX}{key}"), "x").unwrap());
    raw().set_item("other:ada-3:record:x", "x").unwrap();
    let listed = accounts().unwrap();
    assert!(listed.contains(&user("accounts")) && listed.contains(&user("ada-2")), "{listed:?}");
    let others = ["a b", "account", "ada-3"];
    assert!(!listed.iter().any(|user| others.contains(&user.as_str())), "{listed:?}");
    keys.iter().for_each(|key| raw().remove_item(&format!("{PREFIX}{key}")).unwrap());
    raw().remove_item("other:ada-3:record:x").unwrap();
}

#[wasm_bindgen_test]
fn where_the_storage_is_blocked_nothing_opens_and_nothing_panics() {
    let _denied = Replaced::denied("window", "localStorage");
    assert_eq!(LocalStorageShelf::open(&user("ada")).err(), Some(LayerError::Unavailable));
    assert_eq!(noted(), Note { account: None, owed: None });
    assert_eq!(accounts(), Err(LayerError::Unavailable));
}
