//! Whether what a layer holds may still be believed without asking.

use std::time::Duration;

/// Whether a record may be shown without asking the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Within its lifetime.
    Fresh,
    /// Past it: shown, and asked about in the background.
    Stale,
}

impl Freshness {
    /// The freshness of what was checked `age_ms` milliseconds ago and is believed for `lifetime`.
    ///
    /// An age below zero means that the clock was set back since; nothing can then be said of the
    /// true age, so it is stale.
    pub fn of(age_ms: i64, lifetime: Duration) -> Self {
        match u64::try_from(age_ms) {
            Ok(age) if u128::from(age) < lifetime.as_millis() => Self::Fresh,
            Ok(_) | Err(_) => Self::Stale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_follows_age() {
        let cases = [
            // name, age in ms, expected
            ("just stored", 0, Freshness::Fresh),
            ("last fresh millisecond", 299_999, Freshness::Fresh),
            ("first stale millisecond", 300_000, Freshness::Stale),
            ("a year", 31_536_000_000, Freshness::Stale),
            ("clock set back", -1, Freshness::Stale),
        ];
        for (name, age, expected) in cases {
            assert_eq!(Freshness::of(age, Duration::from_secs(300)), expected, "{name}");
        }
    }
}
