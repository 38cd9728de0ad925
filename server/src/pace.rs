//! How often someone may do something.

use std::{num::NonZeroU32, sync::Arc};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use miniature_api::UserId;

use crate::ApiError;

/// From this many remembered users on, those who may go on anyway are forgotten.
const MANY_USERS: usize = 10_000;

/// How often each user may do something. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct Pace(Arc<DefaultKeyedRateLimiter<UserId>>);

impl Pace {
    /// So many times a minute; after a pause as many at once.
    pub fn per_minute(times: NonZeroU32) -> Self {
        Self(Arc::new(RateLimiter::keyed(Quota::per_minute(times))))
    }

    /// Counts one time.
    ///
    /// # Errors
    ///
    /// [`ApiError::TooManyTries`] (429) with how long to wait.
    pub fn count(&self, user: &UserId) -> Result<(), ApiError> {
        if self.0.len() > MANY_USERS {
            self.0.retain_recent();
        }
        self.0.check_key(user).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            ApiError::TooManyTries { retry_after_s: wait.as_secs() + 1 }
        })
    }
}
