//! What a developer can do to the cache, and with its figures.

use super::{
    Shown,
    button::{button, lone_button},
    save::save,
    say, write_into,
};
use crate::{
    browser::{json, monitor::CacheMonitor, schedule, text_file},
    cache::{figure::Figure, key::Source, metrics::Metrics, trace::trace, trouble::Wish},
};
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::HtmlInputElement;

/// Where the times of a comparison stand.
const COMPARED: &str = ".dashboard-compared";

/// The part of the panel.
#[component]
pub(super) fn Controls(shown: Shown) -> impl IntoView {
    let with = move |act: fn(&CacheMonitor)| -> Box<dyn Fn()> { Box::new(move || shown.with(act)) };
    view! {
        <section data-panel="controls">
            <h3>"Controls"</h3>
            <div class="dashboard-buttons">
                {action("prefetch", "Prefetch", "Load the large pictures of all in the list", with(prefetch))}
                {action("sync", "Sync", "Ask again for what ends within a day", with(sync))}
                {action("clear", "Clear", "Empty every layer; pictures on screen stay", with(CacheMonitor::clear))}
                {action("reset", "Reset", "Count from zero", with(CacheMonitor::reset))}
            </div>
            <InvalidateForm shown />
            <h4>"With and without this cache"</h4>
            <Bypass shown />
            <h4>"Simulate trouble until the page is loaded again"</h4>
            <SimulateForm shown />
            <h4>"This session as a file"</h4>
            <div class="dashboard-buttons">
                {action("export", "Export", "Save the figures and what was recorded as JSON, without names", with(export))}
                {action(
                    "export-all",
                    "Export with names",
                    "The same with names",
                    with(export_all),
                )}
                {record_button(shown)}
                {action(
                    "export-trace",
                    "Export a trace",
                    "Save the loads, without names, for Perfetto or the browser's performance panel",
                    Box::new(move || export_trace(shown)),
                )}
                {import_view(shown)}
            </div>
        </section>
    }
}

fn action(name: &'static str, label: &str, title: &'static str, act: Box<dyn Fn()>) -> AnyView {
    button(Some("dashboard-more"), name, label.to_owned(), Some(title), act)
}

fn prefetch(monitor: &CacheMonitor) {
    say(&format!(
        "Loading the pictures of {} people, as far as they are not here.",
        monitor.prefetch()
    ));
}

fn sync(monitor: &CacheMonitor) {
    let monitor = monitor.clone();
    say("Asking …");
    schedule::spawn(async move {
        let said = monitor.sync().await.ok().and_then(|said| said.as_string());
        say(&said.unwrap_or_default());
    });
}

fn export(monitor: &CacheMonitor) {
    save("miniature-cache.json", &monitor.export(false));
}

fn export_all(monitor: &CacheMonitor) {
    save("miniature-session.json", &monitor.export(true));
}

/// From the first call of the core on, so in a new document.
fn record_button(shown: Shown) -> AnyView {
    let recorded = shown.monitor.try_with_value(CacheMonitor::recorded);
    let recorded = recorded.and_then(Result::ok).unwrap_or_default();
    let (label, title) = match recorded {
        0 => ("Record".to_owned(), "Load the page again, and record all that its cache is told"),
        _ => (
            format!("Stop recording ({recorded})"),
            "Forget what was recorded, of so many loads of the page",
        ),
    };
    let toggle = move || {
        shown.with(|monitor| monitor.record(recorded == 0));
        let _ = window().location().reload();
    };
    action("record", &label, title, Box::new(toggle))
}

fn export_trace(shown: Shown) {
    let metrics = shown.metrics.read_untracked();
    let nameless = metrics.clone().map(Metrics::pseudonymous);
    if let Some(text) = nameless.and_then(|metrics| json::write(&trace(&metrics))) {
        save("miniature-trace.json", &text);
    }
}

/// Asks the server about one user's picture.
#[component]
fn InvalidateForm(shown: Shown) -> impl IntoView {
    let field = NodeRef::<leptos::html::Input>::new();
    let invalidate = move || {
        let user = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let user = user.trim();
        shown.with(|monitor| match monitor.invalidate(user) {
            Ok(()) => say(&format!("The server is asked about {user}'s picture.")),
            Err(_) => say(&format!("“{user}” is not the id of a user.")),
        });
    };
    view! {
        <form
            class="dashboard-buttons"
            on:submit=move |event| {
                event.prevent_default();
                invalidate();
            }
        >
            <label class="dashboard-field">
                "User "
                <input type="text" node_ref=field autocapitalize="off" spellcheck="false" />
            </label>
            {action("invalidate", "Invalidate", "Ask the server about this user's picture", Box::new(invalidate))}
        </form>
    }
}

