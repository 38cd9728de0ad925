//! A few quiet words where there is nothing else to show.

use leptos::prelude::*;

/// A few words in the place of content, and perhaps what to do about it.
#[component]
pub(super) fn Notice(
    /// What there is to say.
    text: &'static str,
    /// What to do about it.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="notice" role="status">
            <p>{text}</p>
            {children.map(|children| children())}
        </div>
    }
}

/// Says that something could not be had, and offers to ask again.
#[component]
pub(super) fn Trouble(
    /// What could not be had.
    text: &'static str,
    /// Asks again.
    retry: Callback<()>,
) -> impl IntoView {
    view! {
        <Notice text>
            <button type="button" class="button" on:click=move |_| retry.run(())>
                "Try again"
            </button>
        </Notice>
    }
}
