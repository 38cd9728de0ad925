//! What every storage layer has to do.

use miniature::{
    api::UserId,
    cache::{
        clock::Timestamp,
        entry::{Entry, Found},
        eviction::{self, Limits, Usage},
        key::Key,
        layer::{CacheLayer, LayerError},
    },
};

use crate::{
    samples::{assert_found, entry, keys, lookup, new_account, record, user},
    script::Replaced,
};

/// A storage, and how to mistreat it.
pub(crate) trait Subject {
    type Layer: CacheLayer;

    fn open(account: &UserId) -> Self::Layer;

    /// Overwrites what the layer holds under a key with what it cannot read.
    async fn corrupt(account: &UserId, key: &Key);

    /// Whether anything stands under a key, readable or not.
    async fn holds(account: &UserId, key: &Key) -> bool;

    /// Denies the storage until dropped.
    fn deny() -> Replaced;
}

macro_rules! contract {
    ($subject:ty: $($test:ident)*) => {
        $(
            #[wasm_bindgen_test::wasm_bindgen_test]
            async fn $test() {
                $crate::contract::$test::<$subject>().await;
            }
        )*
    };
    ($subject:ty) => {
        $crate::contract::contract! {
            $subject:
            what_is_put_is_found
            a_batch_is_answered_in_the_order_asked
            a_newer_entry_replaces_an_older_one
            a_record_alone_keeps_what_is_held_of_its_image
            what_is_removed_is_gone
            the_least_recently_used_goes_first
            clearing_forgets_this_account_and_no_other
            after_clearing_it_can_be_used_again
            a_corrupt_record_reads_as_none_and_is_removed
            a_denied_storage_says_so
        }
    };
}
pub(crate) use contract;

async fn find(layer: &impl CacheLayer, name: &str) -> Found {
    layer.get_many(&[lookup(name)]).await.unwrap().remove(0)
}

async fn put(layer: &impl CacheLayer, entries: &[Entry], now: u64) {
    layer.put_many(entries, Timestamp(now)).await.unwrap();
}

async fn is_empty(layer: &impl CacheLayer) -> bool {
    layer.inventory().await.unwrap().is_empty()
}

pub(crate) async fn what_is_put_is_found<S: Subject>() {
    let account = new_account();
    let entries = [entry("ada", 1), entry("nobody", 0)];
    put(&S::open(&account), &entries, 1).await;

    let layer = S::open(&account);
    for put in &entries {
        assert_found(&find(&layer, put.record.record.user_id.as_str()).await, put);
    }
    assert_eq!(find(&layer, "unknown").await, Found::default());
}

pub(crate) async fn a_batch_is_answered_in_the_order_asked<S: Subject>() {
    let layer = S::open(&new_account());
    put(&layer, &[entry("ada", 1), entry("grace", 2)], 1).await;

    let asked = ["grace", "unknown", "ada", "grace"].map(lookup);
    let found = layer.get_many(&asked).await.unwrap();

    assert_eq!(found.len(), 4);
    assert_found(&found[0], &entry("grace", 2));
    assert_eq!(found[1], Found::default());
    assert_found(&found[2], &entry("ada", 1));
    assert_found(&found[3], &entry("grace", 2));
    assert_eq!(layer.get_many(&[]).await.unwrap(), []);
}

pub(crate) async fn a_newer_entry_replaces_an_older_one<S: Subject>() {
    let layer = S::open(&new_account());
    put(&layer, &[entry("ada", 1)], 1).await;
    put(&layer, &[entry("ada", 2)], 2).await;
    assert_found(&find(&layer, "ada").await, &entry("ada", 2));

    put(&layer, &[entry("ada", 0)], 3).await;
    assert_found(&find(&layer, "ada").await, &entry("ada", 0));
}

pub(crate) async fn a_record_alone_keeps_what_is_held_of_its_image<S: Subject>() {
    let layer = S::open(&new_account());
    put(&layer, &[entry("ada", 1)], 1).await;

    let mut confirmed = Entry { record: record("ada", 1), rendition: None };
    confirmed.record.checked_at = Timestamp(2_000);
    put(&layer, &[confirmed.clone()], 2).await;

    let expected = Entry { rendition: entry("ada", 1).rendition, ..confirmed };
    assert_found(&find(&layer, "ada").await, &expected);

    let moved_on = Entry { record: record("ada", 2), rendition: None };
    put(&layer, std::slice::from_ref(&moved_on), 3).await;
    assert_found(&find(&layer, "ada").await, &moved_on);
}

