//! Work that keeps a core busy, away from the threads that answer requests.

use std::{num::NonZero, sync::Arc, thread::available_parallelism};

use thiserror::Error;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Runs at most one piece of work a core; more wait their turn. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workers {
    places: Arc<Semaphore>,
    count: usize,
}

/// A piece of work panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a piece of work panicked")]
pub struct WorkPanicked;

impl Workers {
    /// As many workers as there are cores.
    pub fn one_a_core() -> Self {
        let count = available_parallelism().map_or(1, NonZero::get);
        Self { places: Arc::new(Semaphore::new(count)), count }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Does a piece of work. Once begun it is finished, even if nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// [`WorkPanicked`]; the others go on.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkPanicked> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| WorkPanicked)?;
        let done = spawn_blocking(move || {
            let _place = place; // held until the work is done, not until the waiter has gone
            work()
        });
        done.await.map_err(|_| WorkPanicked)
    }
}
