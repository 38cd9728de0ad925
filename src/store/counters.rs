//! What was counted, and those who look at the figures.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
    time::Duration,
};

use super::driver::driver;
use crate::{
    browser::{clock, schedule},
    cache::{
        core::Answer, entry::Content, event::CacheEvent, eviction::Usage, key::Source,
        metrics::Metrics, stats::Stats, storage::Storage,
    },
};

/// How often those who look on hear of new figures, at most.
const METRICS_EVERY: Duration = Duration::from_millis(250);

type Tell = Rc<dyn Fn()>;

/// Counts for the life of the document, or since the last reset.
pub(super) struct Counters {
    stats: RefCell<Stats>,
    /// By number, and which number comes next.
    watching: RefCell<Vec<(u32, Tell)>>,
    next: Cell<u32>,
    /// Whether those who look on will hear of it anyway.
    due: Cell<bool>,
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counters").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            stats: RefCell::new(fresh()),
            watching: RefCell::default(),
            next: Cell::default(),
            due: Cell::default(),
        }
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

    /// Figures have changed: those who look on hear of it soon. Where nobody does, nothing is done.
    fn changed(&self) {
        if self.watching.borrow().is_empty() || self.due.replace(true) {
            return;
        }
        schedule::spawn(async {
            schedule::sleep(METRICS_EVERY).await;
            let counters = &driver().counters;
            counters.due.set(false);
            counters.tell();
        });
    }

    /// Tells those who look on now.
    pub(super) fn tell(&self) {
        // One that hears of it may leave.
        let watching: Vec<_> =
            self.watching.borrow().iter().map(|(_, tell)| tell.clone()).collect();
        watching.iter().for_each(|tell| tell());
    }

    /// Has `tell` called when figures have changed, at most four times a second. Returns its number.
    pub(super) fn watch(&self, tell: Tell) -> u32 {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        self.watching.borrow_mut().push((number, tell));
        number
    }

    /// Ends that.
    pub(super) fn leave(&self, number: u32) {
        self.watching.borrow_mut().retain(|(other, _)| *other != number);
    }

    pub(super) fn metrics(
        &self,
        usage: impl Fn(Source) -> Option<Usage>,
        storage: Option<Storage>,
    ) -> Metrics {
        self.stats.borrow().metrics(usage, storage)
    }

    pub(super) fn reset(&self) {
        self.stats.replace(fresh());
        self.tell();
    }
}

fn fresh() -> Stats {
    Stats::new(clock::now().wall)
}
