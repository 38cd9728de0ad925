//! A list that is seen when its pictures are, not a frame before.

use std::time::Duration;

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlImageElement};

use crate::{
    browser::{clock, schedule},
    store::react,
};

/// The longest that a list is held back, whatever its pictures do.
const AT_MOST: Duration = Duration::from_millis(150);

/// Whether the list may be seen: false from when it gets its first rows until those of its pictures
/// that are at hand are complete.
///
/// An `<img>` with a `data:` URL is complete at once in Chromium and WebKit. Firefox takes one or
/// two frames, in which a row would stand there without its picture. Pictures that still have to
/// come from further away hold nothing back.
pub fn use_reveal(list: NodeRef<html::Ul>, has_rows: Signal<bool>) -> Signal<bool> {
    let revealed = ArcRwSignal::new(false);
    let reveal = revealed.clone();
    react(move || {
        if has_rows.get() && !reveal.get_untracked() {
            // What is complete now says so before the next frame.
            match list.get_untracked() {
                Some(list) if !is_complete(&list) => {}
                Some(_) | None => return reveal.set(true),
            }
            let (reveal, until) = (reveal.clone(), clock::now().running + AT_MOST);
            schedule::next_frame(move || hold(list, reveal, until));
        }
    });
    Signal::derive(move || revealed.get() || !has_rows.get())
}

fn hold(list: NodeRef<html::Ul>, reveal: ArcRwSignal<bool>, until: Duration) {
    let element = list.try_get_untracked().flatten();
    if clock::now().running >= until || element.is_none_or(|list| is_painted(&list)) {
        reveal.set(true);
    } else {
        schedule::next_frame(move || hold(list, reveal, until));
    }
}

fn is_complete(list: &Element) -> bool {
    let Ok(images) = list.query_selector_all(".picture img") else { return true };
    (0..images.length())
        .filter_map(|index| images.item(index)?.dyn_into::<HtmlImageElement>().ok())
        .all(|image| image.complete())
}

fn is_painted(list: &Element) -> bool {
    matches!(list.query_selector(".picture[data-state=loading] img"), Ok(None) | Err(_))
}
