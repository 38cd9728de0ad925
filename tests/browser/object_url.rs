//! Object URLs: one a rendition, revoked when the last lease drops and not before.

use miniature::{
    browser::object_url::ObjectUrls,
    cache::entry::{Content, Rendition},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    samples::{PIXEL, image, rendition},
    script,
};

/// Whether the browser still has something behind a URL.
async fn answers(url: &str) -> bool {
    script::run("return fetch(args[0]).then(() => true, () => false);", &[url]).await.is_truthy()
}

#[wasm_bindgen_test]
async fn a_url_lives_until_its_last_lease_drops() {
    let urls = ObjectUrls::default();
    let picture = rendition(image(1), &PIXEL);
    let first = urls.lease(&picture).unwrap();
    let second = urls.lease(&picture).unwrap();
    let url = first.url().clone();
    assert_eq!(second.url(), &url, "one URL a rendition");
    assert_eq!(urls.live(), 1);

    drop(first);
    assert!(answers(&url).await);

    drop(second);
    assert!(!answers(&url).await);
    assert_eq!(urls.live(), 0);
}

#[wasm_bindgen_test]
fn a_new_lease_after_the_last_has_a_new_url() {
    let urls = ObjectUrls::default();
    let picture = rendition(image(1), &PIXEL);
    let old = urls.lease(&picture).unwrap().url().clone();
    let new = urls.lease(&picture).unwrap();
    let other = urls.lease(&rendition(image(2), &PIXEL)).unwrap();
    assert_ne!(new.url(), &old);
    assert_ne!(new.url(), other.url());
    assert_eq!(urls.live(), 2);
}

#[wasm_bindgen_test]
fn a_data_url_is_leased_as_it_is() {
    let urls = ObjectUrls::default();
    let picture = rendition(image(1), &PIXEL);
    let data_url = picture.content.to_data_url();
    let preview = Rendition { content: Content::DataUrl(data_url.clone()), ..picture };
    assert_eq!(urls.lease(&preview).unwrap().url(), &data_url);
    assert_eq!(urls.live(), 0);
}
