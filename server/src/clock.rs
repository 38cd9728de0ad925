//! Where the time comes from, so that tests move it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Tells the time since 1970, UTC.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// The clock of this machine.
    pub fn system() -> Self {
        Self(Arc::new(system_milliseconds))
    }

    /// A clock that stands still until the second value is changed. Both are in seconds.
    pub fn by_hand(start: u64) -> (Self, Arc<AtomicU64>) {
        let hand = Arc::new(AtomicU64::new(start));
        let seen = Arc::clone(&hand);
        (Self(Arc::new(move || seen.load(Ordering::SeqCst) * 1_000)), hand)
    }

    /// Whole seconds since 1970, UTC.
    pub fn now(&self) -> u64 {
        self.now_ms() / 1_000
    }

    /// Whole milliseconds since 1970, UTC.
    pub fn now_ms(&self) -> u64 {
        (self.0)()
    }
}

/// A clock set before 1970 reads as 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn system_milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}
