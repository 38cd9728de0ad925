//! What every storage layer has to do.

use miniature::{
    api::{Revision, Size, UserId},
    browser::layer::CacheLayer,
    cache::{
        clock::Timestamp,
        core::{Op, Written},
        entry::{CheckedRecord, Content, Found},
        key::RenditionKey,
        layer::LayerError,
    },
};

use crate::{
    samples::{
        ROOM, SIZE, assert_entry, assert_found, entry, image, keep, keep_picture, lineage, lookup,
        new_account, picture, record, user,
    },
    script::Replaced,
};

/// A storage, and how to mistreat it.
pub(crate) trait Subject {
    type Layer: CacheLayer;

    fn open(account: &UserId) -> Self::Layer;

    /// Overwrites what the layer holds of a user, whose image is `number`, with what it cannot read.
    async fn corrupt(account: &UserId, name: &str, number: u8);

    /// Whether anything stands there, readable or not.
    async fn holds(account: &UserId, name: &str, number: u8) -> bool;

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
            what_is_kept_is_found
            a_batch_is_answered_in_the_order_asked
            the_later_state_stands_whatever_order_they_come_in
            a_record_that_only_updates_makes_no_row
            an_older_picture_stays_until_the_newer_one_is_kept
            an_older_picture_never_replaces_the_newer_one
            a_picture_that_was_removed_is_not_found_any_more
            a_use_is_noted
            an_expired_row_is_believed_no_more_and_stays
            a_removed_user_is_gone
            a_removed_image_is_gone_and_no_other
            a_removed_rendition_takes_no_other_with_it
            clearing_forgets_this_account_and_no_other
            after_clearing_it_can_be_used_again
            a_corrupt_row_reads_as_none_and_is_removed
            a_corrupt_row_can_be_overwritten
            a_denied_storage_says_so
        }
    };
}
pub(crate) use contract;

async fn find(layer: &impl CacheLayer, name: &str) -> Found {
    layer.get_many(&[lookup(name)]).await.unwrap().remove(0)
}

async fn apply(layer: &impl CacheLayer, ops: &[Op<Content>], now: u64) -> Written {
    layer.apply(ops, Timestamp(now), ROOM).await.unwrap()
}

pub(crate) async fn what_is_kept_is_found<S: Subject>() {
    let account = new_account();
    apply(&S::open(&account), &[entry("ada", 1), entry("nobody", 0)].concat(), 7).await;

    let layer = S::open(&account);
    let found = find(&layer, "ada").await;
    assert_entry(&found, "ada", 1);
    assert_eq!(found.used_at, Timestamp(7));
    assert_entry(&find(&layer, "nobody").await, "nobody", 0);
    assert_eq!(find(&layer, "unknown").await, Found::default());
}

pub(crate) async fn a_batch_is_answered_in_the_order_asked<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &[entry("ada", 1), entry("grace", 2)].concat(), 1).await;

    let asked = ["grace", "unknown", "ada", "grace"].map(lookup);
    let found = layer.get_many(&asked).await.unwrap();

    assert_eq!(found.len(), 4);
    assert_entry(&found[0], "grace", 2);
    assert_eq!(found[1], Found::default());
    assert_entry(&found[2], "ada", 1);
    assert_entry(&found[3], "grace", 2);
    assert_eq!(layer.get_many(&[]).await.unwrap(), []);
}

fn state(history: Option<u8>, revision: u32, checked_at: u64) -> CheckedRecord {
    let mut known = record("ada", 1);
    known.lineage = history.map(lineage);
    known.record.revision = Revision(revision);
    known.checked_at = Timestamp(checked_at);
    known
}

