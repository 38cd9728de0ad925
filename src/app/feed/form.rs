//! Where a post is written.

use crate::store::FeedList;
use leptos::{ev::SubmitEvent, html, prelude::*};
use miniature_api::POST_LIMIT;

/// From how many characters before the limit on what is left is said.
const NEAR_LIMIT: usize = 200;

#[component]
pub(super) fn PostForm(feed: FeedList) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let field = NodeRef::<html::Textarea>::new();
    let length = Memo::new(move |_| text.read().trim().chars().count());
    let fits = move || (1..=POST_LIMIT).contains(&length.get());
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if !(1..=POST_LIMIT).contains(&length.get_untracked()) {
            return;
        }
        feed.write(text.read_untracked().trim().to_owned());
        text.set(String::new());
        if let Some(field) = field.get_untracked() {
            field.set_value("");
        }
    };
    let is_too_long = move || length.get() > POST_LIMIT;
    let left = move || match length.get() {
        length if length + NEAR_LIMIT < POST_LIMIT => String::new(),
        length if length <= POST_LIMIT => format!("{} characters left", POST_LIMIT - length),
        length => format!("{} characters too many", length - POST_LIMIT),
    };
    view! {
        <form class="post-form" on:submit=send>
            <textarea
                node_ref=field
                class="field"
                data-testid="post-text"
                aria-label="What is new?"
                placeholder="What is new?"
                rows="3"
                on:input=move |event| text.set(event_target_value(&event))
            ></textarea>
            <p class="post-left" class:complaint=is_too_long role="status">{left}</p>
            <button type="submit" class="button" data-testid="post-submit" disabled=move || !fits()>
                "Post"
            </button>
        </form>
    }
}
