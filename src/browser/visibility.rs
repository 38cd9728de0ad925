//! Whether the page is to be seen.

use web_sys::{Document, VisibilityState};

use super::listener::Listener;

/// Whether the page is to be seen; true where the browser does not say.
pub fn is_visible() -> bool {
    document().is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

/// Calls `callback` with whether the page is to be seen, at each change, until dropped.
pub fn on_change(callback: impl Fn(bool) + 'static) -> Option<Listener> {
    let document = document()?;
    Listener::on(&document, "visibilitychange", move |_| callback(is_visible()))
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}
