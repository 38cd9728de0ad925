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
        replay::{Call, Recording, Tape, hollow, hollow_found},
    },
    store::inventory::inventory,
};

/// Before the number of a document that has ended.
const ENDED: &str = "miniature:v1:recorded:";
/// The most calls of one document: some ten thousand pictures.
const LENGTH: usize = 200_000;

thread_local! {
    static TAPE: RefCell<Option<Tape>> = const { RefCell::new(None) };
    /// Whose storages were the first to open: the recording is theirs.
    static ACCOUNT: RefCell<Option<UserId>> = const { RefCell::new(None) };
    /// How many documents had ended when this one began.
    static NUMBER: Cell<usize> = const { Cell::new(0) };
    static LEAVING: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// What a document that has ended leaves.
#[derive(Serialize, Deserialize)]
struct Ended<R> {
    account: UserId,
    recording: R,
}

/// Has the documents of this tab record under this policy from the next one on, or no more.
pub(in crate::store) fn ask_for(policy: Option<&Policy>) {
    forget();
    match policy {
        Some(policy) => session_storage::set(KEY, &json::write(policy).unwrap_or_default()),
        None => session_storage::remove(KEY),
    }
}

/// The policy that was asked for.
#[inline(never)]
pub(in crate::store) fn policy() -> Policy {
    session_storage::get(KEY).and_then(|settings| json::read(&settings)).unwrap_or_default()
}

#[inline(never)]
pub(in crate::store) fn begin(policy: Policy, seed: u64, visible: bool, now: Now) {
    TAPE.set(Some(Tape::new(policy, seed, visible, now, LENGTH)));
    NUMBER.set((0..).take_while(|number| session_storage::get(&ended(*number)).is_some()).count());
    LEAVING.set(Listener::on_window("pagehide", |_| leave()));
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
        Event::Session(None) | Event::SignOut => end_account(),
        Event::Identity(identity) if identity.account.is_none() => end_account(),
        _ => {}
    }
    note(now, || Call::Event(Box::new(hollow(event))));
}

/// Nothing of an account outlives its session.
fn end_account() {
    forget();
    if ACCOUNT.with_borrow(Option::is_some) {
        TAPE.set(None);
    }
}

/// Nobody's recording tells of somebody else.
fn begin_account(account: &UserId) {
    let is_first = ACCOUNT.with_borrow_mut(|of| {
        let is_first = of.is_none();
        if of.get_or_insert_with(|| account.clone()) != account {
            TAPE.set(None);
        }
        is_first
    });
    if !is_first {
        return;
    }
    if NUMBER.get() > 0 && recorded(account).is_empty() {
        forget();
    }
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

/// The documents of before are no more.
fn forget() {
    let ended = (0..).map(ended).take_while(|key| session_storage::get(key).is_some());
    ended.collect::<Vec<_>>().iter().for_each(|key| session_storage::remove(key));
    NUMBER.set(0);
}

fn ended(number: usize) -> String {
    format!("{ENDED}{number}")
}

/// The document ends, or is put aside.
fn leave() {
    let Some(account) = ACCOUNT.with_borrow(Clone::clone) else { return };
    let text = TAPE.with_borrow(|tape| {
        let recording = tape.as_ref()?.recording();
        json::write(&Ended { account, recording })
    });
    if let Some(text) = text {
        keep(&text);
    }
}

/// What was recorded first goes where the browser gives no more room.
fn keep(text: &str) {
    while !session_storage::try_set(&ended(NUMBER.get()), text) && NUMBER.get() > 0 {
        for number in 1..NUMBER.get() {
            let next = session_storage::get(&ended(number)).unwrap_or_default();
            session_storage::set(&ended(number - 1), &next);
        }
        NUMBER.set(NUMBER.get() - 1);
        session_storage::remove(&ended(NUMBER.get()));
    }
}

#[inline(never)]
pub(in crate::store) fn polled(now: Now) {
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

/// What the documents of this tab have recorded of an account, oldest first: none in one that does not record.
pub(in crate::store) fn session(account: &UserId) -> Vec<Recording> {
    let is_theirs = ACCOUNT.with_borrow(|of| of.as_ref() == Some(account));
    let now = TAPE.with_borrow(|tape| tape.as_ref().map(|tape| tape.recording().clone()));
    match now.filter(|_| is_theirs) {
        Some(now) => recorded(account).into_iter().chain([now]).collect(),
        None => Vec::new(),
    }
}

/// Those of documents before this one.
fn recorded(account: &UserId) -> Vec<Recording> {
    let texts = (0..NUMBER.get()).filter_map(|number| session_storage::get(&ended(number)));
    let ended = texts.filter_map(|text| json::read::<Ended<Recording>>(&text));
    ended.filter(|ended| ended.account == *account).map(|ended| ended.recording).collect()
}
