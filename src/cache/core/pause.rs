//! When something that failed is tried again.

use std::time::Duration;

use crate::cache::{clock::Moment, policy::Policy, splitmix};

/// Random times, the same again for the same seed.
#[derive(Clone, Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A time from zero to `longest`.
    pub(super) fn up_to(&mut self, longest: Duration) -> Duration {
        self.0 = self.0.wrapping_add(splitmix::STEP);
        let random = u128::from(splitmix::mix(self.0));
        let micros = (longest.as_micros() * random) >> 64;
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

/// A wait after failures in a row.
#[derive(Clone, Debug)]
pub(super) struct Pause {
    failures: u32,
    /// What was sent before this and fails is part of the same failure.
    since: Moment,
    until: Moment,
    /// What `Retry-After` asks for; nothing but a person ends it earlier.
    floor: Moment,
}

impl Default for Pause {
    fn default() -> Self {
        Self { failures: 0, since: Moment::NEVER, until: Moment::NEVER, floor: Moment::NEVER }
    }
}

impl Pause {
    /// What was sent at `sent` failed at `now`.
    ///
    /// # Source
    ///
    /// Full jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    pub(super) fn fail(
        &mut self,
        sent: Moment,
        now: Moment,
        retry_after: Option<Duration>,
        policy: &Policy,
        jitter: &mut Jitter,
    ) {
        if sent >= self.since {
            let longest = policy.first_pause.saturating_mul(1_u32 << self.failures.min(16));
            self.until = now + jitter.up_to(longest.min(policy.longest_pause));
            self.failures = self.failures.saturating_add(1);
            self.since = now;
        }
        if let Some(least) = retry_after {
            self.floor = self.floor.max(now + least.min(policy.longest_retry_after));
        }
    }

    /// What was sent at `sent` was answered.
    pub(super) fn succeed(&mut self, sent: Moment) {
        if sent >= self.since {
            *self = Self::default();
        }
    }

    /// Rests until `moment`, whatever the failures.
    pub(super) fn rest_until(&mut self, moment: Moment) {
        self.failures = self.failures.max(1);
        self.until = moment;
    }

    /// Whether anything failed since the last success.
    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// When it ends.
    pub(super) fn ends(&self) -> Moment {
        self.until.max(self.floor)
    }

    /// Ends it at `moment` at the latest, but for `Retry-After`.
    pub(super) fn end_by(&mut self, moment: Moment) {
        self.until = self.until.min(moment);
    }

    /// Ends it at `moment` at the latest, `Retry-After` or not: a person asks.
    pub(super) fn end_by_hand(&mut self, moment: Moment) {
        self.until = self.until.min(moment);
        self.floor = self.floor.min(moment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::of(Duration::from_secs(seconds))
    }

    /// The first numbers for the seed 1234567, as published with the reference implementation.
    #[test]
    fn jitter_is_split_mix_64() {
        let mut jitter = Jitter::new(1_234_567);
        let published =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        for number in published {
            let longest = Duration::from_micros(u64::MAX);
            assert_eq!(jitter.up_to(longest), Duration::from_micros(number - 1), "rounded down");
        }
    }

    #[test]
    fn pauses_grow_to_a_minute_and_no_further() {
        let (policy, mut jitter) = (Policy::default(), Jitter::new(7));
        let mut pause = Pause::default();
        let mut longest = Duration::ZERO;
        for failures in 0..200_u32 {
            let now = at(u64::from(failures) * 100);
            pause.fail(now, now, None, &policy, &mut jitter);
            let took = pause.ends().since(now);
            let bound = Duration::from_secs(1_u64 << failures.min(6)).min(policy.longest_pause);
            assert!(took <= bound, "{failures}: {took:?}");
            longest = longest.max(took);
        }
        assert!(longest > Duration::from_secs(55), "{longest:?}");
    }

    #[test]
    fn what_was_sent_before_the_pause_is_part_of_the_same_failure() {
        let (policy, mut jitter) = (Policy::default(), Jitter::new(7));
        let mut pause = Pause::default();
        pause.fail(at(0), at(10), None, &policy, &mut jitter);
        let ends = pause.ends();
        pause.fail(at(1), at(11), None, &policy, &mut jitter);
        assert_eq!((pause.ends(), pause.failures), (ends, 1));
        pause.fail(at(10), at(12), None, &policy, &mut jitter);
        assert_eq!(pause.failures, 2);
    }

    #[test]
    fn a_success_ends_it_unless_it_was_asked_for_before() {
        let (policy, mut jitter) = (Policy::default(), Jitter::new(7));
        let mut pause = Pause::default();
        for now in [10, 20, 30] {
            pause.fail(at(now), at(now), Some(Duration::from_secs(60)), &policy, &mut jitter);
        }
        pause.succeed(at(29));
        assert!(pause.is_failing() && pause.ends() >= at(90));
        pause.succeed(at(30));
        assert_eq!((pause.is_failing(), pause.ends()), (false, Moment::NEVER));
        pause.fail(at(40), at(40), None, &policy, &mut jitter);
        assert!(pause.ends() <= at(41), "it counts from the start");
    }

    #[test]
    fn retry_after_is_a_lower_bound_of_ten_minutes_at_most() {
        let (policy, mut jitter) = (Policy::default(), Jitter::new(7));
        let cases = [("in a minute", 60, 60), ("tomorrow", 86_400, 600)];
        for (name, asked, expected) in cases {
            let mut pause = Pause::default();
            let least = Some(Duration::from_secs(asked));
            pause.fail(at(0), at(0), least, &policy, &mut jitter);
            pause.end_by(at(1));
            assert_eq!(pause.ends(), at(expected), "{name}: the network's return ends nothing");
            pause.end_by_hand(at(1));
            assert!(pause.ends() <= at(1), "{name}: a person ends it");
        }
    }

    #[test]
    fn jitter_reaches_from_nothing_to_all() {
        let mut jitter = Jitter::new(1);
        let second = Duration::from_secs(1);
        let drawn: Vec<Duration> = (0..1000).map(|_| jitter.up_to(second)).collect();
        assert!(drawn.iter().all(|time| *time <= second));
        assert!(drawn.iter().min() < Some(&Duration::from_millis(10)));
        assert!(drawn.iter().max() > Some(&Duration::from_millis(990)));
    }
}
