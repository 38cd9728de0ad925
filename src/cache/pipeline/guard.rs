//! Every call of a layer has a time limit, and a layer that keeps failing is left alone.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use futures_util::{
    future::{Either, select},
    pin_mut,
};

use super::{Environment, Pipeline};
use crate::cache::{
    breaker::Breaker,
    clock::Clock,
    event::CacheEvent,
    key::Source,
    layer::{Answer, LayerError, Recovery},
};

/// What is known of a layer's health.
#[derive(Debug)]
pub(super) struct Guard {
    source: Source,
    breaker: RefCell<Breaker>,
    read_only: Cell<bool>,
}

impl Guard {
    pub(super) fn new(source: Source) -> Self {
        Self { source, breaker: RefCell::default(), read_only: Cell::new(false) }
    }

    pub(super) fn allows(&self, elapsed: Duration) -> bool {
        self.breaker.borrow().allows(elapsed)
    }

    pub(super) fn succeeded(&self) {
        self.breaker.borrow_mut().succeeded();
    }

    /// Whether the layer may be written to: its disk was not found full.
    pub(super) fn takes_writes(&self) -> bool {
        !self.read_only.get()
    }

    /// The disk is full: the layer is only read from now on.
    pub(super) fn stop_writes(&self) {
        self.read_only.set(true);
    }
}

impl<E: Environment> Pipeline<E> {
    /// Calls a layer, if it is healthy. One that lost its connection is called once more.
    pub(super) async fn guarded<'a, T>(
        &self,
        guard: &Guard,
        call: &dyn Fn() -> Answer<'a, T>,
    ) -> Option<Result<T, LayerError>> {
        if !guard.allows(self.env.clock().elapsed()) {
            return None;
        }
        let mut result = self.in_time(call()).await;
        if result.as_ref().err().map(|error| error.recovery()) == Some(Recovery::RetryOnce) {
            result = self.in_time(call()).await;
        }
        match &result {
            Ok(_) => guard.succeeded(),
            Err(error) => self.layer_failed(guard, *error),
        }
        Some(result)
    }

    pub(super) fn layer_failed(&self, guard: &Guard, error: LayerError) {
        let elapsed = self.env.clock().elapsed();
        let Self { policy, .. } = self;
        guard.breaker.borrow_mut().failed(
            error,
            elapsed,
            policy.breaker_failures,
            policy.breaker_pause,
        );
        self.env.happened(CacheEvent::LayerFailed(guard.source, error));
    }

    pub(super) async fn in_time<T>(&self, answer: Answer<'_, T>) -> Result<T, LayerError> {
        let limit = self.env.clock().sleep(self.policy.layer_timeout);
        pin_mut!(limit);
        match select(answer, limit).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(LayerError::TimedOut),
        }
    }
}
