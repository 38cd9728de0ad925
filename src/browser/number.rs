//! Numbers, which JavaScript has of one kind only.

use crate::cache::clock;
use std::time::Duration;

/// The whole part of a number; 0 for what is negative or none.
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
#[expect(clippy::cast_sign_loss, reason = "a float cast saturates")]
pub(crate) fn whole(number: f64) -> u64 {
    number as u64
}

/// A whole number for JavaScript; exact up to 2^53, far beyond any time or size.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

/// A number as JavaScript writes it. Rust's own way would be a tenth of the app: its tables alone
/// weigh 10 kB, and do not compress.
pub fn text(number: f64) -> String {
    js_sys::Number::from(number).to_string_with_radix(10).map(String::from).unwrap_or_default()
}

/// The number that a text begins with, as JavaScript reads it. None if there is none.
pub fn parse(text: &str) -> Option<f64> {
    Some(js_sys::parse_float(text)).filter(|number| !number.is_nan())
}

/// Milliseconds for a timer, which takes at most 24 days of them. Rounded up: a timer that rings
/// early finds nothing due.
pub(crate) fn timer_millis(duration: Duration) -> i32 {
    let micros = clock::micros(duration).unsigned_abs();
    i32::try_from(micros.div_ceil(1000)).unwrap_or(i32::MAX)
}
