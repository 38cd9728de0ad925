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
