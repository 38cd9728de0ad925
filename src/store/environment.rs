//! What the pipeline stands on in a browser.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::Duration,
};

use futures_util::future::LocalBoxFuture;
use leptos::prelude::*;
use miniature_api::UserId;

use super::connection::Connection;
use crate::{
    browser::{
        clock::BrowserClock, indexed_db::IndexedDbShelf, local_storage::LocalStorageShelf, schedule,
    },
    cache::{clock::Clock, event::CacheEvent, pipeline::Environment, stats::Stats},
};

/// How often the dashboard hears of news, at most.
const METRICS_EVERY: Duration = Duration::from_millis(250);

/// The shelves of one account, the API, and the signals of those who look on.
#[derive(Debug)]
pub(crate) struct BrowserEnvironment {
    instant: Option<LocalStorageShelf>,
    durable: IndexedDbShelf,
    connection: Connection,
    clock: BrowserClock,
    /// One signal a user on screen, and how many look at it.
    signals: RefCell<HashMap<UserId, (ArcTrigger, usize)>>,
    pub(crate) stats: RefCell<Stats>,
    pub(crate) metrics: ArcTrigger,
    metrics_due: std::rc::Rc<Cell<bool>>,
}

impl BrowserEnvironment {
    pub(crate) fn new(account: &UserId, connection: Connection) -> Self {
        Self {
            instant: LocalStorageShelf::open(account).ok(),
            durable: IndexedDbShelf::new(account),
            connection,
            clock: BrowserClock,
            signals: RefCell::default(),
            stats: RefCell::new(Stats::new(BrowserClock.now())),
            metrics: ArcTrigger::new(),
            metrics_due: std::rc::Rc::default(),
        }
    }

    /// The signal of a user who comes on screen; [`Self::unwatch`] when they leave.
    pub(crate) fn watch(&self, user: &UserId) -> ArcTrigger {
        let mut signals = self.signals.borrow_mut();
        let (signal, watchers) =
            signals.entry(user.clone()).or_insert_with(|| (ArcTrigger::new(), 0));
        *watchers += 1;
        signal.clone()
    }

    pub(crate) fn unwatch(&self, user: &UserId) {
        let mut signals = self.signals.borrow_mut();
        if let Some((_, watchers)) = signals.get_mut(user) {
            *watchers -= 1;
            if *watchers == 0 {
                signals.remove(user);
            }
        }
    }
}

impl Environment for BrowserEnvironment {
    type Instant = Option<LocalStorageShelf>;
    type Durable = IndexedDbShelf;
    type Origin = Connection;
    type Clock = BrowserClock;

    fn instant(&self) -> &Self::Instant {
        &self.instant
    }

    fn durable(&self) -> &IndexedDbShelf {
        &self.durable
    }

    fn origin(&self) -> &Connection {
        &self.connection
    }

    fn clock(&self) -> &BrowserClock {
        &self.clock
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        schedule::spawn(task);
    }

    fn spawn_idle(&self, task: LocalBoxFuture<'static, ()>) {
        schedule::on_idle(move || schedule::spawn(task));
    }

    fn changed(&self, user: &UserId) {
        let signal = self.signals.borrow().get(user).map(|(signal, _)| signal.clone());
        if let Some(signal) = signal {
            signal.notify();
        }
    }

    fn happened(&self, event: CacheEvent) {
        self.stats.borrow_mut().count(event);
        if !self.metrics_due.replace(true) {
            let (metrics, due) = (self.metrics.clone(), self.metrics_due.clone());
            schedule::spawn(async move {
                BrowserClock.sleep(METRICS_EVERY).await;
                due.set(false);
                metrics.notify();
            });
        }
    }
}
