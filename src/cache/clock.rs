//! Time, as something passed in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment of the wall clock, in milliseconds since the Unix epoch.
///
/// Wall clocks are set forwards and backwards: an age may be negative, see
/// [`Freshness::of`](super::freshness::Freshness::of).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// How long ago `earlier` was, in milliseconds; negative if it is still to come.
    pub fn since(self, earlier: Self) -> i64 {
        let distance = i64::try_from(self.0.abs_diff(earlier.0)).unwrap_or(i64::MAX);
        if self >= earlier { distance } else { -distance }
    }
}

/// Where the cache reads the time, and waits.
#[expect(async_fn_in_trait, reason = "one thread: no future of the cache crosses threads")]
pub trait Clock {
    /// The wall clock: for ages that outlive the document.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, never running backwards: for measuring how long a load took.
    fn elapsed(&self) -> Duration;

    /// Resolves after `duration`, or later.
    async fn sleep(&self, duration: Duration);
}
