//! The panel itself, which comes when it is first opened.

mod actions;
mod layers;
mod recent;
mod summary;

use actions::Actions;
use layers::layer_table;
use leptos::prelude::*;
use recent::recent_loads;
use summary::summary;

use crate::store::PictureCache;

/// The panel, of a type that says nothing of what is in it: its code can come later.
#[inline(never)]
pub(super) fn panel(cache: PictureCache, close: Callback<()>) -> AnyView {
    view! { <Panel cache close /> }.into_any()
}

#[component]
fn Panel(cache: PictureCache, close: Callback<()>) -> impl IntoView {
    let watched = cache.clone();
    // Drawn as a whole, a few times a second at most: a signal a number would weigh more than all
    // of the rest.
    let figures = move || {
        watched.track_metrics();
        let metrics = watched.metrics();
        (summary(&metrics), layer_table(&metrics), recent_loads(&metrics))
    };
    view! {
        <aside class="dashboard" data-testid="cache-dashboard" aria-label="Cache dashboard">
            <header class="dashboard-head">
                <h2>"Cache"</h2>
                <Actions cache />
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
            {figures}
        </aside>
    }
}
