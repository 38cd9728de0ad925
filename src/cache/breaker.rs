//! When to leave a failing layer alone.

use std::time::Duration;

use super::layer::{LayerError, Recovery};

/// Counts a layer's failures in a row and says whether to ask it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    /// Not asked before this moment of the running clock.
    Paused(Duration),
    /// Not asked again in this document.
    Open,
}

impl Breaker {
    /// Whether the layer may be asked at `elapsed` of the running clock. After a pause it is asked
    /// again, and one more failure begins the next.
    pub fn allows(&self, elapsed: Duration) -> bool {
        match self.state {
            State::Closed => true,
            State::Paused(until) => elapsed >= until,
            State::Open => false,
        }
    }

    /// Whether the browser denies the layer.
    pub fn is_denied(&self) -> bool {
        self.state == State::Open
    }

    /// When it may be asked again, if it is being left alone for a while.
    pub fn resumes(&self) -> Option<Duration> {
        match self.state {
            State::Paused(until) => Some(until),
            State::Closed | State::Open => None,
        }
    }

    /// The layer answered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The layer failed at `elapsed`; after `limit` failures in a row it is left alone for `pause`.
    pub fn failed(&mut self, error: LayerError, elapsed: Duration, limit: u32, pause: Duration) {
        match error.recovery() {
            Recovery::BypassUntilReload => self.state = State::Open,
            // A full disk is read as well as ever.
            Recovery::EvictThenRetryOnce => {}
            Recovery::RetryLater | Recovery::RetryOnce => {
                self.failures = self.failures.saturating_add(1);
                if self.failures >= limit && !self.is_denied() {
                    self.state = State::Paused(elapsed + pause);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    fn after(errors: &[LayerError]) -> Breaker {
        let mut breaker = Breaker::default();
        for error in errors {
            breaker.failed(*error, Duration::ZERO, 3, PAUSE);
        }
        breaker
    }

    #[test]
    fn a_layer_is_left_alone_after_failures_in_a_row() {
        use LayerError::{Failed, Full, TimedOut, Unavailable};
        let cases: [(_, &[LayerError], bool, bool); 6] = [
            // name, failures, asked at once, asked after the pause
            ("two", &[Failed, Failed], true, true),
            ("three", &[Failed, TimedOut, Failed], false, true),
            ("more", &[Failed; 9], false, true),
            ("denied", &[Unavailable], false, false),
            ("denied, before others end", &[Unavailable, TimedOut, Failed, Failed], false, false),
            ("a full disk", &[Full; 9], true, true),
        ];
        for (name, errors, at_once, later) in cases {
            let breaker = after(errors);
            assert_eq!(breaker.allows(Duration::ZERO), at_once, "{name}");
            assert_eq!(breaker.allows(PAUSE), later, "{name}");
        }
    }

    #[test]
    fn an_answer_forgives() {
        let mut breaker = after(&[LayerError::Failed; 2]);
        breaker.succeeded();
        breaker.failed(LayerError::Failed, Duration::ZERO, 3, PAUSE);
        assert!(breaker.allows(Duration::ZERO));
    }
}
