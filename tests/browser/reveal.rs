//! A list is seen when its pictures are, not a frame before, and never held back for long.

use std::time::Duration;

use leptos::{html, mount::mount_to, prelude::*};
use miniature::{browser::schedule, ui::use_reveal};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Element, HtmlElement};

use crate::script;

/// Far more than the 150 ms for which a list may be held back.
const LONG: Duration = Duration::from_millis(400);

/// A list with one row, whose picture has this state and address. Returns what ends it, and the list.
fn list(state: &'static str, src: &'static str) -> (Box<dyn std::any::Any>, Element) {
    let body: HtmlElement = document().body().unwrap().unchecked_into();
    let handle = mount_to(body, move || {
        let list = NodeRef::<html::Ul>::new();
        let rows = RwSignal::new(false);
        let revealed = use_reveal(list, rows.into());
        schedule::microtask(move || rows.set(true));
        view! {
            <ul node_ref=list class="revealed-later" data-held=move || (!revealed.get()).to_string()>
                <li><span class="picture" data-state=state><img src=src /></span></li>
            </ul>
        }
    });
    let element = document().query_selector("ul.revealed-later").unwrap().unwrap();
    (Box::new(handle), element)
}

fn is_held(list: &Element) -> bool {
    list.get_attribute("data-held").as_deref() == Some("true")
}

/// Lets effects run, within this frame.
async fn settle() {
    for _ in 0..10 {
        script::run("", &[]).await;
    }
}

async fn frame() {
    script::run("return new Promise((done) => requestAnimationFrame(() => done()))", &[]).await;
}

/// A picture that never comes.
const NEVER: &str = "data:image/webp;base64,";

#[wasm_bindgen_test]
async fn a_list_whose_pictures_are_complete_is_seen_in_its_first_frame() {
    let (_row, list) = list("ready", "");
    settle().await;
    assert!(!is_held(&list));
}

#[wasm_bindgen_test]
async fn a_list_is_held_until_its_pictures_are_painted() {
    let held = script::Replaced::property("HTMLImageElement.prototype", "complete", "false");
    let (_row, list) = list("loading", NEVER);
    settle().await;
    assert!(is_held(&list), "a row would stand there without its picture");
    let picture = list.query_selector(".picture").unwrap().unwrap();
    picture.set_attribute("data-state", "ready").unwrap();
    frame().await;
    frame().await;
    assert!(!is_held(&list));
    drop(held);
}

#[wasm_bindgen_test]
async fn a_list_is_held_no_longer_than_a_moment() {
    let held = script::Replaced::property("HTMLImageElement.prototype", "complete", "false");
    let (_row, list) = list("loading", NEVER);
    settle().await;
    assert!(is_held(&list));
    schedule::sleep(LONG).await;
    assert!(!is_held(&list), "its picture never comes");
    drop(held);
}
