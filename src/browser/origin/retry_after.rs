//! How long the server asks to be left alone.

use std::time::Duration;

use super::exchange::Exchange;
use crate::browser::{clock, number};

/// The least time to wait, as the answer names it; none if it does not.
///
/// # Source
///
/// RFC 9110, section 10.2.3: whole seconds, or a date, which is always in GMT.
pub(super) fn retry_after(answer: &Exchange) -> Option<Duration> {
    seconds_or_date(&answer.header("retry-after")?)
}

pub(super) fn seconds_or_date(text: &str) -> Option<Duration> {
    if text.ends_with("GMT") {
        return until(text);
    }
    let is_whole = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = is_whole.then(|| text.parse().unwrap_or(u32::MAX))?;
    Some(Duration::from_secs(seconds.into()))
}

/// How far away a date is; zero if it is past.
fn until(date: &str) -> Option<Duration> {
    let date = js_sys::Date::parse(date);
    let wait = number::whole(date).saturating_sub(clock::now().wall.0);
    (!date.is_nan()).then(|| Duration::from_millis(wait))
}
