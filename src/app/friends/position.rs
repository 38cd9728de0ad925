//! Where the list was scrolled to when it was left, for the way back.
//!
//! The browser would remember by itself, but it asks when the next page stands already, and that
//! page may be too short to be scrolled at all. The tab remembers it over a reload of another page.

use super::super::{
    address::Address,
    place::{Page, Place},
};
use crate::{
    browser::{clock, schedule, session_storage},
    store::react,
};
use leptos::{ev, prelude::*};
use std::time::Duration;

/// How far down the list was, in CSS pixels.
#[derive(Clone, Copy)]
pub(in crate::app) struct Position(StoredValue<f64>);

/// Where the tab remembers it.
const KEY: &str = "miniature:v1:position";

/// Remembers for as long as the account is signed in.
pub(in crate::app) fn provide_position() {
    // Whole pixels: reading and writing fractions would weigh 15 kB.
    let stored = session_storage::get(KEY).and_then(|top| top.parse::<u32>().ok());
    let position = Position(StoredValue::new(stored.unwrap_or_default().into()));
    let left = window_event_listener(ev::pagehide, move |_| {
        if let Some(top) = position.0.try_get_value() {
            session_storage::set(KEY, &whole(top).to_string());
        }
    });
    on_cleanup(move || {
        left.remove();
        forget_position();
    });
    provide_context(position);
}

/// Nobody is signed in whose list it was.
pub(in crate::app) fn forget_position() {
    session_storage::remove(KEY);
}

impl Position {
    /// Remembers where the page is scrolled to now, and returns it.
    pub(super) fn follow(self) -> f64 {
        let top = window().scroll_y().unwrap_or_default();
        // The next page begins at its top, and in WebKit says so while the list still listens.
        let path = window().location().pathname().unwrap_or_default();
        if Place::at(&path).page() == Page::Friends {
            let _ = self.0.try_set_value(top);
        }
        top
    }

    /// Where a list that is being made begins: on the way back, where it was left.
    pub(super) fn first(self) -> f64 {
        if is_way_back() { self.0.get_value() } else { window().scroll_y().unwrap_or_default() }
    }

    /// On the way back, scrolls the list that is being made to where it was left.
    pub(super) fn restore(self) {
        let Some(address) = use_context::<Address>().filter(|address| address.is_return()) else {
            return;
        };
        let top = self.0.get_value();
        react(move || {
            window().scroll_to_with_x_and_y(0.0, top);
            // Chromium then scrolls to what it remembers itself, still before the next frame.
            let until = clock::now().running + ROWS_COME_WITHIN;
            schedule::next_frame(move || scroll_once_high_enough(address, top, until));
        });
    }
}

/// How long rows may take to come that were not at hand.
const ROWS_COME_WITHIN: Duration = Duration::from_secs(3);

/// A list whose rows are still to come is too short to be scrolled so far.
fn scroll_once_high_enough(address: Address, top: f64, until: Duration) {
    window().scroll_to_with_x_and_y(0.0, top);
    let reached = window().scroll_y().is_ok_and(|now| now >= top - 1.0);
    if !reached && clock::now().running < until && address.is_return() {
        schedule::next_frame(move || scroll_once_high_enough(address, top, until));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below 0")]
fn whole(pixels: f64) -> u32 {
    pixels.max(0.0) as u32
}

fn is_way_back() -> bool {
    use_context::<Address>().is_some_and(Address::is_return)
}

/// The position of the account's list.
pub(super) fn use_position() -> Position {
    use_context().unwrap_or_else(|| Position(StoredValue::new(0.0)))
}
