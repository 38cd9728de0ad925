//! The browser's clocks.

use std::time::Duration;

use super::number;
use crate::cache::clock::{Now, Timestamp};

/// The time by both clocks: `performance.now`, which counts from the start of the document, and
/// `Date.now`.
pub fn now() -> Now {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    let wall = Timestamp(number::whole(js_sys::Date::now()));
    let millis = web_sys::window().and_then(|window| window.performance());
    let millis = millis.map_or(0.0, |performance| performance.now());
    Now { running: running(millis), wall }
}

/// A moment of the running clock, as JavaScript writes it; zero for what is before the document.
pub(super) fn running(millis: f64) -> Duration {
    Duration::from_micros(number::whole(millis * 1e3))
}
