//! For how long memory answers.

use std::time::{Duration, Instant};

use miniature_api::UserId;
use moka::Expiry;

use super::Answer;

/// For how long an answer is given from memory.
#[derive(Debug)]
pub(super) struct Freshness {
    /// If there is such a user.
    pub(super) found: Duration,
    /// If there is none.
    pub(super) missing: Duration,
}

impl Freshness {
    fn of(&self, answer: &Answer) -> Duration {
        if answer.is_some() { self.found } else { self.missing }
    }
}

impl Expiry<UserId, Answer> for Freshness {
    fn expire_after_create(&self, _: &UserId, answer: &Answer, _: Instant) -> Option<Duration> {
        Some(self.of(answer))
    }

    fn expire_after_update(
        &self,
        _: &UserId,
        answer: &Answer,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.of(answer))
    }
}
