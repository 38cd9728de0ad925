//! What is seen when its pictures are, not a frame before.

use std::time::Duration;

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlImageElement};

use crate::{
    browser::{clock, schedule},
    store::react,
};

/// The longest that anything is held back, whatever its pictures do.
const AT_MOST: Duration = Duration::from_millis(150);

/// What is not as it is to be seen yet.
const UNFINISHED: &str = ".held, .picture[data-state=loading] img";

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
            let reveal = reveal.clone();
            let element = move || list.try_get_untracked().flatten().map(Element::from);
            once_finished(element, move || reveal.set(true));
        }
    });
    Signal::derive(move || revealed.get() || !has_rows.get())
}

/// Calls `then` before the first frame in which the pictures of an element that are at hand are painted,
/// or once they have taken too long, or the element is gone.
pub(crate) fn once_finished(
    element: impl Fn() -> Option<Element> + 'static,
    then: impl FnOnce() + 'static,
) {
    let until = clock::now().running + AT_MOST;
    schedule::next_frame(move || look(Box::new(element), Box::new(then), until));
}

fn look(element: Box<dyn Fn() -> Option<Element>>, then: Box<dyn FnOnce()>, until: Duration) {
    if clock::now().running >= until || element().is_none_or(|element| is_finished(&element)) {
        then();
    } else {
        schedule::next_frame(move || look(element, then, until));
    }
}

fn is_complete(list: &Element) -> bool {
    let Ok(images) = list.query_selector_all(".picture img") else { return true };
    (0..images.length())
        .filter_map(|index| images.item(index)?.dyn_into::<HtmlImageElement>().ok())
        .all(|image| image.complete())
}

fn is_finished(element: &Element) -> bool {
    matches!(element.query_selector(UNFINISHED), Ok(None) | Err(_))
}
