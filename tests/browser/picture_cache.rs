//! The cache of pictures that the page shares with the service worker.

use miniature::{
    api::{ImageId, Size, UserId},
    browser::{caches, local_storage::LocalStorageShelf, picture_cache::PictureShelf},
    cache::{
        core::{Op, Room, Written},
        entry::{Content, Rendition},
        eviction::Limits,
        key::{Lookup, RenditionKey, Wanted},
    },
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::samples::{PIXEL, ROOM, container, image, new_account, rendition, user};

/// More than a picture has here.
const LIMIT: usize = 1_000;

fn put(number: u8) -> Op<Content> {
    Op::Rendition { user: user("ada"), rendition: rendition(image(number), &container()) }
}

async fn apply(shelf: &PictureShelf, ops: &[Op<Content>]) -> Written {
    apply_within(shelf, ops, 100).await
}

async fn apply_within(shelf: &PictureShelf, ops: &[Op<Content>], entries: usize) -> Written {
    let limits = Limits { entries, bytes: 1 << 20, trim_entries_to: entries };
    shelf.apply(ops, Room { limits, ..ROOM }).await.unwrap()
}

async fn found(shelf: &PictureShelf, image: Option<ImageId>, size: Size) -> Option<Rendition> {
    let lookup = Lookup { wanted: Wanted { user: user("ada"), size }, image };
    let found = shelf.get_many(&[lookup], LIMIT).await.unwrap();
    found.into_iter().next().unwrap().rendition
}

/// Which of the first images are held, at 64 px.
async fn held(shelf: &PictureShelf) -> Vec<u8> {
    let mut held = Vec::new();
    for number in 1..=5 {
        if found(shelf, Some(image(number)), Size::S64).await.is_some() {
            held.push(number);
        }
    }
    held
}

async fn is_there(account: &UserId) -> bool {
    caches::accounts().await.contains(account)
}

#[wasm_bindgen_test]
async fn what_is_kept_is_found_by_its_image() {
    let account = new_account();
    let shelf = PictureShelf::new(&account);
    apply(&shelf, &[put(1)]).await;
    let again = PictureShelf::new(&account);
    let expected = Some(rendition(image(1), &container()));
    assert_eq!(found(&again, Some(image(1)), Size::S64).await, expected);
    assert_eq!(found(&again, Some(image(1)), Size::S128).await, None, "a smaller one");
    assert_eq!(found(&again, Some(image(2)), Size::S64).await, None);
    assert_eq!(found(&again, None, Size::S64).await, None, "nobody knows the image");
    let usage = again.usage().await.unwrap();
    assert_eq!((usage.entries, usage.bytes), (1, container().len() as u64));
}

#[wasm_bindgen_test]
async fn a_preview_is_kept_as_bytes() {
    let shelf = PictureShelf::new(&new_account());
    let preview = rendition(image(1), &container());
    let content = Content::DataUrl(preview.content.to_data_url());
    let op =
        Op::Rendition { user: user("ada"), rendition: Rendition { content, ..preview.clone() } };
    apply(&shelf, &[op]).await;
    assert_eq!(found(&shelf, Some(image(1)), Size::S64).await, Some(preview));
}

#[wasm_bindgen_test]
async fn what_is_no_picture_of_its_size_is_not_found() {
    let shelf = PictureShelf::new(&new_account());
    let rendition = rendition(image(1), &PIXEL);
    apply(&shelf, &[Op::Rendition { user: user("ada"), rendition }]).await;
    assert_eq!(found(&shelf, Some(image(1)), Size::S64).await, None);
}

#[wasm_bindgen_test]
async fn reading_and_removing_make_none() {
    let account = new_account();
    let shelf = PictureShelf::new(&account);
    assert_eq!(found(&shelf, Some(image(1)), Size::S64).await, None);
    let op = Op::RemoveImage { user: user("ada"), image: image(1) };
    assert_eq!(apply(&shelf, &[op]).await, Written::default());
    assert_eq!(shelf.usage().await.unwrap().entries, 0);
    assert!(!is_there(&account).await);
}

#[wasm_bindgen_test]
async fn what_was_put_there_longest_ago_goes() {
    let shelf = PictureShelf::new(&new_account());
    for number in 1..=3 {
        apply_within(&shelf, &[put(number)], 4).await;
    }
    // Among the first to go: it is put there again.
    apply_within(&shelf, &[put(1)], 4).await;
    let written = apply_within(&shelf, &[put(4), put(5)], 4).await;
    assert_eq!(written.usage.entries, 4);
    assert_eq!(held(&shelf).await, [1, 3, 4, 5]);
    // What is safe stays where it is.
    apply_within(&shelf, &[put(4)], 4).await;
    apply_within(&shelf, &[], 2).await;
    assert_eq!(held(&shelf).await, [4, 5]);
}

#[wasm_bindgen_test]
async fn images_and_renditions_are_removed() {
    let shelf = PictureShelf::new(&new_account());
    apply(&shelf, &[put(1), put(2), put(3)]).await;
    let key = RenditionKey { image: image(3), size: Size::S64 };
    let ops = [
        Op::RemoveImage { user: user("ada"), image: image(1) },
        Op::RemoveRendition { user: user("ada"), key },
    ];
    assert_eq!(apply(&shelf, &ops).await.usage.entries, 1);
    assert_eq!(held(&shelf).await, [2]);
}

#[wasm_bindgen_test]
async fn a_full_disk_gives_half_of_it_up() {
    let shelf = PictureShelf::new(&new_account());
    apply(&shelf, &[put(1), put(2), put(3), put(4)]).await;
    shelf.apply(&[put(5)], Room { halve: true, ..ROOM }).await.unwrap();
    assert_eq!(held(&shelf).await, [3, 4, 5]);
}

#[wasm_bindgen_test]
async fn what_is_written_after_an_erasure_is_in_no_cache() {
    let account = new_account();
    let shelf = PictureShelf::new(&account);
    apply(&shelf, &[put(1)]).await;
    assert!(is_there(&account).await);
    caches::erase_pictures(&account).await.unwrap();
    // The browser may refuse it, too.
    let _ = shelf.apply(&[put(2)], ROOM).await;
    assert!(!is_there(&account).await);
}

#[wasm_bindgen_test]
async fn a_cache_that_is_gone_is_not_made_again_by_opening_it() {
    let account = new_account();
    apply(&PictureShelf::new(&account), &[put(1)]).await;
    caches::erase_pictures(&account).await.unwrap();
    let late = PictureShelf::new(&account);
    assert_eq!(found(&late, Some(image(1)), Size::S64).await, None);
    assert!(!is_there(&account).await);
    // LocalStorage still has its name: another one takes its place.
    apply(&late, &[put(2)]).await;
    assert_eq!(held(&late).await, [2]);
}

#[wasm_bindgen_test]
async fn clearing_local_storage_forgets_its_name() {
    let account = new_account();
    apply(&PictureShelf::new(&account), &[put(1)]).await;
    let local = LocalStorageShelf::open(&account).unwrap();
    assert!(local.start(&account).has_picture_cache);
    local.clear().unwrap();
    assert!(!local.start(&account).has_picture_cache);
}

#[wasm_bindgen_test]
async fn accounts_whose_names_begin_alike_are_told_apart() {
    let account = new_account();
    let longer = user(&format!("{account}-2"));
    for account in [&account, &longer] {
        apply(&PictureShelf::new(account), &[put(1)]).await;
    }
    caches::erase_pictures(&account).await.unwrap();
    assert!(!is_there(&account).await);
    assert!(is_there(&longer).await);
    caches::erase_pictures(&longer).await.unwrap();
}
