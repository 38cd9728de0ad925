//! What was counted, and a signal for those who look at the figures.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use leptos::prelude::*;

use super::driver::driver;
use crate::{
    browser::{clock, schedule},
    cache::{
        core::Answer, entry::Content, event::CacheEvent, eviction::Usage, key::Source,
        metrics::Metrics, stats::Stats,
    },
};

/// How often the dashboard hears of new figures, at most.
const METRICS_EVERY: Duration = Duration::from_millis(250);

/// Counts for the life of the document, or since the last reset.
#[derive(Debug)]
pub(super) struct Counters {
    stats: RefCell<Stats>,
    changed: ArcTrigger,
    /// Whether those who look on will hear of it anyway.
    due: Cell<bool>,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self { stats: RefCell::new(fresh()), changed: ArcTrigger::new(), due: Cell::default() }
    }

    pub(super) fn count(&self, event: CacheEvent) {
        self.stats.borrow_mut().count(event);
        self.changed();
    }

    /// Takes note of an answer that says how much a storage holds.
    pub(super) fn hear(&self, answer: &Answer<Content>) {
        use Answer::{Counted, Erased, Measured, Written};
        if matches!(answer, Written(_) | Counted(_) | Measured(_) | Erased(_)) {
            self.changed();
        }
    }

    /// Figures have changed: those who look on hear of it soon.
    fn changed(&self) {
        if !self.due.replace(true) {
            schedule::spawn(async {
                schedule::sleep(METRICS_EVERY).await;
                let driver = driver();
                driver.counters.due.set(false);
                driver.counters.changed.notify();
            });
        }
    }

    pub(super) fn track(&self) {
        self.changed.track();
    }

    pub(super) fn metrics(&self, usage: impl Fn(Source) -> Option<Usage>) -> Metrics {
        self.stats.borrow().metrics(usage)
    }

    pub(super) fn reset(&self) {
        self.stats.replace(fresh());
        self.changed.notify();
    }
}

fn fresh() -> Stats {
    Stats::new(clock::now().wall)
}
