//! An exported file, looked at in the place of the page's own figures.

use super::{actions::say, button::lone_button};
use crate::{
    browser::{json, schedule, text_file},
    cache::metrics::Metrics,
};
use leptos::prelude::*;
use web_sys::HtmlInputElement;

/// What is shown.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) metrics: RwSignal<Option<Metrics>, LocalStorage>,
    /// The name of the file that it is from; none for the page's own.
    pub(super) file: RwSignal<Option<String>>,
}

impl Shown {
    /// The page's own figures, unless a file is looked at.
    pub(super) fn follow(self, metrics: Option<Metrics>) {
        if self.file.try_get_untracked().is_some_and(|file| file.is_none()) {
            let _ = self.metrics.try_set(metrics);
        }
    }

    fn import(self, input: &HtmlInputElement) {
        let Some(file) = text_file::chosen(input) else { return };
        schedule::spawn(async move {
            let text = text_file::read(&file).await.unwrap_or_default();
            match json::read::<Metrics>(&text).filter(Metrics::is_of_this_schema) {
                Some(metrics) => {
                    let _ = self.file.try_set(Some(file.name()));
                    let _ = self.metrics.try_set(Some(metrics));
                }
                None => say(&format!("{} is not an export of this version.", file.name())),
            }
        });
    }
}

/// Chooses a file; or, while one is looked at, goes back to the page's own figures by `live`.
pub(super) fn import_view(shown: Shown, live: Callback<()>) -> impl IntoView {
    let choose = move || {
        view! {
            <label class="dashboard-more">
                "Look at an exported file"
                <input
                    type="file"
                    accept="application/json,.json"
                    class="visually-hidden"
                    data-action="import"
                    on:change=move |event| shown.import(&event_target(&event))
                />
            </label>
        }
    };
    let back = move |name: String| {
        view! {
            <span data-testid="imported">{format!("You see {name}. ")}</span>
            {lone_button("live", "Back to this page", move || {
                shown.file.set(None);
                live.run(());
            })}
        }
    };
    view! {
        <p class="dashboard-import">
            {move || match shown.file.get() {
                Some(name) => back(name).into_any(),
                None => choose().into_any(),
            }}
        </p>
    }
}
