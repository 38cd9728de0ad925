//! Where each page was scrolled to when it was left, for the way back.
//!
//! The browser would remember by itself, but it asks when the next page stands already, and that
//! page may be too short to be scrolled at all. The tab remembers the list's over a reload of another
//! page.

use super::{
    address::{Address, use_address},
    place::{Page, Place, use_place},
};
use crate::{
    browser::{clock, schedule, session_storage},
    store::react,
};
use leptos::{ev, prelude::*};
use std::time::Duration;

/// How far down each page was, in CSS pixels.
#[derive(Clone, Copy)]
pub(super) struct Position(StoredValue<[f64; Page::COUNT]>);

/// Where the tab remembers it.
const KEY: &str = "miniature:v1:position";

/// Remembers for as long as the account is signed in.
pub(super) fn provide_position() {
    // Whole pixels: reading and writing fractions would weigh 15 kB.
    let stored = session_storage::get(KEY).and_then(|top| top.parse::<u32>().ok());
    let position = Position::default();
    position.set(Page::Friends, stored.unwrap_or_default().into());
    let place = use_place();
    let scrolled = window_event_listener(ev::scroll, move |_| {
        let page = place.read_untracked().page();
        // WebKit scrolls to where the next page is to begin while this one still stands.
        let path = window().location().pathname().unwrap_or_default();
        if Place::at(&path).page() == page {
            position.set(page, scrolled_to());
        }
    });
    let left = window_event_listener(ev::pagehide, move |_| {
        session_storage::set(KEY, &whole(position.top(Page::Friends)).to_string());
    });
    on_cleanup(move || {
        scrolled.remove();
        left.remove();
        forget_position();
    });
    provide_context(position);
}

/// Nobody is signed in whose list it was.
pub(super) fn forget_position() {
    session_storage::remove(KEY);
}

/// How far down the document is, in CSS pixels.
pub(super) fn scrolled_to() -> f64 {
    window().scroll_y().unwrap_or_default()
}

impl Default for Position {
    fn default() -> Self {
        Self(StoredValue::new([0.0; Page::COUNT]))
    }
}

impl Position {
    fn top(self, page: Page) -> f64 {
        self.0.try_get_value().map_or(0.0, |tops| tops[page as usize])
    }

    fn set(self, page: Page, top: f64) {
        let _ = self.0.try_update_value(|tops| tops[page as usize] = top);
    }

    /// Scrolls a page that is shown again to where it was left, whichever way one came.
    pub(super) fn return_to(self, page: Page) {
        let (address, top) = (use_address(), self.top(page));
        address.stay();
        scroll_to(top);
        if address.is_return() {
            // Chromium then scrolls to what it remembers itself, still before the next frame.
            schedule::next_frame(move || scroll_to(top));
        }
    }

    /// Where a list that is being made begins: on the way back, where it was left.
    pub(super) fn first(self) -> f64 {
        if is_way_back() { self.top(Page::Friends) } else { scrolled_to() }
    }

    /// On the way back, scrolls the list that is being made to where it was left.
    pub(super) fn restore(self) {
        let Some(address) = use_context::<Address>().filter(|address| address.is_return()) else {
            return;
        };
        let top = self.top(Page::Friends);
        react(move || {
            scroll_to(top);
            // As in `return_to`.
            let until = clock::now().running + ROWS_COME_WITHIN;
            schedule::next_frame(move || scroll_once_high_enough(address, top, until, 0.0));
        });
    }
}

/// How long rows may take to come that were not at hand.
const ROWS_COME_WITHIN: Duration = Duration::from_secs(3);

/// A list whose rows are still to come is too short to be scrolled so far. A page above where it was left in
/// the frame before, at `last`, was scrolled by a person.
fn scroll_once_high_enough(address: Address, top: f64, until: Duration, last: f64) {
    if scrolled_to() < last - 1.0 {
        return;
    }
    scroll_to(top);
    let reached = scrolled_to();
    if reached < top - 1.0 && clock::now().running < until && address.is_return() {
        schedule::next_frame(move || scroll_once_high_enough(address, top, until, reached));
    }
}

fn scroll_to(top: f64) {
    window().scroll_to_with_x_and_y(0.0, top);
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below 0")]
fn whole(pixels: f64) -> u32 {
    pixels.max(0.0) as u32
}

fn is_way_back() -> bool {
    use_context::<Address>().is_some_and(Address::is_return)
}

/// The positions of the account's pages.
pub(super) fn use_position() -> Position {
    use_context().unwrap_or_default()
}