pub(crate) async fn the_later_state_stands_whatever_order_they_come_in<S: Subject>() {
    let cases = [
        ("a later revision", state(Some(1), 7, 9), state(Some(1), 8, 1)),
        ("the same, checked later", state(Some(1), 7, 5), state(Some(1), 7, 6)),
        ("a later lineage that counts from lower", state(Some(1), 7, 9), state(Some(2), 1, 1)),
        ("a lineage after none", state(None, 7, 9), state(Some(1), 1, 1)),
    ];
    for (name, earlier, later) in cases {
        let layer = S::open(&new_account());
        let written = apply(&layer, &[keep(earlier.clone())], 10).await;
        assert_eq!(written.standing, [], "{name}: nothing was there");
        let written = apply(&layer, &[keep(later.clone())], 11).await;
        assert_eq!(written.standing, [], "{name}: what was there is earlier");
        assert_eq!(find(&layer, "ada").await.record, Some(later.clone()), "{name}");

        let written = apply(&layer, &[keep(earlier)], 12).await;
        assert_eq!(written.standing, vec![later.clone()], "{name}: refused and told");
        assert_eq!(find(&layer, "ada").await.record, Some(later), "{name}: the later one stands");
    }
}

pub(crate) async fn a_record_that_only_updates_makes_no_row<S: Subject>() {
    let layer = S::open(&new_account());
    let update = |number| Op::Record { record: record("ada", number), insert: false };

    let written = apply(&layer, &[update(1)], 1).await;
    assert_eq!(written.standing, []);
    assert_eq!(find(&layer, "ada").await, Found::default());

    apply(&layer, &[keep(record("ada", 1)), update(2)], 2).await;
    assert_eq!(find(&layer, "ada").await.record, Some(record("ada", 2)));
}

pub(crate) async fn an_older_picture_stays_until_the_newer_one_is_kept<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &entry("ada", 1), 1).await;
    let older = picture(1, SIZE);

    apply(&layer, &[keep(record("ada", 2))], 2).await;
    assert_found(&find(&layer, "ada").await, &record("ada", 2), Some(&older));
    apply(&layer, &[keep(record("ada", 3))], 3).await;
    assert_found(&find(&layer, "ada").await, &record("ada", 3), Some(&older));

    apply(&layer, &[keep_picture("ada", 3)], 4).await;
    assert_entry(&find(&layer, "ada").await, "ada", 3);
}

/// Another tab had an answer late: its record is refused, and its picture, too.
pub(crate) async fn an_older_picture_never_replaces_the_newer_one<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &entry("ada", 8), 1).await;

    apply(&layer, &entry("ada", 7), 2).await;

    assert_entry(&find(&layer, "ada").await, "ada", 8);
}

pub(crate) async fn a_picture_that_was_removed_is_not_found_any_more<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &entry("ada", 1), 1).await;
    let mut removed = record("ada", 2);
    removed.record.image_id = None;

    apply(&layer, &[keep(removed.clone())], 2).await;
    assert_found(&find(&layer, "ada").await, &removed, None);

    apply(&layer, &[keep_picture("ada", 1)], 3).await;
    assert_found(&find(&layer, "ada").await, &removed, None);

    // A later picture is not to bring the removed one back before its own bytes are there.
    apply(&layer, &[keep(record("ada", 3))], 4).await;
    assert_found(&find(&layer, "ada").await, &record("ada", 3), None);
}

pub(crate) async fn a_use_is_noted<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &entry("ada", 1), 1).await;
    let touch = |name: &str| Op::Touch { user: user(name), rendition: Some(picture(1, SIZE).key) };

    apply(&layer, &[touch("ada"), touch("unknown")], 9).await;

    let found = find(&layer, "ada").await;
    assert_entry(&found, "ada", 1);
    assert_eq!(found.used_at, Timestamp(9));
    assert_eq!(find(&layer, "unknown").await, Found::default());
}

pub(crate) async fn an_expired_row_is_believed_no_more_and_stays<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &entry("ada", 1), 5).await;

    apply(&layer, &[Op::Expire(user("ada")), Op::Expire(user("unknown"))], 9).await;

    let mut expired = record("ada", 1);
    expired.checked_at = Timestamp(0);
    let found = find(&layer, "ada").await;
    assert_found(&found, &expired, Some(&picture(1, SIZE)));
    assert_eq!(found.used_at, Timestamp(5), "that is no use");
    assert_eq!(find(&layer, "unknown").await, Found::default());
}

