//! What a developer can do to the cache, and with its figures.

use super::{
    Shown,
    button::{button, lone_button},
    save::save,
    say,
};
use crate::{
    browser::{json, monitor::CacheMonitor, schedule, text_file},
    cache::trace::trace,
};
use leptos::prelude::*;
use web_sys::HtmlInputElement;

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
            <h4>"This session as a file"</h4>
            <div class="dashboard-buttons">
                {action("export", "Export", "Save the figures as JSON, without names", with(export))}
                {action(
                    "export-trace",
                    "Export a trace",
                    "Save the loads for Perfetto, or the browser's performance panel",
                    Box::new(move || export_trace(shown)),
                )}
                {import_view(shown)}
            </div>
        </section>
    }
}

fn action(
    name: &'static str,
    label: &'static str,
    title: &'static str,
    act: Box<dyn Fn()>,
) -> AnyView {
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
    save("miniature-cache.json", &monitor.export());
}

fn export_trace(shown: Shown) {
    let metrics = shown.metrics.read_untracked();
    if let Some(text) = metrics.as_ref().and_then(|metrics| json::write(&trace(metrics))) {
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
