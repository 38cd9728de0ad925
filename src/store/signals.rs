//! The signals of those who look on: one a user on screen, and one for each thing there is one of.

use std::cell::{Cell, RefCell};

use leptos::prelude::*;
use miniature_api::UserId;

use super::bypass::Bypass;
use crate::cache::core::Topic;

/// The signals in use.
#[derive(Debug, Default)]
pub(super) struct Signals {
    pub(super) pictures: Watched,
    pub(super) profiles: Watched,
    pub(super) friends: ArcTrigger,
    pub(super) feed: ArcTrigger,
    pub(super) session: ArcTrigger,
    pub(super) connection: ArcTrigger,
    /// Whether a new version of the app is at hand.
    pub(super) update: ArcRwSignal<bool>,
    /// How dense the screen is.
    pub(super) density: ArcTrigger,
    pub(super) bypass: Bypass,
}

impl Signals {
    /// Tells those who look at it. They may begin and stop looking within the call.
    pub(super) fn changed(&self, topic: &Topic) {
        match topic {
            Topic::Picture(user) => self.pictures.changed(user),
            Topic::Profile(user) => self.profiles.changed(user),
            Topic::Friends => self.friends.notify(),
            Topic::Feed => self.feed.notify(),
            Topic::Session => self.session.notify(),
            Topic::Connection => self.connection.notify(),
        }
    }
}

/// One signal a user who is looked at, and how many look; by user.
///
/// A sorted list: a tree of its own would weigh as much as all of the rest here.
#[derive(Debug, Default)]
pub(super) struct Watched {
    all: RefCell<Vec<(UserId, ArcTrigger, usize)>>,
    /// At how many nobody looks any more.
    unwatched: Cell<usize>,
}

impl Watched {
    /// The signal of a user; [`Self::unwatch`] once for each call.
    pub(super) fn watch(&self, user: &UserId) -> ArcTrigger {
        let found = self.find(user);
        let mut watched = self.all.borrow_mut();
        if let Some((_, signal, watchers)) = found.ok().and_then(|at| watched.get_mut(at)) {
            if *watchers == 0 {
                self.unwatched.set(self.unwatched.get().saturating_sub(1));
            }
            *watchers += 1;
            return signal.clone();
        }
        let signal = ArcTrigger::new();
        let at = found.unwrap_or_else(|at| at);
        watched.insert(at, (user.clone(), signal.clone(), 1));
        signal
    }

    pub(super) fn unwatch(&self, user: &UserId) {
        let Ok(at) = self.find(user) else { return };
        let mut watched = self.all.borrow_mut();
        let Some((.., watchers)) = watched.get_mut(at) else { return };
        *watchers = watchers.saturating_sub(1);
        if *watchers == 0 {
            self.unwatched.set(self.unwatched.get() + 1);
        }
        // All at once: a page that is left unwatches thousands.
        if self.unwatched.get() * 2 > watched.len() {
            watched.retain(|(.., watchers)| *watchers > 0);
            self.unwatched.set(0);
        }
    }

    fn changed(&self, user: &UserId) {
        let Ok(at) = self.find(user) else { return };
        let signal = self.all.borrow().get(at).map(|(_, signal, _)| signal.clone());
        if let Some(signal) = signal {
            signal.notify();
        }
    }

    /// Where the user stands, or would.
    fn find(&self, user: &UserId) -> Result<usize, usize> {
        self.all.borrow().binary_search_by(|(other, ..)| other.cmp(user))
    }
}
