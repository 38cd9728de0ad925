//! How the storages fare: failing, being erased, full.

use super::{effect::EffectId, ledger::Ledger};
use crate::cache::{
    breaker::Breaker,
    clock::Moment,
    eviction::Usage,
    key::Source,
    layer::{LayerError, Recovery},
    policy::Policy,
};

/// What is known of a storage.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    breaker: Breaker,
    /// Until the browser says that everything is gone, it is neither read nor written.
    pub(super) erasing: Option<EffectId>,
    pub(super) writing: Option<EffectId>,
    /// The disk was full, and still is after something was evicted: nothing more is added.
    takes_nothing: bool,
    /// The disk was full; the next write makes room first.
    pub(super) full: bool,
    /// How much it holds, if that is known.
    pub(super) usage: Option<Usage>,
}

impl Layer {
    /// Whether it may be asked.
    pub(super) fn allows(&self, now: Moment) -> bool {
        self.erasing.is_none() && self.breaker.allows(now.running())
    }

    /// Whether the browser denies it.
    pub(super) fn is_denied(&self) -> bool {
        self.breaker.is_denied()
    }

    /// Whether there is room for more in it, now or later.
    pub(super) fn has_room(&self) -> bool {
        !self.takes_nothing && !self.is_denied()
    }

    /// When it may be asked again, if it is being left alone.
    pub(super) fn resumes(&self) -> Option<Moment> {
        self.breaker.resumes().map(Moment::of)
    }

    /// It answered. Returns whether it was being left alone.
    pub(super) fn succeeded(&mut self) -> bool {
        let rested = self.is_denied() || self.breaker.resumes().is_some();
        self.breaker.succeeded();
        rested
    }

    pub(super) fn failed(&mut self, error: LayerError, now: Moment, policy: &Policy) {
        let (limit, pause) = (policy.breaker_failures, policy.breaker_pause);
        self.breaker.failed(error, now.running(), limit, pause);
    }

    /// A write failed. Returns whether the same is to be tried once more, with more room.
    pub(super) fn write_failed(&mut self, error: LayerError) -> bool {
        match error.recovery() {
            Recovery::EvictThenRetryOnce if !self.full => {
                self.full = true;
                true
            }
            Recovery::EvictThenRetryOnce => {
                self.takes_nothing = true;
                false
            }
            Recovery::BypassUntilReload | Recovery::RetryOnce | Recovery::RetryLater => false,
        }
    }

    /// Nothing is known of what it holds; how it fares stays known.
    pub(super) fn forget(&mut self) {
        self.usage = None;
        self.full = false;
    }
}

/// The layers that hold anything of an account when its documents are closed.
pub(super) const LASTING: [Source; 3] =
    [Source::LocalStorage, Source::IndexedDb, Source::ServiceWorker];

/// The layers that are asked one after the other before the API is.
pub(super) const ASKED: [Source; 2] = [Source::IndexedDb, Source::ServiceWorker];

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    pub(super) local: Layer,
    pub(super) durable: Layer,
    pub(super) pictures: Layer,
    pub(super) ledger: Ledger,
}

impl Layers {
    pub(super) fn of(&self, source: Source) -> &Layer {
        match source {
            Source::LocalStorage => &self.local,
            Source::ServiceWorker => &self.pictures,
            _ => &self.durable,
        }
    }

    pub(super) fn of_mut(&mut self, source: Source) -> &mut Layer {
        match source {
            Source::LocalStorage => &mut self.local,
            Source::ServiceWorker => &mut self.pictures,
            _ => &mut self.durable,
        }
    }
}
