//! Which history of a database a revision belongs to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// The header in which answers name the server's lineage and requests the one they hold.
pub const LINEAGE_HEADER: &str = "miniature-lineage";

/// The last creation time that has 13 digits, in milliseconds since 1970: in the year 2286.
const LAST: u64 = 9_999_999_999_999;

/// Not 13 digits, a hyphen and 16 lowercase hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a lineage has 13 digits, a hyphen and 16 lowercase hexadecimal digits")]
pub struct LineageError;

/// Names one history of a database. Revisions compare only within a lineage, and any revision of a
/// later lineage beats all of an earlier one. The larger lineage is the later.
///
/// Made with the database and renewed when a backup is restored, because revisions then count from
/// lower. Written as `1767225600000-0123456789abcdef`: the creation time in milliseconds since 1970
/// and a random number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Lineage {
    // The order of the fields is the order of lineages.
    created_at_ms: u64,
    random: u64,
}

impl Lineage {
    /// The lineage created at this time, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// If the time has more than 13 digits.
    pub fn new(created_at_ms: u64, random: u64) -> Result<Self, LineageError> {
        if created_at_ms > LAST {
            return Err(LineageError);
        }
        Ok(Self { created_at_ms, random })
    }

    /// When it was created, in milliseconds since 1970.
    pub fn created_at_ms(self) -> u64 {
        self.created_at_ms
    }
}

impl FromStr for Lineage {
    type Err = LineageError;

    fn from_str(text: &str) -> Result<Self, LineageError> {
        let (created_at, random) = text.split_once('-').ok_or(LineageError)?;
        // `from_str_radix` alone would take a sign, and capitals.
        let decimal = |b: u8| b.is_ascii_digit();
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if created_at.len() != 13 || !created_at.bytes().all(decimal) {
            return Err(LineageError);
        }
        if random.len() != 16 || !random.bytes().all(hex) {
            return Err(LineageError);
        }
        let created_at_ms = created_at.parse().map_err(|_| LineageError)?;
        let random = u64::from_str_radix(random, 16).map_err(|_| LineageError)?;
        Ok(Self { created_at_ms, random })
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:013}-{:016x}", self.created_at_ms, self.random)
    }
}

impl TryFrom<String> for Lineage {
    type Error = LineageError;

    fn try_from(text: String) -> Result<Self, LineageError> {
        text.parse()
    }
}

impl Serialize for Lineage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lineage_is_checked_where_it_is_parsed() {
        let cases = [
            ("plain", "1767225600000-0123456789abcdef", true),
            ("the first", "0000000000000-0000000000000000", true),
            ("the last", "9999999999999-ffffffffffffffff", true),
            ("upper case", "1767225600000-0123456789ABCDEF", false),
            ("12 digits", "176722560000-0123456789abcdef", false),
            ("14 digits", "01767225600000-0123456789abcdef", false),
            ("15 hex digits", "1767225600000-0123456789abcde", false),
            ("17 hex digits", "1767225600000-00123456789abcdef", false),
            ("a sign", "+767225600000-0123456789abcdef", false),
            ("a sign in the number", "1767225600000-+123456789abcdef", false),
            ("hex in the time", "176722560000a-0123456789abcdef", false),
            ("no hyphen", "17672256000000123456789abcdef", false),
            ("space around", " 1767225600000-0123456789abcdef", false),
            ("empty", "", false),
        ];
        for (name, text, valid) in cases {
            assert_eq!(text.parse::<Lineage>().is_ok(), valid, "{name}");
        }
    }

    #[test]
    fn the_larger_lineage_is_the_later() {
        let lineage = |created_at_ms, random| Lineage::new(created_at_ms, random).unwrap();
        assert!(lineage(2, 0) > lineage(1, u64::MAX));
        assert!(lineage(1, 2) > lineage(1, 1));
    }

    #[test]
    fn no_lineage_is_created_at_a_time_that_it_cannot_name() {
        let last = Lineage::new(9_999_999_999_999, 0);
        assert_eq!(last.map(Lineage::created_at_ms), Ok(9_999_999_999_999));
        assert_eq!(Lineage::new(10_000_000_000_000, 0), Err(LineageError));
    }

    #[test]
    fn json_holds_a_lineage_as_text() {
        let lineage = "1767225600000-0123456789abcdef".parse::<Lineage>().unwrap();
        let json = "\"1767225600000-0123456789abcdef\"";
        assert_eq!(serde_json::to_string(&lineage).unwrap(), json);
        assert_eq!(serde_json::from_str::<Lineage>(json).unwrap(), lineage);
        assert!(serde_json::from_str::<Lineage>("\"1767225600000\"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_lineage_reads_as_it_is_written_and_sorts_as_its_text(
            early in 0..=LAST,
            late in 0..=LAST,
            random in proptest::array::uniform2(0..=u64::MAX),
        ) {
            let one = Lineage::new(early, random[0]).unwrap();
            let other = Lineage::new(late, random[1]).unwrap();
            proptest::prop_assert_eq!(one.to_string().parse(), Ok(one));
            proptest::prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        }
    }
}
