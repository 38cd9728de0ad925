//! LocalStorage: the contract, and what only it can do or suffer.

use miniature::{
    api::{Account, UserId},
    browser::local_storage::{
        ACCOUNT_KEY, LocalPages, LocalStorageShelf, PREFIX, current_account,
        forget_current_account, set_current_account,
    },
    cache::{
        clock::Timestamp,
        entry::{Content, Found},
        key::Key,
        layer::{CacheLayer, InstantLayer, LayerError},
    },
};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Storage;

use crate::{
    contract::{Subject, contract},
    samples::{assert_found, entry, lookup, new_account, record, user},
    script::Replaced,
};

struct Local;

contract!(Local);

fn raw() -> Storage {
    web_sys::window().unwrap().local_storage().unwrap().unwrap()
}

fn line(account: &UserId, key: &Key) -> String {
    match key {
        Key::User(user) => format!("{PREFIX}{account}:picture:{user}"),
        Key::Rendition(_) => format!("{PREFIX}{account}:no such line"),
    }
}

impl Subject for Local {
    type Layer = LocalStorageShelf;

    fn open(account: &UserId) -> LocalStorageShelf {
        LocalStorageShelf::open(account).unwrap()
    }

    async fn corrupt(account: &UserId, key: &Key) {
        if matches!(key, Key::User(_)) {
            raw().set_item(&line(account, key), "{\"record\":").unwrap();
        }
    }

    async fn holds(account: &UserId, key: &Key) -> bool {
        raw().get_item(&line(account, key)).unwrap().is_some()
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
async fn a_spent_quota_is_reported_and_nothing_is_stored() {
    let account = new_account();
    let shelf = Local::open(&account);
    let held = [entry("ada", 1), entry("grace", 2)];
    shelf.put_many(&held, Timestamp(1)).await.unwrap();
    let filled = Filled::up();

    // The first fits in place of what is held; the second and third do not fit.
    let entries = [entry("ada", 3), entry("joan", 4), entry("mary", 5)];
    let answer = shelf.put_many(&entries, Timestamp(2)).await;

    assert_eq!(answer, Err(LayerError::Full));
    assert_found(&shelf.peek(&user("ada")).unwrap(), &held[0]);
    assert_found(&shelf.peek(&user("grace")).unwrap(), &held[1]);
    assert_eq!(shelf.peek(&user("joan")).unwrap(), Found::default());
    drop(filled);
    assert_eq!(shelf.put_many(&entries, Timestamp(3)).await, Ok(()));
}

#[wasm_bindgen_test]
async fn it_is_read_within_the_call() {
    let shelf = Local::open(&new_account());
    shelf.put_many(&[entry("ada", 1)], Timestamp(1)).await.unwrap();

    let found = shelf.peek(&user("ada")).unwrap();

    assert_found(&found, &entry("ada", 1));
    assert!(matches!(found.rendition.unwrap().content, Content::DataUrl(_)));
}

#[wasm_bindgen_test]
async fn a_preview_that_is_no_image_reads_as_none_and_is_removed() {
    let account = new_account();
    let shelf = Local::open(&account);
    shelf.put_many(&[entry("ada", 1)], Timestamp(1)).await.unwrap();
    let key = line(&account, &Key::User(user("ada")));
    let line = raw().get_item(&key).unwrap().unwrap();
    raw().set_item(&key, &line.replace("data:image/webp", "https://example.org/")).unwrap();

    assert_eq!(shelf.peek(&user("ada")).unwrap(), Found::default());
    assert_eq!(raw().get_item(&key).unwrap(), None);
}

#[wasm_bindgen_test]
async fn someone_elses_line_reads_as_none() {
    let account = new_account();
    let shelf = Local::open(&account);
    shelf.put_many(&[entry("ada", 1)], Timestamp(1)).await.unwrap();
    let line_of = |name: &str| line(&account, &Key::User(user(name)));
    let ada = raw().get_item(&line_of("ada")).unwrap().unwrap();
    raw().set_item(&line_of("grace"), &ada).unwrap();

    let found = shelf.get_many(&["ada", "grace"].map(lookup)).await.unwrap();

    assert_found(&found[0], &entry("ada", 1));
    assert_eq!(found[1], Found::default());
}

#[wasm_bindgen_test]
async fn clearing_takes_the_accounts_pages_and_leaves_the_rest_of_the_origin() {
    let account = new_account();
    let pages = LocalPages::open(&account).unwrap();
    pages.put("friends", "[]").unwrap();
    raw().set_item("not ours", "stays").unwrap();

    Local::open(&account).clear().await.unwrap();

    assert_eq!(pages.get("friends"), Ok(None));
    assert_eq!(raw().get_item("not ours").unwrap().as_deref(), Some("stays"));
    raw().remove_item("not ours").unwrap();
}

#[wasm_bindgen_test]
fn a_page_is_kept_until_removed() {
    let pages = LocalPages::open(&new_account()).unwrap();
    assert_eq!(pages.get("friends"), Ok(None));
    pages.put("friends", "[1]").unwrap();
    pages.put("friends", "[2]").unwrap();
    assert_eq!(pages.get("friends"), Ok(Some("[2]".into())));
    pages.remove("friends").unwrap();
    assert_eq!(pages.get("friends"), Ok(None));
}

#[wasm_bindgen_test]
fn the_signed_in_account_is_remembered() {
    let account =
        Account { user_id: user("ada"), name: "Ada".into(), picture: record("ada", 1).record };
    set_current_account(&account).unwrap();
    assert_eq!(current_account(), Ok(Some(account)));

    forget_current_account().unwrap();
    assert_eq!(current_account(), Ok(None));

    raw().set_item(ACCOUNT_KEY, "{").unwrap();
    assert_eq!(current_account(), Ok(None));
    assert_eq!(raw().get_item(ACCOUNT_KEY).unwrap(), None);
}

#[wasm_bindgen_test]
fn where_the_storage_is_blocked_nothing_opens_and_nothing_panics() {
    let _denied = Replaced::denied("window", "localStorage");
    assert_eq!(LocalStorageShelf::open(&user("ada")).err(), Some(LayerError::Unavailable));
    assert_eq!(LocalPages::open(&user("ada")).err(), Some(LayerError::Unavailable));
    assert_eq!(current_account(), Err(LayerError::Unavailable));
}
