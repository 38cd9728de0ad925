//! Where the list was scrolled to when it was left, for the way back.
//!
//! The browser would remember by itself, but it asks when the next page stands already, and that
//! page may be too short to be scrolled at all.

use super::super::address::Address;
use crate::store::react;
use leptos::prelude::*;

/// How far down the list was, in CSS pixels.
#[derive(Clone, Copy)]
pub(in crate::app) struct Position(StoredValue<f64>);

/// Remembers for as long as the account is signed in.
pub(in crate::app) fn provide_position() {
    provide_context(Position(StoredValue::new(0.0)));
}

impl Position {
    /// Remembers where the page is scrolled to now, and returns it.
    pub(super) fn follow(self) -> f64 {
        let top = window().scroll_y().unwrap_or_default();
        let _ = self.0.try_set_value(top);
        top
    }

    /// Where a list that is being made begins: on the way back, where it was left.
    pub(super) fn first(self) -> f64 {
        if is_way_back() { self.0.get_value() } else { window().scroll_y().unwrap_or_default() }
    }

    /// On the way back, scrolls the list that is being made to where it was left.
    pub(super) fn restore(self) {
        if !is_way_back() {
            return;
        }
        let top = self.0.get_value();
        react(move || {
            window().scroll_to_with_x_and_y(0.0, top);
            // Chromium then scrolls to what it remembers itself, still before the next frame.
            request_animation_frame(move || window().scroll_to_with_x_and_y(0.0, top));
        });
    }
}

fn is_way_back() -> bool {
    use_context::<Address>().is_some_and(Address::is_return)
}

/// The position of the account's list.
pub(super) fn use_position() -> Position {
    use_context().unwrap_or_else(|| Position(StoredValue::new(0.0)))
}
