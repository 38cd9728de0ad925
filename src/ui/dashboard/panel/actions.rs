//! What a developer can do to the cache.

use super::button::button;
use crate::browser::{monitor::CacheMonitor, schedule};
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

/// Where the panel says what came of something.
const SAID: &str = ".dashboard-said";

#[component]
pub(super) fn Actions(monitor: CacheMonitor) -> impl IntoView {
    let monitor = StoredValue::new_local(monitor);
    let with = move |act: fn(&CacheMonitor)| -> Box<dyn Fn()> {
        Box::new(move || monitor.with_value(act))
    };
    let stays = "Empty every layer; pictures on screen stay";
    view! {
        <div class="dashboard-actions">
            {action("clear", "Clear", stays, with(CacheMonitor::clear))}
            {action("reset", "Reset", "Count from zero", with(CacheMonitor::reset))}
            {action("sync", "Sync", "Ask again for what ends within a day", with(sync))}
            {action("export", "Export", "Save the numbers as JSON", with(export))}
        </div>
    }
}

fn sync(monitor: &CacheMonitor) {
    let monitor = monitor.clone();
    say("Asking …");
    schedule::spawn(async move {
        let said = monitor.sync().await.ok().and_then(|said| said.as_string());
        say(&said.unwrap_or_default());
    });
}

fn action(
    name: &'static str,
    label: &'static str,
    title: &'static str,
    act: Box<dyn Fn()>,
) -> AnyView {
    button(None, name, label.to_owned(), Some(title), act)
}

/// Says something in the panel, if that is open. Not by a signal, which would weigh a kilobyte.
pub(super) fn say(text: &str) {
    if let Ok(Some(place)) = document().query_selector(SAID) {
        place.set_text_content(Some(text));
    }
}

/// Lets the browser save the metrics as a file.
fn export(monitor: &CacheMonitor) {
    let Ok(link) = document().create_element("a") else { return };
    let link: web_sys::HtmlAnchorElement = link.unchecked_into();
    // No `blob:` URL: there is no telling when the download would be done with it.
    let encoded = String::from(js_sys::encode_uri_component(&monitor.export()));
    link.set_href(&format!("data:application/json;charset=utf-8,{encoded}"));
    link.set_download("miniature-cache.json");
    link.click();
}
