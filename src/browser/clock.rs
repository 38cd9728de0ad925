//! The browser's clocks.

use std::time::Duration;

use wasm_bindgen::JsValue;

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

/// A time in seconds since 1970 as ISO 8601 writes it.
pub fn iso(seconds: u64) -> String {
    date_of(seconds).to_iso_string().into()
}

/// The day of a time in seconds since 1970, as people here write it.
pub fn date(seconds: u64) -> String {
    date_of(seconds).to_locale_date_string("default", &JsValue::UNDEFINED).into()
}

fn date_of(seconds: u64) -> js_sys::Date {
    js_sys::Date::new(&JsValue::from_f64(number::float(seconds.saturating_mul(1000))))
}

/// A moment of the running clock, as JavaScript writes it; zero for what is before the document.
pub(super) fn running(millis: f64) -> Duration {
    Duration::from_micros(number::whole(millis * 1e3))
}
