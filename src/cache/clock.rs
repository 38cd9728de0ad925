//! Time, as something passed in.

use std::{
    ops::{Add, Sub},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A moment of the wall clock, in milliseconds since the Unix epoch.
///
/// Wall clocks are set forwards and backwards: they say how old a row of a layer is, and nothing
/// else.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// How long ago `earlier` was; none if it is still to come: the clock was set back since, and
    /// nothing can be said of the true age.
    pub fn age_of(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_millis)
    }

    /// The same; 0, the earliest, if it is still to come at `now`.
    #[must_use]
    pub fn unless_after(self, now: Self) -> Self {
        if self <= now { self } else { Self(0) }
    }
}

/// The time at which the core is called, by both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(u64, u64)", from = "(u64, u64)")]
pub struct Now {
    /// Time since some fixed moment, never running backwards: for limits, pauses and lifetimes.
    pub running: Duration,
    /// The wall clock, for what layers keep.
    pub wall: Timestamp,
}

/// Microseconds and milliseconds, as exports have it.
impl From<Now> for (u64, u64) {
    fn from(now: Now) -> Self {
        (micros(now.running).unsigned_abs(), now.wall.0)
    }
}

impl From<(u64, u64)> for Now {
    fn from((running, wall): (u64, u64)) -> Self {
        Self { running: Duration::from_micros(running), wall: Timestamp(wall) }
    }
}

/// A moment of the running clock. Before the document began it is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    /// Before everything.
    pub(crate) const NEVER: Self = Self(i64::MIN);

    pub(crate) fn of(running: Duration) -> Self {
        Self(micros(running))
    }

    /// Time since the running clock began; zero for what was before.
    pub(crate) fn running(self) -> Duration {
        u64::try_from(self.0).map_or(Duration::ZERO, Duration::from_micros)
    }

    /// How long after `earlier` this is; zero if it is before.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0).try_into().unwrap_or_default())
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }
}

/// Whole milliseconds.
pub(crate) fn whole_millis(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000).saturating_add(u64::from(duration.subsec_millis()))
}

/// Whole microseconds; what is longer than 34 000 years counts as that. Not by `as_micros`, nor by a
/// product that could overflow: both take 128 bits, for which WebAssembly has no instruction.
pub(crate) fn micros(duration: Duration) -> i64 {
    const LONGEST_S: u64 = 1 << 40;
    let micros =
        duration.as_secs().min(LONGEST_S) * 1_000_000 + u64::from(duration.subsec_micros());
    micros.cast_signed()
}
