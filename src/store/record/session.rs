//! The documents of a tab that are recorded.

use std::cell::{Cell, RefCell};

use miniature_api::UserId;
use serde::{Deserialize, Serialize};

use super::KEY;
use crate::{
    browser::{json, listener::Listener, schedule, session_storage},
    cache::{
        clock::Now,
        core::Event,
        entry::{Content, Found},
        key::Wanted,
        layer::LayerError,
        policy::Policy,
        replay::{Call, Recording, Renamed, Tape, hollow, hollow_found},
    },
    store::{driver::driver, inventory::inventory},
};

/// Which recordings of ended documents the tab holds: [`Ended`]. Each stands under this, a colon and its number.
const ENDED: &str = "miniature:v1:recorded";
/// The most calls of one document: some ten thousand pictures.
const LENGTH: usize = 200_000;

thread_local! {
    static TAPE: RefCell<Option<Tape>> = const { RefCell::new(None) };
    /// The first account of this document: the recording is theirs.
    static ACCOUNT: RefCell<Option<UserId>> = const { RefCell::new(None) };
    /// The number of this document among those recorded.
    static NUMBER: Cell<usize> = const { Cell::new(0) };
    static LEAVING: RefCell<[Option<Listener>; 2]> = const { RefCell::new([None, None]) };
}

/// The recordings of documents that have ended.
#[derive(Serialize, Deserialize)]
struct Ended {
    account: UserId,
    count: usize,
    /// One more had no room. What follows it would make no sense without it.
    is_full: bool,
}

impl Ended {
    fn read() -> Option<Self> {
        json::read(&session_storage::get(ENDED)?)
    }

    /// False if there was no room.
    fn write(&self) -> bool {
        session_storage::try_set(ENDED, &json::write(self).unwrap_or_default())
    }
}

fn key(number: usize) -> String {
    format!("{ENDED}:{number}")
}

/// Has the documents of this tab record under this policy from the next one on, or no more.
pub(in crate::store) fn ask_for(policy: Option<&Policy>) {
    stop();
    if let Some(policy) = policy {
        session_storage::set(KEY, &json::write(policy).unwrap_or_default());
    }
}

/// Nothing is left of what was recorded, and nothing more is.
fn stop() {
    forget();
    TAPE.set(None);
    session_storage::remove(KEY);
}

/// Begins, unless the tab has no room left. Returns the policy that was asked for.
#[inline(never)]
pub(in crate::store) fn begin(seed: u64, visible: bool, now: Now) -> Policy {
    let settings = session_storage::get(KEY);
    let policy: Policy = settings.and_then(|settings| json::read(&settings)).unwrap_or_default();
    let ended = Ended::read();
    NUMBER.set(ended.as_ref().map_or(0, |ended| ended.count));
    if !ended.is_some_and(|ended| ended.is_full) {
        TAPE.set(Some(Tape::new(policy.clone(), seed, visible, now, LENGTH)));
    }
    policy
}

#[inline(never)]
pub(in crate::store) fn opened(
    wanted: &Wanted,
    found: Option<&Result<Found, LayerError>>,
    now: Now,
) {
    let hollow =
        |found: &Result<Found, LayerError>| found.as_ref().map(hollow_found).map_err(|e| *e);
    note(now, || Call::Open(wanted.clone(), found.map(hollow)));
}

#[inline(never)]
pub(in crate::store) fn told(event: &Event<Content>, now: Now) {
    match event {
        Event::Session(Some(start)) => begin_account(&start.account),
        Event::Identity(identity) if identity.marker.is_none() => forget(),
        _ => {}
    }
    note(now, || Call::Event(Box::new(hollow(event))));
}

/// Nobody's recording tells of somebody else.
fn begin_account(account: &UserId) {
    if ACCOUNT.with_borrow(Option::is_some) {
        if ACCOUNT.with_borrow(|of| of.as_ref() != Some(account)) {
            stop();
        }
        return;
    }
    ACCOUNT.set(Some(account.clone()));
    if Ended::read().is_some_and(|ended| ended.account != *account) {
        forget();
    }
    // Behind those that tell the core that the page goes.
    let leaves = web_sys::window().and_then(|window| window.document());
    let hides = leaves.and_then(|page| Listener::on(&page, "visibilitychange", |_| leave()));
    LEAVING.set([hides, Listener::on_window("pagehide", |_| leave())]);
    if NUMBER.get() == 0 {
        schedule::spawn(async {
            let held = inventory().await;
            TAPE.with_borrow_mut(|tape| {
                if let Some(tape) = tape {
                    tape.note_held(held);
                }
            });
        });
    }
}

/// Deletes the recordings of earlier documents.
fn forget() {
    let count = Ended::read().map_or(0, |ended| ended.count);
    (0..count).for_each(|number| session_storage::remove(&key(number)));
    session_storage::remove(ENDED);
    NUMBER.set(0);
}

/// Keeps what was recorded for the next document. This one may go on, and keep it again.
fn leave() {
    let Some(account) = ACCOUNT.with_borrow(Clone::clone) else { return };
    // As an export writes them: another way of writing would weigh 10 kB.
    let text = TAPE.with_borrow(|tape| {
        let recording = std::slice::from_ref(tape.as_ref()?.recording());
        json::write(&Renamed(recording, &str::to_owned))
    });
    let Some(text) = text else { return };
    let number = NUMBER.get();
    // Named before it is there: nothing is kept that would not be found and deleted.
    let ended = Ended { account, count: number + 1, is_full: false };
    if !(ended.write() && session_storage::try_set(&key(number), &text)) {
        session_storage::remove(&key(number));
        Ended { count: number, is_full: true, ..ended }.write();
    }
}

#[inline(never)]
pub(in crate::store) fn polled(now: Now) {
    let is_over =
        ACCOUNT.with_borrow(Option::is_some) && driver().read(|core| core.account().is_none());
    if is_over {
        // No recording outlives the session of its account.
        stop();
    }
    note(now, || Call::Poll);
}

/// Counting begins anew.
pub(in crate::store) fn reset(now: Now) {
    note(now, || Call::Reset);
}

fn note(now: Now, call: impl FnOnce() -> Call) {
    TAPE.with_borrow_mut(|tape| {
        if let Some(tape) = tape {
            tape.note(now, call);
        }
    });
}

/// How many documents are recorded, this one included.
pub(in crate::store) fn count() -> usize {
    NUMBER.get() + usize::from(TAPE.with_borrow(Option::is_some))
}

/// What the documents of this tab have recorded of an account, oldest first.
pub(in crate::store) fn session(account: &UserId) -> Vec<Recording> {
    if ACCOUNT.with_borrow(|of| of.as_ref() != Some(account)) {
        return Vec::new();
    }
    let ended = (0..NUMBER.get()).filter_map(|number| session_storage::get(&key(number)));
    let now = TAPE.with_borrow(|tape| tape.as_ref().map(|tape| tape.recording().clone()));
    let ended = ended.filter_map(|text| json::read::<Vec<Recording>>(&text));
    ended.flatten().chain(now).collect()
}
