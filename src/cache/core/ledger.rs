//! What LocalStorage holds, a line a user: counted once a document, then kept by what is written.

use miniature_api::UserId;

use super::effect::EffectId;
use crate::cache::{
    clock::Timestamp,
    entry::Line,
    eviction::{Limits, Usage},
};

/// The inventory of LocalStorage.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Whether it was counted.
    pub(super) counted: bool,
    pub(super) counting: Option<EffectId>,
    /// A few hundred, in no order.
    lines: Vec<Line>,
    bytes: u64,
}

impl Ledger {
    /// Notes what a user's row takes now.
    pub(super) fn note(&mut self, line: Line) {
        if let Some(at) = self.lines.iter().position(|held| held.user == line.user) {
            self.bytes = self.bytes.saturating_sub(self.lines.swap_remove(at).bytes);
        }
        if line.bytes > 0 {
            self.bytes = self.bytes.saturating_add(line.bytes);
            self.lines.push(line);
        }
    }

    pub(super) fn usage(&self) -> Usage {
        Usage { entries: self.lines.len(), bytes: self.bytes }
    }

    /// Who must go for `limits` to hold: the least recently used. A use in the future is one of a
    /// clock that ran ahead, and counts as the oldest.
    pub(super) fn surplus(&self, limits: Limits, wall: Timestamp) -> Vec<UserId> {
        let Usage { mut entries, mut bytes } = self.usage();
        if entries <= limits.entries && bytes <= limits.bytes {
            return Vec::new();
        }
        let keep = if entries > limits.entries { limits.trim_entries_to } else { entries };
        let mut by_use: Vec<(Timestamp, u64, &UserId)> = self
            .lines
            .iter()
            .map(|line| {
                let used_at = if line.used_at > wall { Timestamp(0) } else { line.used_at };
                (used_at, line.bytes, &line.user)
            })
            .collect();
        by_use.sort_unstable();
        let mut leaving = Vec::new();
        for (_, taken, user) in by_use {
            if entries <= keep && bytes <= limits.bytes {
                break;
            }
            entries -= 1;
            bytes = bytes.saturating_sub(taken);
            leaving.push(user.clone());
        }
        leaving
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(name: &str, bytes: u64, used_at: u64) -> Line {
        Line { user: name.parse().unwrap(), bytes, used_at: Timestamp(used_at) }
    }

    fn ledger(lines: &[Line]) -> Ledger {
        let mut ledger = Ledger::default();
        lines.iter().cloned().for_each(|line| ledger.note(line));
        ledger
    }

    fn limits(entries: usize, bytes: u64, trim_entries_to: usize) -> Limits {
        Limits { entries, bytes, trim_entries_to }
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let held = [line("a", 10, 3), line("b", 10, 1), line("c", 10, 2), line("d", 10, 900)];
        let ledger = ledger(&held);
        let cases: [(&str, Limits, &[&str]); 5] = [
            ("within both", limits(4, 40, 4), &[]),
            ("one entry too many", limits(3, 40, 3), &["d"]),
            ("trimmed below the limit", limits(3, 40, 1), &["d", "b", "c"]),
            ("a byte too many", limits(4, 39, 4), &["d"]),
            ("nothing may stay", limits(0, 0, 0), &["d", "b", "c", "a"]),
        ];
        for (name, limits, expected) in cases {
            let gone: Vec<String> =
                ledger.surplus(limits, Timestamp(3)).iter().map(UserId::to_string).collect();
            assert_eq!(gone, expected, "{name}: the row from the future is the oldest");
        }
    }

    proptest! {
        #[test]
        fn what_is_left_fits_and_the_sum_is_right(
            notes in prop::collection::vec((0..8_u8, 0_u64..50, 0_u64..99), 0..60),
            entries in 0_usize..8,
            bytes in 0_u64..200,
        ) {
            let lines: Vec<Line> =
                notes.iter().map(|(user, bytes, at)| line(&format!("u{user}"), *bytes, *at)).collect();
            let mut ledger = ledger(&lines);
            let sum: u64 = ledger.lines.iter().map(|line| line.bytes).sum();
            prop_assert_eq!(ledger.usage().bytes, sum);
            for user in ledger.surplus(limits(entries, bytes, entries), Timestamp(50)) {
                ledger.note(Line { user, bytes: 0, used_at: Timestamp(0) });
            }
            let usage = ledger.usage();
            prop_assert!(usage.entries <= entries && usage.bytes <= bytes);
        }
    }
}
