//! The panel itself. It talks to the page by `window.cacheMonitor` alone, so it can be a program of its own.

mod advice;
mod button;
mod controls;
mod detach;
mod details;
mod dock;
mod filter;
mod layers;
mod loads;
mod minutes;
mod orders;
mod save;
mod storage;
mod summary;
mod trial;

use advice::advice_view;
use button::button;
use controls::Controls;
use dock::Dock;
use js_sys::Function;
use layers::layer_table;
use leptos::prelude::*;
use loads::Loads;
use minutes::minutes_view;
use orders::orders_view;
use std::time::Duration;
use storage::storage_view;
use summary::summary;
use trial::Trial;
use wasm_bindgen::{JsValue, prelude::Closure};

use crate::{
    browser::{
        json,
        monitor::{self, CacheMonitor},
        schedule,
    },
    cache::metrics::Metrics,
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
    let dock = RwSignal::new(Dock::remembered());
    let other_side = move || {
        dock.update(|dock| *dock = dock.other());
        dock.get_untracked().remember();
    };
    let detach = move || match detach::detach() {
        true => close.run(()),
        false => say("The browser opens no window."),
    };
    view! {
        <aside
            class="dashboard"
            data-testid="cache-dashboard"
            data-docked=move || dock.get().as_str()
            aria-label="Cache dashboard"
        >
            <header class="dashboard-head">
                <h2>"Cache"</h2>
                <div class="dashboard-actions">
                    {move || {
                        let label = format!("Dock {}", dock.get().other().as_str());
                        button(None, "dock", label, None, Box::new(other_side))
                    }}
                    {button(None, "detach", "Detach".to_owned(), Some("In a window of its own"), Box::new(detach))}
                </div>
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
            {move || monitor.get().map(parts)}
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

/// What is looked at.
#[derive(Clone, Copy)]
struct Shown {
    monitor: StoredValue<CacheMonitor, LocalStorage>,
    metrics: RwSignal<Option<Metrics>, LocalStorage>,
    /// Whether they are of an exported session, not of this page.
    is_imported: RwSignal<bool>,
}

impl Shown {
    fn look(self) {
        let Some(monitor) = self.monitor.try_get_value() else { return };
        let imported = monitor.imported();
        let is_imported = !imported.is_null();
        let told = if is_imported { imported } else { monitor.get_metrics() };
        let metrics = json::read_object(told).filter(Metrics::is_of_this_schema);
        let _ = self.metrics.try_set(metrics);
        if self.is_imported.try_get_untracked() == Some(!is_imported) {
            self.is_imported.set(is_imported);
        }
    }

    fn with(self, act: impl FnOnce(&CacheMonitor)) {
        let _ = self.monitor.try_with_value(act);
    }
}

/// Drawn part by part, each as a whole, a few times a second at most: a signal a number would weigh more than
/// all of the rest.
fn parts(monitor: CacheMonitor) -> impl IntoView {
    let shown = Shown {
        monitor: StoredValue::new_local(monitor.clone()),
        metrics: RwSignal::new_local(None),
        is_imported: RwSignal::new(false),
    };
    shown.look();
    let tell = Closure::<dyn Fn()>::new(move || shown.look());
    let tell: Function = tell.into_js_value().into();
    let leave = StoredValue::new_local(monitor.subscribe(&tell));
    on_cleanup(move || {
        let _ = leave.try_with_value(|leave| leave.call0(&JsValue::NULL));
    });
    ask_now_and_then(shown);
    let metrics = shown.metrics;
    let now = move || match &*metrics.read() {
        Some(metrics) => (summary(metrics), minutes_view(metrics), layer_table(metrics)).into_any(),
        None => OTHER_VERSION.into_any(),
    };
    let advice = move || {
        let advice = |metrics: &Metrics| (advice_view(metrics), orders_view(metrics));
        metrics.read().as_ref().map(advice)
    };
    let stored = move || metrics.read().as_ref().map(|metrics| storage_view(metrics, shown));
    view! {
        <section data-panel="now">{now}</section>
        <section data-panel="advice">
            {advice}
            {move || (!shown.is_imported.get()).then(|| view! { <Trial shown /> })}
        </section>
        <Loads shown />
        {stored}
        <Controls shown />
    }
}

/// Asks what may be stored when the panel is opened, and again after each hundred requests.
fn ask_now_and_then(shown: Shown) {
    let hundreds =
        Memo::new(move |_| shown.metrics.read().as_ref().map(|m| m.total_requests / 100));
    react(move || {
        if hundreds.get().is_some() && !shown.is_imported.get_untracked() {
            ask_for_storage(shown);
        }
    });
}

/// The metrics have it when the page knows.
fn ask_for_storage(shown: Shown) {
    let Some(monitor) = shown.monitor.try_get_value() else { return };
    schedule::spawn(async move {
        // Without an answer the part says that it is not known.
        let _ = monitor.storage().await;
    });
}

/// Where the panel says what came of something.
const SAID: &str = ".dashboard-said";

/// Says something in the panel.
fn say(text: &str) {
    write_into(SAID, text);
}

/// Writes into a place of the panel, if that is open. Not by a signal, which would weigh a kilobyte.
fn write_into(place: &str, text: &str) {
    if let Ok(Some(place)) = document().query_selector(place) {
        place.set_text_content(Some(text));
    }
}
