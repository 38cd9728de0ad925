//! How often someone may do something.

use std::{num::NonZeroU32, sync::Arc};

use governor::{
    DefaultDirectRateLimiter, InsufficientCapacity, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use miniature_api::UserId;
use moka::sync::Cache;

use crate::ApiError;

/// How many users are counted at once. Of more, those who do it least are forgotten.
const MANY_USERS: u64 = 10_000;

/// How often each user may do something. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct Pace {
    quota: Quota,
    limiters: Cache<UserId, Arc<DefaultDirectRateLimiter>>,
}

impl Pace {
    /// So many times a minute; after a pause as many at once.
    pub fn per_minute(times: NonZeroU32) -> Self {
        Self::of(Quota::per_minute(times))
    }

    /// So many times a second; after a pause so many at once.
    pub fn per_second(times: NonZeroU32, at_once: NonZeroU32) -> Self {
        Self::of(Quota::per_second(times).allow_burst(at_once))
    }

    fn of(quota: Quota) -> Self {
        // After so long a pause a limiter allows as much as a new one.
        let pause = quota.burst_size_replenished_in();
        let limiters = Cache::builder().max_capacity(MANY_USERS).time_to_idle(pause).build();
        Self { quota, limiters }
    }

    /// Counts one time.
    ///
    /// # Errors
    ///
    /// [`ApiError::TooManyTries`] (429) with how long to wait.
    pub fn count(&self, user: &UserId) -> Result<(), ApiError> {
        self.count_many(user, 1)
    }

    /// Counts several times, all or none; no more than may be done at once.
    ///
    /// # Errors
    ///
    /// [`ApiError::TooManyTries`] (429) with how long to wait.
    pub fn count_many(&self, user: &UserId, times: usize) -> Result<(), ApiError> {
        let times = u32::try_from(times).unwrap_or(u32::MAX).min(self.quota.burst_size().get());
        let Some(times) = NonZeroU32::new(times) else { return Ok(()) };
        let limiter =
            self.limiters.get_with_by_ref(user, || Arc::new(RateLimiter::direct(self.quota)));
        match limiter.check_n(times) {
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                Err(ApiError::TooManyTries { retry_after_s: wait.as_secs() + 1 })
            }
            // No more than that is asked for.
            Ok(Ok(())) | Err(InsufficientCapacity(_)) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u64) -> UserId {
        format!("user{n}").parse().unwrap()
    }

    fn remembered(pace: &Pace) -> u64 {
        pace.limiters.run_pending_tasks();
        pace.limiters.entry_count()
    }

    #[test]
    fn only_so_many_users_are_remembered() {
        let pace = Pace::per_minute(NonZeroU32::MIN);
        for n in 0..MANY_USERS * 2 {
            pace.count(&user(n)).unwrap();
        }
        assert!(remembered(&pace) <= MANY_USERS);
    }

    #[test]
    fn a_user_who_may_do_as_much_as_anyone_is_forgotten() {
        let pace = Pace::per_second(NonZeroU32::new(1_000).unwrap(), NonZeroU32::MIN);
        pace.count(&user(0)).unwrap();
        while remembered(&pace) > 0 {
            std::thread::yield_now();
        }
    }
}