/// The switch to plain `<img>`s, and how long pictures take either way.
#[component]
fn Bypass(shown: Shown) -> impl IntoView {
    let is_on = shown.monitor.try_with_value(CacheMonitor::is_bypassed).unwrap_or_default();
    let on = RwSignal::new(is_on);
    let toggle = move |_| {
        shown.with(|monitor| on.set(monitor.bypass(!on.get_untracked())));
    };
    view! {
        <div class="dashboard-buttons">
            <button
                type="button"
                class="dashboard-more"
                data-action="bypass"
                aria-pressed=move || on.get().to_string()
                title="All pictures as plain images, which the browser loads by their addresses"
                on:click=toggle
            >
                "Bypass this cache"
            </button>
            {action("compare", "Compare", "Show the pictures in view anew, both ways", Box::new(move || compare(shown)))}
        </div>
        <p class="dashboard-compared" data-testid="compared"></p>
    }
}

fn compare(shown: Shown) {
    let Some(monitor) = shown.monitor.try_get_value() else { return };
    write_into(COMPARED, "Showing the pictures in view anew …");
    schedule::spawn(async move {
        let took = monitor.compare().await.ok().and_then(json::read_object::<Vec<Option<f64>>>);
        let took = took.and_then(|took| took.try_into().ok());
        write_into(COMPARED, &compared(took.unwrap_or_default()));
    });
}

/// In words.
fn compared([first, again, ours]: [Option<f64>; 3]) -> String {
    let time = |took: Option<f64>| {
        took.map_or("more than 10 s".to_owned(), |ms| Figure::Millis(ms).to_string())
    };
    format!(
        "All pictures in view, shown anew: as plain images {}, as plain images again {}, by this cache {}.",
        time(first),
        time(again),
        time(ours),
    )
}

/// Has a layer in trouble, or out of it.
#[component]
fn SimulateForm(shown: Shown) -> impl IntoView {
    let (layer, fault) =
        (NodeRef::<leptos::html::Select>::new(), NodeRef::<leptos::html::Select>::new());
    let ms = NodeRef::<leptos::html::Input>::new();
    let chosen = |field: NodeRef<leptos::html::Select>| {
        field.get_untracked().map(|field| field.value()).unwrap_or_default()
    };
    let simulate = move || {
        let layer = Source::ALL.into_iter().find(|source| source.as_str() == chosen(layer));
        let by = ms.get_untracked().map(|field| field.value_as_number()).filter(|ms| !ms.is_nan());
        let Some(layer) = layer else { return };
        let wish = Wish { layer, fault: chosen(fault).into(), ms: by };
        let wish = json::object(&wish).unwrap_or_default();
        shown.with(|monitor| match monitor.simulate(&wish) {
            Ok(()) => say(""),
            Err(why) => say(&message(&why)),
        });
    };
    let layers = Source::ALL.into_iter().skip(1).map(|source| {
        view! { <option value=source.as_str()>{source.label()}</option> }
    });
    let faults = ["off", "slow", "full", "corrupt", "none"].map(|fault| {
        view! { <option value=fault>{if fault == "none" { "as it is" } else { fault }}</option> }
    });
    view! {
        <form
            class="dashboard-buttons"
            on:submit=move |event| {
                event.prevent_default();
                simulate();
            }
        >
            <label class="dashboard-field">
                "Layer " <select node_ref=layer data-simulate="layer">{layers.collect_view()}</select>
            </label>
            <label class="dashboard-field">
                "is " <select node_ref=fault data-simulate="fault">{faults}</select>
            </label>
            <label class="dashboard-field">
                "by "
                <input
                    type="number"
                    node_ref=ms
                    data-simulate="ms"
                    value="500"
                    min="1"
                    max="60000"
                    step="any"
                    inputmode="numeric"
                />
                " ms"
            </label>
            {action("simulate", "Simulate", "Try it until the page is loaded again", Box::new(simulate))}
        </form>
    }
}

/// What a thrown error says.
fn message(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &"message".into());
    message.ok().and_then(|message| message.as_string()).unwrap_or_default()
}

/// Chooses a file; or, while one is looked at, goes back to the page's own figures.
fn import_view(shown: Shown) -> impl IntoView {
    let choose = move || {
        view! {
            <label class="dashboard-more">
                "Look at an exported file"
                <input
                    type="file"
                    accept="application/json,.json"
                    class="visually-hidden"
                    data-action="import"
                    on:change=move |event| import(shown, &event_target(&event))
                />
            </label>
        }
    };
    let back = move || {
        let back = move || shown.with(CacheMonitor::import_nothing);
        view! {
            <span data-testid="imported">"You see an exported session, not this page. "</span>
            {lone_button("live", "Back to this page", back)}
        }
    };
    move || if shown.is_imported.get() { back().into_any() } else { choose().into_any() }
}

fn import(shown: Shown, input: &HtmlInputElement) {
    let Some(file) = text_file::chosen(input) else { return };
    schedule::spawn(async move {
        let text = text_file::read(&file).await.unwrap_or_default();
        shown.with(|monitor| {
            if monitor.import(&text).is_err() {
                say(&format!("{} is not an export of this version.", file.name()));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_is_told_in_words() {
        assert_eq!(
            compared([Some(180.4), Some(34.0), Some(16.7)]),
            "All pictures in view, shown anew: as plain images 180 ms, as plain images again 34 ms, by this cache 17 ms."
        );
        assert!(compared([None; 3]).contains("as plain images more than 10 s,"));
    }
}
