//! What goes on around the page, told to the core.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::*;

use super::{
    driver::{Driver, driver},
    identity, sync,
};
use crate::{
    browser::{
        indexed_db::IndexedDbShelf,
        later,
        listener::Listener,
        local_storage::{ACCOUNT_KEY, PREFIX},
        online, page_cache, schedule, tabs, viewport, visibility,
    },
    cache::core::Event,
};

/// Listens for the life of the document.
pub(super) type Listeners = [Option<Listener>; 9];

/// Tells the core of the network, of other tabs, and of how the page comes and goes.
pub(super) fn listen() -> Listeners {
    let [online, offline] = online::on_change(|online| {
        driver().handle(Event::Online(online));
        if later::is_here() {
            sync::look();
        }
    });
    let visible = visibility::on_change(|visible| {
        if visible {
            driver().look_who_is_signed_in();
        }
        driver().handle(Event::Visible(visible));
    });
    let stored = tabs::on_storage(PREFIX, |change| {
        let driver = driver();
        // The keys of an account called account-7 begin alike. Without a key all is gone.
        if change.key.as_ref().is_none_or(|key| key == ACCOUNT_KEY) {
            driver.look_who_is_signed_in();
        }
        let change = driver.shelves.on_local(|shelf| Ok(shelf.changed(&change)));
        if let Ok(Some(change)) = change {
            driver.handle(Event::StorageChanged(change));
        }
    });
    let ratio = Rc::new(Cell::new(viewport::device_pixel_ratio()));
    let [zoomed, moved] = viewport::on_density(move || {
        let now = viewport::device_pixel_ratio();
        if ratio.replace(now).to_bits() != now.to_bits() {
            driver().signals.density.notify();
        }
    });
    let [shown, hidden, resumed] = page_cache::on_change(|shown| driver().comes_or_goes(shown));
    [online, offline, visible, stored, zoomed, moved, shown, hidden, resumed]
}

impl Driver {
    /// From now on cookies and storage say who is signed in.
    pub(super) fn follow_session(&self) {
        self.follows_session.set(true);
        self.look_who_is_signed_in();
    }

    fn look_who_is_signed_in(&self) {
        if self.follows_session.get() {
            self.handle(Event::Identity(identity::held()));
        }
    }

    /// The page goes into the browser's page cache, or comes back from it. Another account may have
    /// signed in meanwhile: nothing is seen before that is known.
    fn comes_or_goes(&self, comes: bool) {
        // Ours keep the page out of the cache.
        self.handle(Event::Frozen(!comes));
        if !self.follows_session.get() {
            return;
        }
        if comes {
            self.look_who_is_signed_in();
            schedule::next_task(|| page_cache::show(true));
        } else {
            page_cache::show(false);
            self.shelves.durable().iter().for_each(IndexedDbShelf::close);
        }
    }
}
