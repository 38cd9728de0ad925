//! The stream of events, the lock of the tab that reads it, and the channel to the others.

use std::cell::RefCell;

use futures_util::future::abortable;
use miniature_api::{Lineage, UserId};

use super::driver::{Driver, driver};
use crate::{
    browser::{
        channel::Channel,
        later::{self, NotLoaded},
        lock,
        origin::{Heard, overheard},
        schedule,
    },
    cache::{
        core::{Answer, EffectId, Event},
        layer::OriginError,
    },
};

/// Says that a visible tab waits for the lock.
const WAITS: &str = "waits";
/// Says that the line lives.
const ALIVE: &str = "alive";

/// The channel of the account that has begun.
#[derive(Debug, Default)]
pub(super) struct Lines(RefCell<Option<(String, Option<Channel>)>>);

impl Lines {
    /// Hears the other tabs of an account from now on, or of nobody.
    pub(super) fn follow(&self, account: Option<&UserId>) {
        let name = account.map(|account| format!("miniature:events:{account}"));
        if self.0.borrow().as_ref().map(|(name, _)| name) != name.as_ref() {
            let channel = name.map(|name| (name.clone(), Channel::open(&name, hear)));
            self.0.replace(channel);
        }
    }

    /// The name of the account's lock, and of its channel.
    fn name(&self) -> Option<String> {
        self.0.borrow().as_ref().map(|(name, _)| name.clone())
    }

    fn post(&self, text: &str) {
        if let Some((_, Some(channel))) = &*self.0.borrow() {
            channel.post(text);
        }
    }
}

fn hear(text: String) {
    match text.as_str() {
        WAITS => driver().handle(Event::LockAwaited),
        ALIVE => driver().handle(Event::Overheard(None)),
        event => {
            if let Some(event) = overheard(event) {
                driver().handle(Event::Overheard(Some(event)));
            }
        }
    }
}

/// Tells the core once the first frame was painted.
pub(super) fn listen_once_painted() {
    let painted = || driver().handle(Event::Painting { has_locks: lock::has_locks() });
    schedule::once_painted(painted);
}

impl Driver {
    /// Waits for the lock of the account and holds it.
    pub(super) fn lock(&self, id: EffectId, steal: bool) {
        let name = self.lines.name().unwrap_or_default();
        let granted = move || driver().handle(Event::Locked(id));
        let (held, abort) = abortable(async move { lock::hold(&name, steal, granted).await });
        self.begin_request(id, abort);
        schedule::spawn(async move {
            if let Ok(has_locks) = held.await {
                driver().end_request(id);
                driver().answer(id, Answer::Unlocked { has_locks });
            }
        });
    }

    /// Reads the stream, and passes on what it says.
    pub(super) fn listen(&self, id: EffectId, lineage: Option<Lineage>, last: Option<Box<str>>) {
        let hear = move |heard| match heard {
            Heard::Alive => {
                driver().progressed(id, 0);
                driver().lines.post(ALIVE);
            }
            Heard::Event(account, event, text) => {
                driver().lines.post(&text);
                driver().handle(Event::Streamed(id, account, *event));
            }
        };
        let stream = async move {
            match later::bring().await {
                Ok(()) => driver().api.listen(lineage, last.as_deref(), &hear).await,
                Err(NotLoaded) => OriginError::Unreachable.into(),
            }
        };
        let (ended, abort) = abortable(stream);
        self.begin_request(id, abort);
        schedule::spawn(async move {
            if let Ok(refusal) = ended.await {
                driver().end_request(id);
                driver().answer(id, Answer::Hushed(refusal));
            }
        });
    }

    /// Tells the other tabs that a visible one waits.
    pub(super) fn announce_wait(&self) {
        self.lines.post(WAITS);
    }
}
