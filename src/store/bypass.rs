//! The switch between this cache and plain `<img>`s, and how long the pictures in view take either way.

use std::cell::Cell;

use leptos::prelude::*;
use miniature_api::{Size, UserId};

use super::{
    driver::driver,
    picture_store::{PictureUrl, Shown, View},
};
use crate::{
    browser::{clock, in_view, picture_cache, schedule},
    cache::{
        core::Status,
        key::{RenditionKey, Source},
    },
};

/// Whether pictures are plain `<img>`s.
#[derive(Debug, Default)]
pub(super) struct Bypass {
    is_on: Cell<bool>,
    changed: ArcTrigger,
}

impl Bypass {
    /// Tracks.
    pub(super) fn is_on(&self) -> bool {
        self.changed.track();
        self.is_on.get()
    }

    pub(super) fn is_on_untracked(&self) -> bool {
        self.is_on.get()
    }

    pub(super) fn set(&self, on: bool) {
        if self.is_on.replace(on) != on {
            self.changed.notify();
        }
    }
}

/// The picture that the user is known to have, by its address: the browser loads and caches it as any other.
#[inline(never)]
pub(super) fn plain_view(user: &UserId, size: Size) -> View {
    let driver = driver();
    // Nobody tells of a picture that no viewer of the cache looks at; of the list somebody does.
    driver.signals.friends.track();
    let mut known = driver.read(|core| core.held_of(user, clock::now()));
    if known.revision.is_none() {
        let friends = driver.read(|core| core.friends().friends);
        if let Some(friend) = friends.iter().find(|friend| friend.user_id == *user) {
            known.revision = Some(friend.picture.revision);
            known.image_id = friend.picture.image_id;
        }
    }
    let shown = known.image_id.map(|image| Shown {
        url: PictureUrl::plain(picture_cache::address(RenditionKey { image, size })),
        source: Source::Network,
        size,
        image,
    });
    let status = if known.revision.is_some() { Status::Settled } else { Status::Loading };
    View { shown, status, error: None, revision: known.revision, tint: None }
}

/// How long the pictures in view take when they are shown anew: as plain `<img>`s that the browser may not have,
/// as plain ones that it has, and by this cache. None where some do not come.
pub(super) async fn compare() -> [Option<f64>; 3] {
    let bypass = &driver().signals.bypass;
    let was_on = bypass.is_on_untracked();
    bypass.set(false);
    schedule::frame().await;
    let mut took = [None; 3];
    for (nth, on) in [(0, true), (2, false), (1, true)] {
        let begin = clock::now().running;
        bypass.set(on);
        let end = in_view::painted(picture_cache::ADDRESSES, on).await;
        took[nth] = end.map(|()| (clock::now().running - begin).as_secs_f64() * 1e3);
    }
    bypass.set(was_on);
    took
}
