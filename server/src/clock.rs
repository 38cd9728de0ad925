//! Where the time comes from, so that tests move it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Tells the time in whole seconds since 1970, UTC.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// The clock of this machine.
    pub fn system() -> Self {
        Self(Arc::new(system_seconds))
    }

    /// A clock that stands still until the second value is changed.
    pub fn by_hand(start: u64) -> (Self, Arc<AtomicU64>) {
        let hand = Arc::new(AtomicU64::new(start));
        let seen = Arc::clone(&hand);
        (Self(Arc::new(move || seen.load(Ordering::SeqCst))), hand)
    }

    /// Seconds since 1970, UTC.
    pub fn now(&self) -> u64 {
        (self.0)()
    }
}

/// A clock set before 1970 reads as 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn system_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}
