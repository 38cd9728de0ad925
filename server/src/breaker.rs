//! Calls to what may be away: a time limit on each, and no calls for a while once several failed.
//!
//! ```text
//!            FAILURES in a row                 after PAUSE, one call
//! closed ───────────────────────▶ open ───────────────────────────▶ closed if it succeeds
//! ```
//!
//! **Invariant:** whatever is behind it, a call ends within its time limit, and while the breaker is
//! open at once.

use std::{
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::gauge;
use thiserror::Error;
use tokio::time::{Instant, timeout};

use crate::metrics::DEPENDENCY_UP;

/// So many calls in a row may fail before no more are made for a while.
const FAILURES: u32 = 3;

/// How long no call is made. Then one is, and if it fails the pause begins anew.
const PAUSE: Duration = Duration::from_secs(2);

/// How often a failure is logged: it tells an operator once, not at each request.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Guards the calls to one dependency. Cheap to clone; clones share what they learned.
#[derive(Clone, Debug)]
pub struct Breaker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    dependency: &'static str,
    limit: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
    logged_at: Option<Instant>,
}

/// Why a call brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallError<E> {
    /// It was not made: others have failed just now.
    #[error("it failed a moment ago and is left alone")]
    Open,
    /// It took too long.
    #[error("it did not answer in time")]
    TimedOut,
    /// It failed.
    #[error(transparent)]
    Failed(E),
}

impl Breaker {
    /// Guards the calls to a dependency, each of which may take this long.
    pub fn new(dependency: &'static str, limit: Duration) -> Self {
        gauge!(DEPENDENCY_UP, "dependency" => dependency).set(1.0);
        Self(Arc::new(Shared { dependency, limit, state: Mutex::default() }))
    }

    /// Makes a call, unless others have just failed.
    ///
    /// # Errors
    ///
    /// Why it brought nothing.
    pub async fn call<T, E: Display>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CallError<E>> {
        self.call_within(self.0.limit, call).await
    }

    /// As [`Self::call`], for one that may take longer, or shorter.
    ///
    /// # Errors
    ///
    /// Why it brought nothing.
    pub async fn call_within<T, E: Display>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CallError<E>> {
        if !self.admits() {
            return Err(CallError::Open);
        }
        let outcome = match timeout(limit, call).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(CallError::Failed(error)),
            Err(_) => Err(CallError::TimedOut),
        };
        match &outcome {
            Ok(_) => self.succeeded(),
            Err(error) => self.failed(error),
        }
        outcome
    }

    /// Whether the last call succeeded, or none was made yet.
    pub fn is_well(&self) -> bool {
        self.state().failures == 0
    }

    /// Whether a call may be made now. While open, the one who is told so holds off all others.
    fn admits(&self) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        match state.open_until {
            Some(until) if now < until => false,
            Some(_) => {
                state.open_until = Some(now + PAUSE);
                true
            }
            None => true,
        }
    }

    fn succeeded(&self) {
        let mut state = self.state();
        if state.failures > 0 {
            tracing::info!(dependency = self.0.dependency, "it answers again");
            gauge!(DEPENDENCY_UP, "dependency" => self.0.dependency).set(1.0);
        }
        *state = State { logged_at: state.logged_at, ..State::default() };
    }

    fn failed(&self, error: &impl Display) {
        let mut state = self.state();
        let now = Instant::now();
        state.failures += 1;
        if state.failures >= FAILURES {
            state.open_until = Some(now + PAUSE);
            gauge!(DEPENDENCY_UP, "dependency" => self.0.dependency).set(0.0);
        }
        if state.logged_at.is_none_or(|logged_at| now - logged_at >= LOG_EVERY) {
            state.logged_at = Some(now);
            tracing::warn!(dependency = self.0.dependency, %error, "it is away; going on without");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    async fn fail(breaker: &Breaker) -> CallError<&'static str> {
        breaker.call(ready(Err::<(), _>("refused"))).await.unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn after_three_failures_it_is_left_alone_and_then_tried_once() {
        let breaker = Breaker::new("test", LIMIT);
        for _ in 0..FAILURES {
            assert_eq!(fail(&breaker).await, CallError::Failed("refused"));
        }
        assert_eq!(fail(&breaker).await, CallError::Open);

        tokio::time::advance(PAUSE).await;
        assert_eq!(fail(&breaker).await, CallError::Failed("refused"));
        assert_eq!(fail(&breaker).await, CallError::Open);

        tokio::time::advance(PAUSE).await;
        assert_eq!(breaker.call(ready(Ok::<_, &str>(7))).await, Ok(7));
        assert!(breaker.is_well());
        assert_eq!(fail(&breaker).await, CallError::Failed("refused"), "it is closed again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_ends_and_holds_off_others_while_it_probes() {
        let breaker = Breaker::new("test", LIMIT);
        let since = Instant::now();
        for _ in 0..FAILURES {
            let hung = breaker.call(pending::<Result<(), &str>>()).await;
            assert_eq!(hung, Err(CallError::TimedOut));
        }
        assert_eq!(since.elapsed(), LIMIT * FAILURES);

        tokio::time::advance(PAUSE).await;
        let (first, second) =
            tokio::join!(breaker.call(pending::<Result<(), &str>>()), fail(&breaker));
        assert_eq!((first, second), (Err(CallError::TimedOut), CallError::Open));
    }
}