pub(crate) async fn what_is_removed_is_gone<S: Subject>() {
    let layer = S::open(&new_account());
    let (ada, grace) = (entry("ada", 1), entry("grace", 2));
    put(&layer, &[ada.clone(), grace.clone()], 1).await;

    layer.remove_many(&[keys(&ada), vec![Key::User(user("unknown"))]].concat()).await.unwrap();

    assert_eq!(find(&layer, "ada").await, Found::default());
    assert_found(&find(&layer, "grace").await, &grace);
    assert!(layer.inventory().await.unwrap().iter().all(|held| keys(&grace).contains(&held.key)));
}

pub(crate) async fn the_least_recently_used_goes_first<S: Subject>() {
    let layer = S::open(&new_account());
    let entries = ["ada", "grace", "joan"].map(|name| entry(name, name.as_bytes()[0]));
    for (now, entry) in (1..).zip(&entries) {
        put(&layer, std::slice::from_ref(entry), now).await;
    }
    let unknown = keys(&entry("unknown", 9));
    layer.touch_many(&[keys(&entries[0]), unknown].concat(), Timestamp(9)).await.unwrap();

    let inventory = layer.inventory().await.unwrap();
    let usage = Usage::of(&inventory);
    assert!(usage.bytes >= 900, "each line counts its bytes: {usage:?}");
    let limits = Limits { entries: usage.entries, bytes: usage.bytes - 1, trim_entries_to: 0 };
    let leaving = eviction::plan(inventory, limits);
    layer.remove_many(&leaving).await.unwrap();

    assert!(keys(&entries[1]).contains(&leaving[0]), "{leaving:?}");
    assert_found(&find(&layer, "ada").await, &entries[0]);
    assert_found(&find(&layer, "joan").await, &entries[2]);
}

pub(crate) async fn clearing_forgets_this_account_and_no_other<S: Subject>() {
    let (mine, other) = (S::open(&new_account()), S::open(&new_account()));
    put(&mine, &[entry("ada", 1)], 1).await;
    put(&other, &[entry("ada", 2)], 1).await;

    mine.clear().await.unwrap();

    assert_found(&find(&other, "ada").await, &entry("ada", 2));
    assert!(is_empty(&mine).await);
}

pub(crate) async fn after_clearing_it_can_be_used_again<S: Subject>() {
    let layer = S::open(&new_account());
    put(&layer, &[entry("ada", 1)], 1).await;
    layer.clear().await.unwrap();

    put(&layer, &[entry("grace", 2)], 2).await;

    assert_eq!(find(&layer, "ada").await, Found::default());
    assert_found(&find(&layer, "grace").await, &entry("grace", 2));
}

pub(crate) async fn a_corrupt_record_reads_as_none_and_is_removed<S: Subject>() {
    let account = new_account();
    let (ada, grace) = (entry("ada", 1), entry("grace", 2));
    put(&S::open(&account), &[ada.clone(), grace.clone()], 1).await;

    let layer = S::open(&account);
    for key in keys(&ada) {
        S::corrupt(&account, &key).await;
    }
    let asked = ["ada", "grace"].map(lookup).map(|mut lookup| {
        lookup.image = (lookup.wanted.user == user("ada")).then(|| crate::samples::image(1));
        lookup
    });
    let found = layer.get_many(&asked).await.unwrap();

    assert_eq!(found[0], Found::default());
    assert_found(&found[1], &grace);
    for key in keys(&ada) {
        assert!(!S::holds(&account, &key).await, "{key:?}");
    }
    assert!(S::holds(&account, &Key::User(user("grace"))).await);
}

pub(crate) async fn a_denied_storage_says_so<S: Subject>() {
    let layer = S::open(&new_account());
    let key = Key::User(user("ada"));
    let denied = S::deny();

    let unavailable = Some(LayerError::Unavailable);
    assert_eq!(layer.get_many(&[lookup("ada")]).await.err(), unavailable);
    assert_eq!(layer.put_many(&[entry("ada", 1)], Timestamp(1)).await.err(), unavailable);
    assert_eq!(layer.remove_many(std::slice::from_ref(&key)).await.err(), unavailable);
    assert_eq!(layer.touch_many(&[key], Timestamp(1)).await.err(), unavailable);
    assert_eq!(layer.inventory().await.err(), unavailable);
    assert_eq!(layer.clear().await.err(), unavailable);

    drop(denied);
    assert_eq!(find(&layer, "ada").await, Found::default());
}
