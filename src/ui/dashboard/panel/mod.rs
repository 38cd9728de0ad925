//! The panel itself. It talks to the page by `window.cacheMonitor` alone, so it can be a program of its own.

mod actions;
mod advice;
mod button;
mod filter;
mod import;
mod layers;
mod loads;
mod storage;
mod summary;

use actions::Actions;
use advice::advice_view;
use import::{Shown, import_view};
use js_sys::Function;
use layers::layer_table;
use leptos::prelude::*;
use loads::Loads;
use std::time::Duration;
use storage::storage_view;
use summary::summary;
use wasm_bindgen::{JsValue, prelude::Closure};

use crate::{
    browser::{
        json,
        monitor::{self, CacheMonitor},
        schedule,
    },
    cache::{metrics::Metrics, storage::Storage},
    store::react,
};

/// In place of figures that are not of this panel's shape.
const OTHER_VERSION: &str = "The page is of another version than its dashboard: reload it.";
/// How often a page is asked that does not have all of its program yet.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// The dashboard's panel, of the page that it stands in.
#[component]
pub fn DashboardPanel(
    /// Called when its button is pressed; the caller takes it away.
    close: Callback<()>,
) -> impl IntoView {
    let monitor = use_monitor();
    view! {
        <aside class="dashboard" data-testid="cache-dashboard" aria-label="Cache dashboard">
            <header class="dashboard-head">
                <h2>"Cache"</h2>
                {move || monitor.get().map(|monitor| view! { <Actions monitor /> })}
                <button
                    type="button"
                    class="dashboard-close"
                    aria-label="Close the dashboard"
                    on:click=move |_| close.run(())
                >
                    "×"
                </button>
            </header>
            <p class="dashboard-said" role="status"></p>
            {move || monitor.get().map(figures)}
        </aside>
    }
}

/// What the page offers, as soon as it does.
fn use_monitor() -> RwSignal<Option<CacheMonitor>, LocalStorage> {
    let offered = RwSignal::new_local(monitor::of_the_page());
    if offered.read_untracked().is_none() {
        schedule::spawn(async move {
            // Not for longer than the panel stands.
            while offered.try_get_untracked().is_some_and(|offered| offered.is_none()) {
                schedule::sleep(ASKED_EVERY).await;
                let _ = offered.try_set(monitor::of_the_page());
            }
        });
    }
    offered
}

/// Drawn part by part, each as a whole, a few times a second at most: a signal a number would weigh more than
/// all of the rest.
fn figures(monitor: CacheMonitor) -> impl IntoView {
    let metrics = RwSignal::new_local(read(&monitor));
    let shown = Shown { metrics, file: RwSignal::new(None) };
    let storage = use_storage(&monitor, metrics);
    let watched = monitor.clone();
    let tell = Closure::<dyn Fn()>::new(move || shown.follow(read(&watched)));
    let tell: Function = tell.into_js_value().into();
    let leave = StoredValue::new_local(monitor.subscribe(&tell));
    on_cleanup(move || {
        let _ = leave.try_with_value(|leave| leave.call0(&JsValue::NULL));
    });
    let ask = Callback::new(move |()| storage.ask());
    let live = Callback::new(move |()| shown.follow(storage.monitor.with_value(read)));
    // What a file says of its storage is not known.
    let of_page = move || storage.known.get().filter(|_| shown.file.read().is_none());
    let now = move || match &*metrics.read() {
        Some(metrics) => {
            let advice = advice_view(metrics, of_page().as_ref());
            (summary(metrics), advice, layer_table(metrics)).into_any()
        }
        None => OTHER_VERSION.into_any(),
    };
    let stored = move || {
        let (metrics, storage) = (metrics.read(), of_page());
        let both = metrics.as_ref().zip(storage.as_ref());
        both.map(|(metrics, storage)| storage_view(storage, metrics, ask))
    };
    view! {
        {now}
        <Loads metrics />
        {stored}
        {import_view(shown, live)}
    }
}

/// What may be stored, as the page last said.
#[derive(Clone, Copy)]
struct KnownStorage {
    known: RwSignal<Option<Storage>, LocalStorage>,
    monitor: StoredValue<CacheMonitor, LocalStorage>,
}

/// Asks when the panel is opened, and again after each hundred requests.
fn use_storage(
    monitor: &CacheMonitor,
    metrics: RwSignal<Option<Metrics>, LocalStorage>,
) -> KnownStorage {
    let storage = KnownStorage {
        known: RwSignal::new_local(None),
        monitor: StoredValue::new_local(monitor.clone()),
    };
    let hundreds = Memo::new(move |_| metrics.read().as_ref().map(|m| m.total_requests / 100));
    react(move || {
        hundreds.track();
        storage.look(false);
    });
    storage
}

impl KnownStorage {
    /// Has the browser asked to keep the storage.
    fn ask(self) {
        self.look(true);
    }

    fn look(self, ask: bool) {
        let Some(monitor) = self.monitor.try_get_value() else { return };
        schedule::spawn(async move {
            if ask {
                // Whatever comes of it is looked at below.
                let _ = monitor.persist().await;
            }
            if let Ok(said) = monitor.get_storage().await {
                let _ = self.known.try_set(json::read_object(said));
            }
        });
    }
}

fn read(monitor: &CacheMonitor) -> Option<Metrics> {
    json::read_object(monitor.get_metrics()).filter(Metrics::is_of_this_schema)
}
