//! The last events, and which of them someone has missed. Plain Rust: no clock, no network.
//!
//! ```text
//!        floor                                  newest
//!          │    kept: at most the last 1 000      │
//! ─ ─ ─ ─ ─┼───────────────────────────────────────┤
//!  unknown │  whoever knows up to here or later   │ whoever knows more has it from another log
//!   reset  │  gets what came after                │   reset
//! ```
//!
//! **Invariant:** a replay has every event after the one last seen, in order and once, or there is
//! none.

use std::{collections::VecDeque, fmt, num::ParseIntError, str::FromStr};

use thiserror::Error;

/// Names an event: `{milliseconds since 1970}-{count}`, as a Redis stream does. The greater, the
/// later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EventId {
    /// When, in milliseconds since 1970.
    pub(super) ms: u64,
    /// The how manieth in that millisecond.
    pub(super) count: u64,
}

/// A text names no event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum EventIdError {
    #[error("there is no - in it")]
    NoDash,
    #[error(transparent)]
    NoNumber(#[from] ParseIntError),
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let (ms, count) = text.split_once('-').ok_or(EventIdError::NoDash)?;
        Ok(Self { ms: ms.parse()?, count: count.parse()? })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.count)
    }
}

/// The last events.
#[derive(Debug)]
pub(super) struct Log<T> {
    limit: usize,
    floor: EventId,
    newest: EventId,
    /// Whether every event since the floor went by here.
    whole: bool,
    events: VecDeque<(EventId, T)>,
}

impl<T: Clone> Log<T> {
    /// A log that begins after an event, and keeps so many.
    pub(super) fn starting_at(floor: EventId, limit: usize) -> Self {
        Self { limit, floor, newest: floor, whole: true, events: VecDeque::new() }
    }

    /// How many events it keeps.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The last event that went by, or where the log began.
    pub(super) fn newest(&self) -> EventId {
        self.newest
    }

    /// Names an event that happens now: later than any before, even by a clock set back.
    pub(super) fn next_id(&self, now_ms: u64) -> EventId {
        if now_ms > self.newest.ms {
            return EventId { ms: now_ms, count: 0 };
        }
        EventId { ms: self.newest.ms, count: self.newest.count.saturating_add(1) }
    }

    /// Keeps an event, and drops the oldest if there are too many. False if it went by before.
    pub(super) fn push(&mut self, id: EventId, event: T) -> bool {
        if id <= self.newest {
            return false;
        }
        self.newest = id;
        self.events.push_back((id, event));
        while self.events.len() > self.limit {
            if let Some((dropped, _)) = self.events.pop_front() {
                self.floor = dropped;
            }
        }
        true
    }

    /// An event went by that is not to be kept.
    pub(super) fn pass(&mut self, id: EventId) {
        self.newest = self.newest.max(id);
    }

    /// The events that are kept, the latest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &T> {
        self.events.iter().rev().map(|(_, event)| event)
    }

    /// Events went by elsewhere: from now on nobody can be told what they have missed.
    pub(super) fn break_off(&mut self) {
        self.whole = false;
    }

    /// What came after an event; none if that cannot be told.
    pub(super) fn since(&self, seen: EventId) -> Option<Vec<T>> {
        if !self.whole || seen < self.floor || seen > self.newest {
            return None;
        }
        let later = self.events.iter().filter(|(id, _)| *id > seen);
        Some(later.map(|(_, event)| event.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, test_runner::RngSeed};

    use super::*;

    const LIMIT: usize = 5;

    fn id(ms: u64, count: u64) -> EventId {
        EventId { ms, count }
    }

    #[test]
    fn an_id_reads_as_it_is_written_and_nothing_else_is_one() {
        assert_eq!("1700000000000-12".parse(), Ok(id(1_700_000_000_000, 12)));
        assert_eq!(id(5, 0).to_string(), "5-0");
        for text in ["", "5", "-", "5-", "-5", "a-1", "1-1-1", "99999999999999999999-0"] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_is_later_than_those_before_whatever_the_clock_says() {
        let mut log = Log::starting_at(id(100, 0), LIMIT);
        let cases = [
            ("the same millisecond as the start", 100, id(100, 1)),
            ("a later one", 105, id(105, 0)),
            ("the same again", 105, id(105, 1)),
            ("set back", 50, id(105, 2)),
        ];
        for (name, now_ms, expected) in cases {
            let next = log.next_id(now_ms);
            assert_eq!(next, expected, "{name}");
            assert!(log.push(next, ()), "{name}");
        }
    }

    /// What can happen to a log. A step is how far the id of an event is from the newest.
    #[derive(Clone, Debug)]
    enum Step {
        Push(u64),
        PushAgain(u64),
        Pass(u64),
        Break,
        Restart(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            10 => (1..4_u64).prop_map(Step::Push),
            1 => (0..4_u64).prop_map(Step::PushAgain),
            1 => (0..4_u64).prop_map(Step::Pass),
            1 => Just(Step::Break),
            1 => (0..4_u64).prop_map(Step::Restart),
        ]
    }

    /// Remembers everything, and so knows what a log may say.
    #[derive(Default)]
    struct Model {
        began: u64,
        events: Vec<u64>,
        passed: u64,
        broken: bool,
    }

    impl Model {
        fn newest(&self) -> u64 {
            self.events.last().copied().unwrap_or(self.began).max(self.passed)
        }

        /// The last event that a log of [`LIMIT`] no longer has, or where it began.
        fn floor(&self) -> u64 {
            let dropped = self.events.len().checked_sub(LIMIT + 1);
            dropped.map_or(self.began, |last| self.events[last])
        }

        fn since(&self, seen: u64) -> Option<Vec<u64>> {
            let known = (self.floor()..=self.newest()).contains(&seen);
            let missed = self.events.iter().copied().filter(|event| *event > seen);
            (known && !self.broken).then(|| missed.collect())
        }

        fn take(&mut self, step: &Step, log: &mut Log<u64>) {
            match *step {
                Step::Push(further) => {
                    let event = self.newest() + further;
                    self.events.push(event);
                    assert!(log.push(id(event / 3, event % 3), event));
                }
                Step::PushAgain(back) => {
                    let event = self.newest().saturating_sub(back);
                    assert!(!log.push(id(event / 3, event % 3), event), "it went by before");
                }
                Step::Pass(further) => {
                    self.passed = self.newest() + further;
                    log.pass(id(self.passed / 3, self.passed % 3));
                }
                Step::Break => {
                    self.broken = true;
                    log.break_off();
                }
                Step::Restart(further) => {
                    let began = self.newest() + further;
                    *self = Self { began, ..Self::default() };
                    *log = Log::starting_at(id(began / 3, began % 3), LIMIT);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000,
            rng_seed: RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_replay_has_all_that_was_missed_or_there_is_none(
            steps in prop::collection::vec(step(), 0..40),
        ) {
            let (mut log, mut model) = (Log::starting_at(id(0, 0), LIMIT), Model::default());
            for step in &steps {
                model.take(step, &mut log);
                for seen in 0..=model.newest() + 3 {
                    prop_assert_eq!(log.since(id(seen / 3, seen % 3)), model.since(seen));
                }
                prop_assert!(log.events.len() <= LIMIT);
                let next = log.next_id(0);
                prop_assert!(next > id(model.newest() / 3, model.newest() % 3));
            }
        }
    }
}
