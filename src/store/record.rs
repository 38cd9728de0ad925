//! Notes what the core is told, in a tab in which a developer has asked for that: from the next document on,
//! before anything else happens. There all of the program comes before it starts (`scripts/later.js`); in any
//! other tab nothing of this is loaded.

use std::cell::RefCell;

use miniature_api::UserId;

use crate::{
    browser::session_storage,
    cache::{
        clock::Now,
        core::Event,
        entry::{Content, Found},
        key::Wanted,
        layer::LayerError,
        policy::Policy,
        replay::{Call, Recording, Tape, hollow, hollow_found},
    },
};

/// What a tab remembers that records.
const KEY: &str = "miniature:v1:record";
/// The most calls of one document: some ten thousand pictures.
const LENGTH: usize = 200_000;

thread_local! {
    static TAPE: RefCell<Option<Tape>> = const { RefCell::new(None) };
    /// Whose storages were the first to open: the recording is theirs.
    static ACCOUNT: RefCell<Option<UserId>> = const { RefCell::new(None) };
}

/// Whether this document records.
pub(super) fn is_asked_for() -> bool {
    session_storage::get(KEY).is_some()
}

/// Has the documents of this tab record from the next one on, or no more.
pub(super) fn ask_for(on: bool) {
    match on {
        true => session_storage::set(KEY, ""),
        false => session_storage::remove(KEY),
    }
}

#[inline(never)]
pub(super) fn begin(policy: Policy, seed: u64, visible: bool, now: Now) {
    TAPE.set(Some(Tape::new(policy, seed, visible, now, LENGTH)));
}

#[inline(never)]
pub(super) fn opened(wanted: &Wanted, found: Option<&Result<Found, LayerError>>, now: Now) {
    let hollow =
        |found: &Result<Found, LayerError>| found.as_ref().map(hollow_found).map_err(|e| *e);
    note(now, || Call::Open(wanted.clone(), found.map(hollow)));
}

#[inline(never)]
pub(super) fn told(event: &Event<Content>, now: Now) {
    if let Event::Session(Some(start)) = event {
        let is_theirs = ACCOUNT.with_borrow_mut(|account| {
            *account.get_or_insert_with(|| start.account.clone()) == start.account
        });
        if !is_theirs {
            // Nobody's recording tells of somebody else.
            TAPE.set(None);
        }
    }
    note(now, || Call::Event(Box::new(hollow(event))));
}

#[inline(never)]
pub(super) fn polled(now: Now) {
    note(now, || Call::Poll);
}

/// Counting begins anew.
pub(super) fn reset(now: Now) {
    note(now, || Call::Reset);
}

fn note(now: Now, call: impl FnOnce() -> Call) {
    TAPE.with_borrow_mut(|tape| {
        if let Some(tape) = tape {
            tape.note(now, call);
        }
    });
}

/// What was recorded so far, for whose it is; none in a document that does not record.
pub(super) fn with_recording<T>(
    account: Option<UserId>,
    act: impl FnOnce(&Recording) -> T,
) -> Option<T> {
    let is_theirs = account.is_some() && ACCOUNT.with_borrow(|of| *of == account);
    TAPE.with_borrow(|tape| tape.as_ref().filter(|_| is_theirs).map(|tape| act(tape.recording())))
}
