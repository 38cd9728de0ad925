//! Who may send a picture now, so that uploads take no more memory than foreseen.
//!
//! **Invariant:** a place is held for as long as anything of an upload is in memory.

use std::sync::Arc;

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use miniature_api::UserId;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{config::Config, limits::Limits};

/// From this many remembered users on, those that may change their picture again anyway are forgotten.
const MANY: usize = 10_000;

/// Lets uploads in. Cheap to clone; clones share the places. Each instance counts for itself.
#[derive(Clone, Debug)]
pub struct Intake {
    changes: Arc<DefaultKeyedRateLimiter<UserId>>,
    places: Arc<Semaphore>,
}

/// Leave to upload, given back when dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held, not looked at")] OwnedSemaphorePermit);

/// Why a picture may not be changed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IntakeError {
    /// This user changed theirs often enough.
    #[error("too many changes; wait {wait_s} s")]
    TooOften {
        /// How long to wait, in seconds.
        wait_s: u64,
    },
    /// All places are taken.
    #[error("too many uploads at once")]
    Full,
}

impl Intake {
    /// With places for so many uploads, and for so many changes a user as the configuration says.
    pub fn new(config: &Config, limits: &Limits) -> Self {
        let changes = RateLimiter::keyed(Quota::per_minute(config.picture_changes_per_user));
        Self { changes: Arc::new(changes), places: Arc::new(Semaphore::new(limits.uploads)) }
    }

    /// Counts a change of a user's picture.
    ///
    /// # Errors
    ///
    /// [`IntakeError::TooOften`].
    pub fn count(&self, user: &UserId) -> Result<(), IntakeError> {
        if self.changes.len() > MANY {
            self.changes.retain_recent();
        }
        self.changes.check_key(user).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            IntakeError::TooOften { wait_s: wait.as_secs() + 1 }
        })
    }

    /// A place for an upload. Nobody waits for one: a waiting upload would hold what it has sent.
    ///
    /// # Errors
    ///
    /// [`IntakeError::Full`].
    pub fn enter(&self) -> Result<Place, IntakeError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map(Place).map_err(|_| IntakeError::Full)
    }
}
