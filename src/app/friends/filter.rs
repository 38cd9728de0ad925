//! Looks for a friend by name: the browser's own search finds only the rows that are drawn.

use leptos::{attr::custom::custom_attribute, html, prelude::*};

#[component]
pub(super) fn Filter(wanted: RwSignal<String>) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    view! {
        <input
            node_ref=input
            type="search"
            class="field friend-filter"
            data-testid="friend-filter"
            placeholder="Find a friend"
            aria-label="Find a friend by name"
            autocomplete="off"
            {..custom_attribute("autocorrect", "off")}
            spellcheck="false"
            on:input=move |_| {
                if let Some(input) = input.get_untracked() {
                    wanted.set(input.value());
                }
            }
        />
    }
}
