//! Loads the large picture when someone is about to open a profile.

use super::{
    super::{place::Place, profile_card::PROFILE_PICTURE},
    band::Band,
};
use crate::{
    browser::viewport,
    store::{PictureCache, use_picture_cache},
    ui::rendition_size,
};
use leptos::prelude::*;
use miniature_api::{Friend, UserId};
use std::time::Duration;
use wasm_bindgen::JsCast as _;

/// How long nothing may have moved before pictures of the rows in view are loaded ahead.
const CALM: Duration = Duration::from_millis(600);

/// How many pictures are loaded ahead at a time.
const AHEAD: usize = 6;

/// Who is being pointed at, by mouse, finger or keyboard.
#[derive(Clone, Copy)]
pub(super) struct Intent {
    cache: StoredValue<Option<PictureCache>>,
    pointed_at: RwSignal<Option<UserId>>,
}

impl Intent {
    pub(super) fn new() -> Self {
        Self { cache: StoredValue::new(use_picture_cache()), pointed_at: RwSignal::new(None) }
    }

    /// Someone moved onto a row, touched it or tabbed to it.
    ///
    /// Not `pointerenter`: a list that appears under a mouse at rest is nobody's intent.
    pub(super) fn at(self, event: &web_sys::Event) {
        let Some(user) = user_of(event) else { return };
        if self.pointed_at.read_untracked().as_ref() == Some(&user) {
            return;
        }
        self.prefetch(std::slice::from_ref(&user));
        self.pointed_at.set(Some(user));
    }

    /// Once somebody moves in the list, loads a few of the rows in view in each calm moment.
    /// Not for who saves data.
    pub(super) fn prefetch_in_view(self, friends: ArcRwSignal<Vec<Friend>>, band: Memo<Band>) {
        if viewport::save_data() {
            return;
        }
        Effect::new(move |timer: Option<Option<TimeoutHandle>>| {
            if let Some(timer) = timer.flatten() {
                timer.clear();
            }
            self.pointed_at.read().as_ref()?;
            let friends = friends.read();
            let seen = &friends[band.read().in_view(friends.len())];
            let users: Vec<UserId> = seen.iter().map(|friend| friend.user_id.clone()).collect();
            set_timeout_with_handle(move || self.prefetch_by_and_by(users), CALM).ok()
        });
    }

    /// A few at a time: what someone points at meanwhile need not wait behind them all.
    fn prefetch_by_and_by(self, mut users: Vec<UserId>) {
        let later = users.split_off(users.len().min(AHEAD));
        self.prefetch(&users);
        if !later.is_empty() {
            set_timeout(move || self.prefetch_by_and_by(later), CALM);
        }
    }

    fn prefetch(self, users: &[UserId]) {
        let size = rendition_size(PROFILE_PICTURE);
        // Nobody is waiting any more if the list is gone.
        self.cache.try_with_value(|cache| {
            if let Some(cache) = cache {
                cache.prefetch(users, size);
            }
        });
    }
}

/// Whose row the event happened in.
fn user_of(event: &web_sys::Event) -> Option<UserId> {
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    let row = target.closest("a[href]").ok()??;
    Place::at(&row.get_attribute("href")?).profile().cloned()
}
