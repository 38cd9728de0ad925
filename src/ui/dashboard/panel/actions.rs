//! What a developer can do to the cache.

use crate::{
    browser::json,
    store::{PictureCache, Synced, sync_now},
};
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

/// Where the panel says what came of something.
const SAID: &str = ".dashboard-said";

#[component]
pub(super) fn Actions(cache: PictureCache) -> impl IntoView {
    let (cleared, counted) = (cache.clone(), cache.clone());
    let clear = move || cleared.clear();
    let sync = || {
        say("Asking …");
        sync_now(|synced| say(&sentence(synced)));
    };
    let stays = "Empty every layer; pictures on screen stay";
    view! {
        <div class="dashboard-actions">
            {action("clear", "Clear", stays, Box::new(clear))}
            {action("reset", "Reset", "Count from zero", Box::new(move || counted.reset_metrics()))}
            {action("sync", "Sync", "Ask again for what ends within a day", Box::new(sync))}
            {action("export", "Export", "Save the numbers as JSON", Box::new(move || export(&cache)))}
        </div>
    }
}

/// One function for all of them.
#[inline(never)]
fn action(
    name: &'static str,
    label: &'static str,
    title: &'static str,
    act: Box<dyn Fn()>,
) -> AnyView {
    view! {
        <button type="button" data-action=name title=title on:click=move |_| act()>
            {label}
        </button>
    }
    .into_any()
}

/// Says something in the panel, if that is open. Not by a signal, which would weigh a kilobyte.
fn say(text: &str) {
    if let Ok(Some(place)) = document().query_selector(SAID) {
        place.set_text_content(Some(text));
    }
}

/// What a sync came to.
fn sentence(synced: Option<Synced>) -> String {
    let Some(Synced { people, pictures }) = synced else { return String::new() };
    let people = counted(people, "person", "people");
    match pictures {
        Some(pictures) => {
            format!("{people} and {} renewed.", counted(pictures, "picture", "pictures"))
        }
        None => format!("{people} renewed; the server cannot be reached."),
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Lets the browser save the metrics as a file.
fn export(cache: &PictureCache) {
    let Some(json) = json::write(&cache.metrics()) else { return };
    let Ok(link) = document().create_element("a") else { return };
    let link: web_sys::HtmlAnchorElement = link.unchecked_into();
    // No `blob:` URL: there is no telling when the download would be done with it.
    let encoded = String::from(js_sys::encode_uri_component(&json));
    link.set_href(&format!("data:application/json;charset=utf-8,{encoded}"));
    link.set_download("miniature-cache.json");
    link.click();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_is_told_in_words() {
        let cases = [
            (None, ""),
            (Some((12, Some(30))), "12 people and 30 pictures renewed."),
            (Some((1, Some(1))), "1 person and 1 picture renewed."),
            (Some((0, Some(0))), "0 people and 0 pictures renewed."),
            (Some((50, None)), "50 people renewed; the server cannot be reached."),
        ];
        for (synced, expected) in cases {
            let synced = synced.map(|(people, pictures)| Synced { people, pictures });
            assert_eq!(sentence(synced), expected);
        }
    }
}
