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

use crate::{
    config::Config,
    limits::Limits,
    places::{self, Places},
};

/// From this many remembered users on, those that may change their picture again anyway are forgotten.
const MANY: usize = 10_000;

/// Lets uploads in. Cheap to clone; clones share the places. Each instance counts for itself.
#[derive(Clone, Debug)]
pub struct Intake {
    changes: Arc<DefaultKeyedRateLimiter<UserId>>,
    places: Arc<Semaphore>,
    places_of_users: Places,
}

/// Leave to upload, given back when dropped.
#[derive(Debug)]
pub struct Place {
    _of_user: places::Place,
    _of_all: OwnedSemaphorePermit,
}

/// Why a picture may not be changed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IntakeError {
    /// This user changed theirs often enough.
    #[error("too many changes; wait {wait_s} s")]
    TooOften {
        /// How long to wait, in seconds.
        wait_s: u64,
    },
    /// This user has as many uploads under way as one may.
    #[error("too many uploads of one user at once")]
    TooMany,
    /// All places are taken.
    #[error("too many uploads at once")]
    Full,
}

impl Intake {
    /// With places for so many uploads, and for so many changes a user as the configuration says.
    pub fn new(config: &Config, limits: &Limits) -> Self {
        let changes = RateLimiter::keyed(Quota::per_minute(config.picture_changes_per_user));
        let places = Arc::new(Semaphore::new(limits.uploads));
        let places_of_users = Places::new(limits.uploads_per_user);
        Self { changes: Arc::new(changes), places, places_of_users }
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

    /// A place for a user's upload. Nobody waits for one: a waiting upload would hold what it has
    /// sent.
    ///
    /// # Errors
    ///
    /// [`IntakeError::TooMany`], [`IntakeError::Full`].
    pub fn enter(&self, user: &UserId) -> Result<Place, IntakeError> {
        let of_user = self.places_of_users.take(user).ok_or(IntakeError::TooMany)?;
        let of_all = Arc::clone(&self.places).try_acquire_owned();
        let of_all = of_all.map_err(|_| IntakeError::Full)?;
        Ok(Place { _of_user: of_user, _of_all: of_all })
    }
}
