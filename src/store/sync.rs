//! Renews what ends soon: records in IndexedDB, then pictures in the cache of pictures. It comes with the
//! later half of the program.
//!
//! By itself the document does it that reads the stream of events: one of all tabs.

use std::cell::{Cell, RefCell};

use miniature_api::BatchUser;

use super::{driver::driver, worker::kept};
use crate::{
    browser::{clock, schedule, viewport, visibility, worker},
    cache::core::Event,
};

/// What is told of a sync; nothing if nobody is signed in.
type Done = Box<dyn FnOnce(Option<Synced>)>;

thread_local! {
    /// Whether the page has settled.
    static BEGUN: Cell<bool> = const { Cell::new(false) };
    /// Whom to tell of the sync that is under way.
    static DONE: RefCell<Vec<Done>> = const { RefCell::new(Vec::new()) };
}

/// Why it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The page has settled, is the reader now, or the network comes or goes.
    Due,
    /// The service worker was woken for it.
    Woken,
    /// Somebody asks.
    ByHand,
}

/// What a sync came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synced {
    /// Of how many people it is known again what is so.
    pub people: usize,
    /// How many pictures were renewed; none if it did not come to its end.
    pub pictures: Option<usize>,
}

/// Does it now, if it is due, and for the life of the document when the service worker asks.
pub(super) fn begin() {
    BEGUN.set(true);
    std::mem::forget(worker::on_sync(|| begin_one(Why::Woken, Box::new(drop))));
    look();
}

/// The network comes or goes, or this document reads the stream from now on. Without a network what is due
/// is left to the worker.
pub(super) fn look() {
    if BEGUN.get() {
        begin_one(Why::Due, Box::new(drop));
    }
}

/// Renews what ends soon, and tells what came of it.
pub fn sync_now(done: impl FnOnce(Option<Synced>) + 'static) {
    begin_one(Why::ByHand, Box::new(done));
}

fn begin_one(why: Why, done: Done) {
    schedule::spawn(async move {
        let Some(users) = ending(why).await else { return done(None) };
        let driver = driver();
        if why == Why::ByHand {
            // One that began by itself takes the answer from nobody.
            DONE.with_borrow_mut(|waiting| waiting.push(done));
            driver.handle(Event::Retry);
        }
        driver.handle(Event::Renew { users, woken: why == Why::Woken });
    });
}

/// Whose records end soon. None if nobody is signed in, it need not be now, or IndexedDB does not say.
async fn ending(why: Why) -> Option<Vec<BatchUser>> {
    let driver = driver();
    let last = driver.shelves.on_local(|shelf| Ok(shelf.synced_at())).ok().flatten();
    let is_unseen = why == Why::Due && !visibility::is_visible();
    let is_wanted = !is_unseen && !viewport::spares_traffic();
    let (lasting, lineage, most, limit) = driver.read(|core| {
        let is_due =
            is_wanted && core.reads() && core.policy().is_sync_due(last, clock::now().wall);
        let acts = core.account().is_some() && (is_due || why == Why::ByHand);
        let policy = core.policy();
        let (most, limit) = (policy.sync_users, policy.layer_timeout);
        acts.then(|| (core.lasting(), core.lineage(), most, limit))
    })?;
    // Without IndexedDB nothing ends.
    let shelf = driver.shelves.durable()?;
    schedule::within(shelf.ending(lasting, lineage, most), limit).await?.ok()
}

/// The core has done its part: then pictures are renewed.
pub(super) fn ended(people: usize, complete: bool) {
    let (driver, done) = (driver(), DONE.take());
    schedule::spawn(async move {
        let (account, limit) =
            driver.read(|core| (core.account().cloned(), core.policy().sync_timeout));
        let pictures = match kept() {
            Some(worker) => schedule::within(worker.sync(complete), limit).await.flatten(),
            None => Some(0),
        };
        let pictures = pictures.filter(|_| complete);
        // Nothing is kept of one who has signed out meanwhile.
        if pictures.is_some() && driver.read(|core| core.account().cloned()) == account {
            let _ = driver.shelves.on_local(|shelf| shelf.note_sync(clock::now().wall));
        }
        done.into_iter().for_each(|done| done(Some(Synced { people, pictures })));
    });
}