pub(crate) async fn a_removed_user_is_gone<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &[entry("ada", 1), entry("grace", 2)].concat(), 1).await;

    apply(&layer, &["ada", "unknown"].map(|name| Op::RemoveUser(user(name))), 2).await;

    assert_eq!(find(&layer, "ada").await, Found::default());
    assert_entry(&find(&layer, "grace").await, "grace", 2);
}

pub(crate) async fn a_removed_image_is_gone_and_no_other<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &[entry("ada", 1), entry("grace", 2)].concat(), 1).await;
    let remove = |name: &str, number| Op::RemoveImage { user: user(name), image: image(number) };

    apply(&layer, &[remove("ada", 1), remove("grace", 9)], 2).await;

    assert_found(&find(&layer, "ada").await, &record("ada", 1), None);
    assert_entry(&find(&layer, "grace").await, "grace", 2);
}

pub(crate) async fn a_removed_rendition_takes_no_other_with_it<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &entry("ada", 1), 1).await;
    let remove = |size| Op::RemoveRendition {
        user: user("ada"),
        key: RenditionKey { image: image(1), size },
    };

    apply(&layer, &[remove(Size::S128)], 2).await;
    assert_entry(&find(&layer, "ada").await, "ada", 1);

    apply(&layer, &[remove(SIZE)], 3).await;
    assert_found(&find(&layer, "ada").await, &record("ada", 1), None);
}

pub(crate) async fn clearing_forgets_this_account_and_no_other<S: Subject>() {
    let (mine, other) = (S::open(&new_account()), S::open(&new_account()));
    apply(&mine, &entry("ada", 1), 1).await;
    apply(&other, &entry("ada", 2), 1).await;

    mine.clear().await.unwrap();

    assert_entry(&find(&other, "ada").await, "ada", 2);
    assert_eq!(find(&mine, "ada").await, Found::default());
}

pub(crate) async fn after_clearing_it_can_be_used_again<S: Subject>() {
    let layer = S::open(&new_account());
    apply(&layer, &entry("ada", 1), 1).await;
    layer.clear().await.unwrap();

    apply(&layer, &entry("grace", 2), 2).await;

    assert_eq!(find(&layer, "ada").await, Found::default());
    assert_entry(&find(&layer, "grace").await, "grace", 2);
}

pub(crate) async fn a_corrupt_row_reads_as_none_and_is_removed<S: Subject>() {
    let account = new_account();
    let layer = S::open(&account);
    apply(&layer, &[entry("ada", 1), entry("grace", 2)].concat(), 1).await;
    S::corrupt(&account, "ada", 1).await;

    let mut asked = ["ada", "grace"].map(lookup);
    asked[0].image = Some(image(1));
    let found = layer.get_many(&asked).await.unwrap();

    assert_eq!(found[0], Found::default());
    assert_entry(&found[1], "grace", 2);
    assert!(!S::holds(&account, "ada", 1).await);
    assert!(S::holds(&account, "grace", 2).await);
}

pub(crate) async fn a_corrupt_row_can_be_overwritten<S: Subject>() {
    let account = new_account();
    let layer = S::open(&account);
    apply(&layer, &entry("ada", 8), 1).await;
    S::corrupt(&account, "ada", 8).await;

    let written = apply(&layer, &entry("ada", 7), 2).await;

    assert_eq!(written.standing, []);
    assert_entry(&find(&layer, "ada").await, "ada", 7);
}

pub(crate) async fn a_denied_storage_says_so<S: Subject>() {
    let layer = S::open(&new_account());
    let denied = S::deny();

    let unavailable = Some(LayerError::Unavailable);
    assert_eq!(layer.get_many(&[lookup("ada")]).await.err(), unavailable);
    assert_eq!(layer.apply(&entry("ada", 1), Timestamp(1), ROOM).await.err(), unavailable);
    assert_eq!(layer.clear().await.err(), unavailable);

    drop(denied);
    assert_eq!(find(&layer, "ada").await, Found::default());
}
