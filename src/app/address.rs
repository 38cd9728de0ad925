//! The address bar: where it is, and how it comes to be elsewhere.
//!
//! Links are plain `<a href>`. A click on one within this site changes the address here instead of
//! loading the page anew; Back and Forward are the browser's. A router that can do more weighs
//! 8 kB.

use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, History, HtmlAnchorElement, MouseEvent};

/// A link with this attribute leaves the page scrolled to where it is.
const STAY: &str = "data-noscroll";

/// A link has this property if the history's entry is to carry it.
const STATE: &str = "state";

/// Where the address bar is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    path: RwSignal<String>,
    /// Whether it came there by Back or Forward.
    returned: StoredValue<bool>,
    /// Whether the page is to be seen from its top once it stands.
    to_top: StoredValue<bool>,
}

/// Follows the address bar, for [`use_address`].
pub(super) fn provide_address() -> Address {
    let address = Address {
        path: RwSignal::new(current_path()),
        returned: StoredValue::new(came_back()),
        to_top: StoredValue::new(false),
    };
    let clicks = window_event_listener(ev::click, move |event| {
        if let Some(link) = link_of(&event) {
            event.prevent_default();
            address.follow(&link);
        }
    });
    let returns =
        window_event_listener(ev::popstate, move |_| address.arrive(current_path(), true));
    on_cleanup(move || {
        clicks.remove();
        returns.remove();
    });
    provide_context(address);
    address
}

/// Where the address bar is.
pub(super) fn use_address() -> Address {
    expect_context()
}

impl Address {
    /// The path. Tracks.
    pub(super) fn path(self) -> String {
        self.path.get()
    }

    /// Whether one came here by Back or Forward.
    pub(super) fn is_return(self) -> bool {
        self.returned.try_get_value() == Some(true)
    }

    /// Puts another path in the place of this one; the page stays scrolled to where it is.
    pub(super) fn replace(self, path: &str) {
        self.detour(path, None);
    }

    /// The same, on the way to `wanted`: the history's entry keeps it, over a reload, too.
    pub(super) fn detour(self, path: &str, wanted: Option<&str>) {
        let state = wanted.map_or(JsValue::NULL, JsValue::from);
        change(|history| history.replace_state_with_url(&state, "", Some(path)));
        self.arrive(path.to_owned(), false);
    }

    /// Where one was on the way to.
    pub(super) fn wanted(self) -> Option<String> {
        window().history().ok()?.state().ok()?.as_string()
    }

    /// The page of the path stands as it was left, and is not to be seen from its top.
    pub(super) fn stay(self) {
        let _ = self.to_top.try_set_value(false);
    }

    /// The page of the path stands.
    pub(super) fn settle(self) {
        if self.to_top.try_update_value(std::mem::take) == Some(true) {
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    }

    fn follow(self, link: &HtmlAnchorElement) {
        let path = link.pathname();
        let is_elsewhere = self.path.with_untracked(|current| *current != path);
        if is_elsewhere {
            let state = js_sys::Reflect::get(link, &STATE.into()).unwrap_or_default();
            change(|history| history.push_state_with_url(&state, "", Some(&path)));
        }
        let _ = self.to_top.try_set_value(!link.has_attribute(STAY));
        if is_elsewhere {
            self.arrive(path, false);
        } else {
            self.settle();
        }
    }

    fn arrive(self, path: String, returned: bool) {
        let _ = self.returned.try_set_value(returned);
        if self.path.try_with_untracked(|current| *current != path) == Some(true) {
            self.path.set(path);
        }
    }
}

/// Whether Back or Forward has loaded this document: after a reload, some browsers load the pages
/// before it anew.
fn came_back() -> bool {
    let performance = window().performance();
    performance.is_some_and(|performance| {
        performance.navigation().type_() == web_sys::PerformanceNavigation::TYPE_BACK_FORWARD
    })
}

fn current_path() -> String {
    window().location().pathname().unwrap_or_default()
}

fn change(act: impl FnOnce(&History) -> Result<(), JsValue>) {
    if let Ok(history) = window().history() {
        // Refused only to a page that changes its address hundreds of times a second.
        let _ = act(&history);
    }
}

/// The link within this site that a click is to follow here.
fn link_of(event: &MouseEvent) -> Option<HtmlAnchorElement> {
    let modified = event.meta_key() || event.alt_key() || event.ctrl_key() || event.shift_key();
    if event.default_prevented() || event.button() != 0 || modified {
        return None;
    }
    let target: Element = event.target()?.dyn_into().ok()?;
    let link: HtmlAnchorElement = target.closest("a[href]").ok()??.dyn_into().ok()?;
    let is_page = link.search().is_empty() && link.hash().is_empty();
    let is_ours = Some(link.origin()) == window().location().origin().ok();
    let is_plain = link.target().is_empty() && !link.has_attribute("download");
    (is_page && is_ours && is_plain).then_some(link)
}
