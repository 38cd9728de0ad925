//! A page of the app that may be hidden and shown again, with the pictures opened in it.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::prelude::*;

use super::{driver::driver, picture_store::use_picture_cache};
use crate::cache::core::{Event, ViewerId};

/// A page of the app. While it is hidden, its pictures stay in memory and nothing is asked for them.
/// Clones share it.
#[derive(Clone, Debug)]
pub struct PageScope(Rc<Scope>);

#[derive(Debug)]
struct Scope {
    shown: RwSignal<bool>,
    viewers: RefCell<Vec<ViewerId>>,
}

/// Begins a page, shown. From now on the picture cache in the context opens its pictures in it.
pub fn provide_page_scope() -> PageScope {
    let scope = Scope { shown: RwSignal::new(true), viewers: RefCell::default() };
    let page = PageScope(Rc::new(scope));
    if let Some(cache) = use_picture_cache() {
        provide_context(cache.of_page(page.clone()));
    }
    page
}

/// Whether the page in the context is shown. Outside of any page: always.
pub fn use_page_shown() -> RwSignal<bool> {
    let page = use_picture_cache().and_then(|cache| cache.page().cloned());
    page.map_or_else(|| RwSignal::new(true), |page| page.0.shown)
}

/// How long a hidden page is kept.
pub fn page_kept_for() -> Duration {
    driver().read(|core| core.policy().page_kept_for)
}

impl PageScope {
    /// Hides the page, or shows it again.
    pub fn set_shown(&self, shown: bool) {
        let viewers = self.0.viewers.borrow().clone();
        driver().handle(match shown {
            true => Event::ViewersShown(viewers),
            false => Event::ViewersHidden(viewers),
        });
        self.0.shown.set(shown);
    }

    /// A picture was opened in this page, hidden or not.
    pub(super) fn admit(&self, viewer: ViewerId) {
        self.0.viewers.borrow_mut().push(viewer);
        if self.0.shown.try_get_untracked() == Some(false) {
            driver().handle(Event::ViewersHidden(vec![viewer]));
        }
    }

    /// It was closed.
    pub(super) fn dismiss(&self, viewer: ViewerId) {
        self.0.viewers.borrow_mut().retain(|other| *other != viewer);
    }
}
