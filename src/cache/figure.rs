//! A measured number: plain for programs, pretty for people.

use std::fmt;

/// A measured number. `{}` is for people; [`value`](Self::value) for programs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// How many.
    Count(u64),
    /// A time, in milliseconds.
    Millis(f64),
    /// A number that is not known: nothing was measured, or it cannot be.
    Unmeasured,
    /// A size, in bytes.
    Bytes(u64),
    /// A part of a whole, 0 to 1.
    Share(f64),
}

impl Figure {
    /// The number alone, in the unit of its kind, to a millionth; none if it is not known.
    pub fn value(self) -> Option<String> {
        match self {
            Self::Count(number) | Self::Bytes(number) => Some(number.to_string()),
            Self::Millis(number) | Self::Share(number) => Some(plain(number)),
            Self::Unmeasured => None,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Count(count) => write_grouped(f, count),
            Self::Unmeasured => f.write_str("–"),
            Self::Millis(ms) if ms < 0.05 => f.write_str("<0.1 ms"),
            Self::Millis(ms) if ms < 9.95 => write_tenths(f, whole(ms * 1000.0), 1000, "ms"),
            Self::Millis(ms) if ms < 9_995.0 => write!(f, "{} ms", whole(ms)),
            Self::Millis(ms) => write_tenths(f, whole(ms), 1000, "s"),
            Self::Bytes(bytes) if bytes < 1000 => write!(f, "{bytes} B"),
            Self::Bytes(bytes) if bytes < 999_950 => write_tenths(f, bytes, 1000, "kB"),
            Self::Bytes(bytes) if bytes < 999_950_000 => write_tenths(f, bytes, 1_000_000, "MB"),
            Self::Bytes(bytes) => write_tenths(f, bytes, 1_000_000_000, "GB"),
            Self::Share(share) => write_share(f, share),
        }
    }
}

/// A fraction, to a millionth: the exact formatting of fractions alone would weigh 8 kB.
fn plain(number: f64) -> String {
    let millionths = whole(number * 1e6);
    let digits = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The nearest whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// In percent with one decimal, rounded down: all is only what is all.
fn write_share(f: &mut fmt::Formatter<'_>, share: f64) -> fmt::Result {
    let thousandths = whole((share * 1000.0 + SLACK).floor());
    match (thousandths / 10, thousandths % 10) {
        (percent, 0) => write!(f, "{percent}%"),
        (percent, tenths) => write!(f, "{percent}.{tenths}%"),
    }
}

/// What a thousandth may have lost on its way through binary fractions.
const SLACK: f64 = 1e-6;

/// `number` in units of `unit`, with one decimal, rounded.
fn write_tenths(f: &mut fmt::Formatter<'_>, number: u64, unit: u64, name: &str) -> fmt::Result {
    let tenths = (number * 10 + unit / 2) / unit;
    write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
}

/// `number` with a thin space between thousands.
fn write_grouped(f: &mut fmt::Formatter<'_>, number: u64) -> fmt::Result {
    if number < 1000 {
        return write!(f, "{number}");
    }
    write_grouped(f, number / 1000)?;
    write!(f, "\u{202f}{:03}", number % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_for_people_and_exact_for_programs() {
        let cases = [
            (Figure::Count(0), "0", "0"),
            (Figure::Count(1_234_567), "1\u{202f}234\u{202f}567", "1234567"),
            (Figure::Millis(0.0), "<0.1 ms", "0"),
            (Figure::Millis(0.04), "<0.1 ms", "0.04"),
            (Figure::Millis(9.94), "9.9 ms", "9.94"),
            (Figure::Millis(123.4), "123 ms", "123.4"),
            (Figure::Millis(12_345.0), "12.3 s", "12345"),
            (Figure::Bytes(999), "999 B", "999"),
            (Figure::Bytes(1_450), "1.5 kB", "1450"),
            (Figure::Bytes(999_949), "999.9 kB", "999949"),
            (Figure::Bytes(999_950), "1.0 MB", "999950"),
            (Figure::Bytes(52_428_800), "52.4 MB", "52428800"),
            (Figure::Bytes(999_949_999), "999.9 MB", "999949999"),
            (Figure::Bytes(10_739_137_977), "10.7 GB", "10739137977"),
            (Figure::Share(0.0), "0%", "0"),
            (Figure::Share(0.57), "57%", "0.57"),
            (Figure::Share(0.987), "98.7%", "0.987"),
            (Figure::Share(0.996), "99.6%", "0.996"),
            (Figure::Share(0.99999), "99.9%", "0.99999"),
            (Figure::Share(1.0), "100%", "1"),
        ];
        for (figure, pretty, plain) in cases {
            assert_eq!(figure.to_string(), pretty, "{figure:?}");
            assert_eq!(figure.value().as_deref(), Some(plain), "{figure:?}");
        }
        let (pretty, plain) = (Figure::Unmeasured.to_string(), Figure::Unmeasured.value());
        assert_eq!((pretty.as_str(), plain), ("–", None), "not known");
    }
}
