//! Whose profile someone is about to open, so that it can be there before it is asked for.

use super::{
    super::{place::Place, profile_card::PROFILE_PICTURE},
    band::Band,
    shown::Shown,
};
use crate::{
    browser::{schedule::Timer, viewport},
    store::{PictureCache, react, use_picture_cache},
    ui::rendition_size_untracked,
};
use leptos::prelude::*;
use miniature_api::UserId;
use std::time::Duration;
use wasm_bindgen::JsCast as _;

/// How long someone has to stay on a row for it to mean something. A mouse that crosses a row on
/// its way is gone by then; from coming to rest to a click, people take at least twice as long.
const LINGER: Duration = Duration::from_millis(80);

/// How long nothing may have moved before pictures of the rows in view are loaded ahead.
const CALM: Duration = Duration::from_millis(600);

/// How many pictures are loaded ahead at a time.
const AHEAD: usize = 6;

/// What mouse, finger and keyboard say about where someone is in the list.
#[derive(Clone, Copy)]
pub(super) struct Intent {
    cache: StoredValue<Option<PictureCache>>,
    on: RwSignal<Option<UserId>>,
    expected: RwSignal<Option<UserId>>,
}

impl Intent {
    pub(super) fn new() -> Self {
        let (on, expected) = (RwSignal::new(None), RwSignal::new(None));
        let mut timer: Option<Timer> = None;
        react(move || {
            drop(timer.take());
            timer = on.get().and_then(|user: UserId| {
                Timer::set(LINGER, move || drop(expected.try_set(Some(user))))
            });
        });
        Self { cache: StoredValue::new(use_picture_cache()), on, expected }
    }

    /// Whose profile is likely to be opened next.
    pub(super) fn expected(self) -> Signal<Option<UserId>> {
        self.expected.into()
    }

    /// Nobody is in the list.
    pub(super) fn forget(self) {
        self.on.set(None);
        self.expected.set(None);
    }

    /// Someone moved on a row, touched it or tabbed to it.
    ///
    /// Not `pointerenter`: a list that appears under a mouse at rest is nobody's intent.
    pub(super) fn at(self, event: &web_sys::Event) {
        let user = user_of(event);
        if user.is_some() && *self.on.read_untracked() != user {
            self.on.set(user);
        }
    }

    /// Once somebody moves in the list, loads a few of the rows in view in each calm moment.
    /// Not for those who save data or have a slow line.
    pub(super) fn prefetch_in_view(self, shown: Memo<Shown>, band: Memo<Band>) {
        if viewport::spares_traffic() {
            return;
        }
        let mut timer: Option<Timer> = None;
        react(move || {
            drop(timer.take());
            timer = self.expected.read().as_ref().and_then(|_| {
                let shown = shown.read();
                let seen = band.read().in_view(shown.len()).filter_map(|at| shown.get(at));
                let users: Vec<UserId> = seen.map(|friend| friend.user_id.clone()).collect();
                Timer::set(CALM, move || self.prefetch_by_and_by(users))
            });
        });
    }

    /// A few at a time: what someone points at meanwhile need not wait behind them all.
    fn prefetch_by_and_by(self, mut users: Vec<UserId>) {
        let later = users.split_off(users.len().min(AHEAD));
        let size = rendition_size_untracked(PROFILE_PICTURE);
        // Nobody is waiting any more if the list is gone, or hidden.
        let is_waiting = self.expected.try_get_untracked().flatten().is_some();
        let cache = self.cache.try_get_value().flatten().filter(|_| is_waiting);
        if let Some(cache) = &cache {
            cache.prefetch(&users, size);
        }
        if cache.is_some() && !later.is_empty() {
            set_timeout(move || self.prefetch_by_and_by(later), CALM);
        }
    }
}

/// Whose row the event happened in.
pub(super) fn user_of(event: &web_sys::Event) -> Option<UserId> {
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    let row = target.closest("a[href]").ok()??;
    Place::at(&row.get_attribute("href")?).profile().cloned()
}
