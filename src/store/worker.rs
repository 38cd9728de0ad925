//! Keeps the service worker, which the page does without where there is none.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::prelude::*;

use super::{driver::driver, sync};
use crate::{
    browser::{
        caches, later,
        listener::Listener,
        schedule, session_storage,
        worker::{self, Worker},
    },
    cache::policy::Policy,
};

/// Where the server has the script.
const PATH: &str = "/sw.js";
/// Noted in a tab whose worker did not answer, once it was registered anew.
const RENEWED: &str = "miniature:v1:worker-renewed";
/// A page that is never idle registers it after this time.
const REGISTERED_WITHIN: Duration = Duration::from_secs(5);

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// What the page has of its worker.
struct Kept {
    worker: Worker,
    _listeners: [Option<Listener>; 2],
}

/// Whether a new version of the app is at hand, for which the page has to be loaded again.
pub fn use_update() -> Signal<bool> {
    driver().signals.update.read_only().into()
}

/// Loads the page again, in the new version.
pub fn update() {
    match kept().filter(Worker::has_next) {
        Some(worker) => in_next(&worker),
        None => worker::reload(),
    }
}

/// Registers the service worker once the page is painted and idle, where it is to have one; elsewhere
/// it ends the one that is there.
pub fn keep_worker() {
    let keep = || {
        schedule::spawn(async {
            if later::bring().await.is_ok() {
                schedule::spawn(begin());
            }
        });
    };
    schedule::once_painted(move || schedule::on_idle(keep, REGISTERED_WITHIN));
}

async fn begin() {
    match worker::script().filter(|_| !worker::is_unwanted()) {
        Some(script) => {
            // All tabs share it, whatever policy this one tries out.
            let policy = Policy::default();
            let url = address(&script, &policy);
            if let Some(worker) = register(&url, policy.worker_timeout).await {
                follow(worker);
            }
        }
        None => end().await,
    }
    sync::begin();
}

async fn end() {
    if let Some(worker) = Worker::find(PATH).await {
        worker.unregister().await;
        // What is left would only take room.
        let _ = caches::erase_shells().await;
    }
}

/// The worker has its limits in its address: other limits are another version.
fn address(script: &str, policy: &Policy) -> String {
    let (limits, age) = (policy.picture_cache, policy.picture_cache_fresh_for.as_secs());
    let (entries, bytes) = (limits.entries, limits.bytes);
    let (ahead, batch) = (policy.sync_ahead.as_secs(), policy.batch_users);
    format!(
        "{script}?max_entries={entries}&max_bytes={bytes}&max_age_s={age}&ahead_s={ahead}&batch={batch}"
    )
}

/// A worker that does not answer is registered anew once; then this tab does without.
async fn register(url: &str, limit: Duration) -> Option<Worker> {
    let worker = Worker::register(url).await?;
    if answers(&worker, limit).await {
        return Some(worker);
    }
    worker.unregister().await;
    if session_storage::get(RENEWED).is_some() {
        return None;
    }
    session_storage::set(RENEWED, "");
    let worker = Worker::register(url).await?;
    if answers(&worker, limit).await {
        return Some(worker);
    }
    worker.unregister().await;
    None
}

/// One that is still being installed has nobody to answer for.
async fn answers(worker: &Worker, limit: Duration) -> bool {
    if !worker.is_active() {
        return true;
    }
    schedule::within(worker.ping(), limit).await == Some(true)
}

/// Tells once a new version waits, or has taken over in another tab.
fn follow(worker: Worker) {
    let listeners = [worker.on_next(look_for_update), worker::on_control(look_for_update)];
    KEPT.set(Some(Kept { worker, _listeners: listeners }));
    look_for_update();
}

fn look_for_update() {
    let Some(worker) = kept() else { return };
    if worker.has_next() {
        driver().signals.update.set(true);
    }
    schedule::spawn(async move {
        let in_use = worker.version().await;
        let is_other = in_use.is_some() && in_use != worker::version();
        driver().signals.update.set(is_other || worker.has_next());
    });
}

/// The worker, once it is known.
pub(super) fn kept() -> Option<Worker> {
    KEPT.with_borrow(|kept| kept.as_ref().map(|kept| kept.worker.clone()))
}

/// Whether a worker is in use; none where the page is to have none.
pub(super) fn has_worker() -> Option<bool> {
    worker::script()?;
    Some(kept().is_some_and(|worker| worker.is_active()))
}

/// Reloads once the next version is in charge, or after a while if it does not say so.
fn in_next(worker: &Worker) {
    let limit = driver().read(|core| core.policy().worker_timeout);
    let reloads = Rc::new(RefCell::new(None));
    let reload = reloads.clone();
    reloads.replace(Some(worker::on_control(move || {
        reload.take();
        worker::reload();
    })));
    worker.let_next_begin();
    schedule::spawn(async move {
        schedule::sleep(limit).await;
        if reloads.take().is_some() {
            worker::reload();
        }
    });
}
