//! The stream of events, the lock of the tab that reads it, and the channel to the others.

use std::cell::RefCell;

use futures_util::future::abortable;
use miniature_api::{Lineage, UserId};

use super::{
    driver::{Driver, driver},
    sync,
};
use crate::{
    browser::{
        channel::Channel,
        lock,
        origin::{Heard, as_reset, overheard},
        schedule,
    },
    cache::core::{Answer, EffectId, Event},
};

/// Says that a visible tab waits for the lock.
const WAITS: &str = "waits";
/// Says that the line lives.
const ALIVE: &str = "alive";

/// The channel of the account that has begun.
#[derive(Debug)]
pub(super) struct Lines {
    channel: RefCell<Option<(String, Option<Channel>)>>,
    /// What came before all of the program was here; none from then on.
    unheard: RefCell<Option<Vec<String>>>,
}

/// How many of these are kept, as many as the server keeps events. With one more all of them become one reset.
const UNHEARD_AT_MOST: usize = 1_000;

impl Lines {
    pub(super) fn new(all_is_here: bool) -> Self {
        let unheard = (!all_is_here).then(Vec::new);
        Self { channel: RefCell::default(), unheard: RefCell::new(unheard) }
    }

    /// Hears the other tabs of an account from now on, or of nobody.
    pub(super) fn follow(&self, account: Option<&UserId>) {
        let name = account.map(|account| format!("miniature:events:{account}"));
        if self.channel.borrow().as_ref().map(|(name, _)| name) != name.as_ref() {
            self.unheard.borrow_mut().iter_mut().for_each(Vec::clear);
            let channel = name.map(|name| (name.clone(), Channel::open(&name, receive)));
            self.channel.replace(channel);
        }
    }

    /// All of the program is here.
    pub(super) fn hear_the_rest(&self) {
        let unheard = self.unheard.take();
        unheard.into_iter().flatten().for_each(hear);
    }

    /// The name of the account's lock, and of its channel.
    fn name(&self) -> Option<String> {
        self.channel.borrow().as_ref().map(|(name, _)| name.clone())
    }

    fn post(&self, text: &str) {
        if let Some((_, Some(channel))) = &*self.channel.borrow() {
            channel.post(text);
        }
    }
}

fn receive(text: String) {
    if let Some(unheard) = &mut *driver().lines.unheard.borrow_mut() {
        return keep(unheard, text);
    }
    hear(text);
}

fn keep(unheard: &mut Vec<String>, text: String) {
    if unheard.len() < UNHEARD_AT_MOST {
        unheard.push(text);
    } else if let Some(reset) = as_reset(&text) {
        *unheard = vec![reset];
    }
}

#[inline(never)]
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

impl Driver {
    /// Waits for the lock of the account and holds it.
    pub(super) fn lock(&self, id: EffectId, steal: bool) {
        let name = self.lines.name().unwrap_or_default();
        let granted = move || {
            driver().handle(Event::Locked(id));
            sync::look();
        };
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
        let stream = async move { driver().api.listen(lineage, last.as_deref(), &hear).await };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_heard_yet_becomes_a_reset_once_it_is_too_much() {
        let event = |number: usize| format!("lineage\n1-{number}\npicture\n{{}}");
        let mut unheard = Vec::new();
        (0..UNHEARD_AT_MOST).for_each(|number| keep(&mut unheard, event(number)));
        assert_eq!(unheard.len(), UNHEARD_AT_MOST);

        keep(&mut unheard, ALIVE.to_owned());
        assert_eq!(unheard.len(), UNHEARD_AT_MOST, "nothing was missed by that");

        keep(&mut unheard, event(7_777));
        assert_eq!(unheard, ["lineage\n1-7777\nreset\n"]);
    }
}
