//! What the cache does, for developers: a panel that listens and changes nothing by itself.
//!
//! The panel is a program of its own (`src/lab.rs`), which the button brings when it is first pressed. With
//! the feature `dashboard` it is a part of the page's program instead.
//!
//! **Invariant:** what it shows is what [`PictureCache::metrics`](crate::store::PictureCache::metrics)
//! counted; it adds up nothing of its own.

mod panel;

use leptos::{ev, html, prelude::*};
pub use panel::DashboardPanel;

use super::later;
use crate::{
    browser::{schedule, session_storage},
    store::use_picture_cache,
};

/// Whether the panel was open, for as long as the tab lives.
const OPEN_KEY: &str = "miniature:v1:dashboard";

/// A button in the corner that opens the cache's dashboard, as does Alt+Shift+C.
///
/// Closed at first; a reload keeps it as it was. Shows nothing outside of
/// [`provide_picture_cache`](crate::store::provide_picture_cache).
#[component]
pub fn CacheDashboard() -> impl IntoView {
    use_picture_cache().map(|_| view! { <Dashboard /> })
}

#[component]
fn Dashboard() -> impl IntoView {
    let open = RwSignal::new(false);
    if session_storage::get(OPEN_KEY).as_deref() == Some("true") {
        // The page comes first: bringing the panel would hold up its first frame.
        schedule::once_painted(move || {
            let _ = open.try_set(true);
        });
    }
    let button = NodeRef::<html::Button>::new();
    let toggle = move || {
        open.update(|open| *open = !*open);
        session_storage::set(OPEN_KEY, if open.get_untracked() { "true" } else { "false" });
    };
    on_shortcut(toggle);
    let close = move || {
        toggle();
        // What had the focus is gone with the panel; the button is there once that is.
        schedule::next_task(move || {
            let _ = button.try_get_untracked().flatten().map(|button| button.focus());
        });
    };

    view! {
        <button
            node_ref=button
            type="button"
            class="dashboard-toggle"
            data-testid="cache-dashboard-toggle"
            title="Cache dashboard (Alt+Shift+C)"
            aria-label="Cache dashboard"
            aria-expanded=move || open.get().to_string()
            on:click=move |_| toggle()
        >
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                <path d="M2 13.5h12M4 11V7.5M8 11V3M12 11V5.5" />
            </svg>
        </button>
        {move || open.get().then(|| {
            let close = Callback::new(move |()| close());
            later(move || draw(close), None, |_| not_loaded())
        })}
    }
}

#[cfg(feature = "dashboard")]
fn draw(close: Callback<()>) -> AnyView {
    view! { <DashboardPanel close /> }.into_any()
}

/// Nothing here: the other program puts the panel into the document. It comes with the later half, as does what
/// the panel talks to.
#[cfg(not(feature = "dashboard"))]
#[inline(never)]
fn draw(close: Callback<()>) -> AnyView {
    use crate::browser::lab;
    use js_sys::Function;
    use wasm_bindgen::{JsValue, prelude::Closure};

    let failed = RwSignal::new(false);
    let take_away = StoredValue::new_local(None::<Function>);
    schedule::spawn(async move {
        let close = Closure::<dyn Fn()>::new(move || close.run(())).into_js_value();
        match lab::open(&close.into()).await {
            Ok(opened) => {
                let is_closed = take_away.try_set_value(Some(opened.clone())).is_some();
                if is_closed {
                    let _ = opened.call0(&JsValue::NULL);
                }
            }
            Err(_) => drop(failed.try_set(true)),
        }
    });
    on_cleanup(move || {
        if let Some(take_away) = take_away.try_update_value(Option::take).flatten() {
            let _ = take_away.call0(&JsValue::NULL);
        }
    });
    (move || failed.get().then(not_loaded)).into_any()
}

/// In place of the panel. The button, which stays, closes it; when it is opened again the panel is asked for again.
fn not_loaded() -> AnyView {
    view! { <p class="dashboard-notice" role="alert">"The dashboard could not be loaded."</p> }
        .into_any()
}

fn on_shortcut(act: impl Fn() + 'static) {
    let listener = window_event_listener(ev::keydown, move |event| {
        // By place on the keyboard: with Alt held, the letter itself differs between systems.
        if event.alt_key() && event.shift_key() && event.code() == "KeyC" && !event.repeat() {
            event.prevent_default();
            act();
        }
    });
    on_cleanup(move || listener.remove());
}
