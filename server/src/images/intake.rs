//! Who may send a picture now, so that uploads take no more memory than foreseen.
//!
//! **Invariant:** a place is held for as long as anything of an upload is in memory.

use std::{num::NonZeroU32, sync::Arc};

use governor::{
    DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock, QuantaInstant},
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

/// What a photograph of 12 megapixels takes, and some to spare. One that takes so many times as much
/// counts as so many more changes.
const USUAL_BYTES: u64 = 64 << 20;

/// Lets uploads in. Cheap to clone; clones share the places. Each instance counts for itself.
#[derive(Clone, Debug)]
pub struct Intake {
    changes: Arc<DefaultKeyedRateLimiter<UserId>>,
    at_once: NonZeroU32,
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
        let at_once = config.picture_changes_per_user;
        let changes = RateLimiter::keyed(Quota::per_minute(at_once));
        let places = Arc::new(Semaphore::new(limits.uploads));
        let places_of_users = Places::new(limits.uploads_per_user);
        Self { changes: Arc::new(changes), at_once, places, places_of_users }
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
        self.changes.check_key(user).map_err(|not_until| too_often(&not_until))
    }

    /// Counts what a user's upload costs beyond a usual one, by the memory that it takes, in bytes.
    ///
    /// # Errors
    ///
    /// [`IntakeError::TooOften`].
    pub fn charge(&self, user: &UserId, bytes: u64) -> Result<(), IntakeError> {
        let beyond =
            u32::try_from(bytes / USUAL_BYTES).unwrap_or(u32::MAX).min(self.at_once.get() - 1);
        let Some(beyond) = NonZeroU32::new(beyond) else { return Ok(()) };
        match self.changes.check_key_n(user, beyond) {
            Ok(Err(not_until)) => Err(too_often(&not_until)),
            Ok(Ok(())) | Err(_) => Ok(()),
        }
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

fn too_often(not_until: &NotUntil<QuantaInstant>) -> IntakeError {
    let wait = not_until.wait_time_from(DefaultClock::default().now());
    IntakeError::TooOften { wait_s: wait.as_secs() + 1 }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::{Cli, Command};

    fn intake(changes: &str) -> Intake {
        let words = ["server", "serve", "--picture-changes-per-user", changes];
        let Command::Serve(config) = Cli::parse_from(words).command else { panic!("serve") };
        Intake::new(&config, &Limits::default())
    }

    #[test]
    fn what_takes_much_memory_counts_as_many_changes() {
        let (intake, user) = (intake("10"), "ada".parse().unwrap());
        let charged = |bytes| intake.count(&user).and_then(|()| intake.charge(&user, bytes));
        assert_eq!(charged(60 << 20), Ok(()), "one");
        assert_eq!(charged(250 << 20), Ok(()), "four more");
        assert_eq!(charged(250 << 20), Ok(()), "and four more");
        assert!(matches!(charged(250 << 20), Err(IntakeError::TooOften { wait_s: 1.. })));
        assert_eq!(intake.count(&"bea".parse().unwrap()), Ok(()), "of one user");
    }

    #[test]
    fn who_may_change_it_once_a_minute_may_change_it_to_anything() {
        let (intake, user) = (intake("1"), "ada".parse().unwrap());
        intake.count(&user).unwrap();
        assert_eq!(intake.charge(&user, 250 << 20), Ok(()));
    }
}
