//! What was written here and not taken yet.

use crate::{
    app::sentences::about_change,
    store::{Draft, FeedList, ProfileState, use_profile},
    ui::CachedProfilePicture,
};
use leptos::prelude::*;
use miniature_api::UserId;

#[component]
pub(super) fn DraftCard(
    feed: StoredValue<FeedList>,
    account: UserId,
    draft: Draft,
) -> impl IntoView {
    let Draft { id, text, failure } = draft;
    let user = Signal::stored(account);
    let profile = use_profile(user);
    let name = Signal::derive(move || match profile.get() {
        ProfileState::Ready(profile) => profile.name,
        _ => String::new(),
    });
    let state = if failure.is_some() { "failed" } else { "pending" };
    view! {
        <li class="post post-draft" data-testid="post" data-state=state>
            <CachedProfilePicture user name labelled=false />
            <div class="post-body">
                <p class="post-text" dir="auto">{text}</p>
                {match failure {
                    None => leptos::either::Either::Left(view! { <p class="quiet" role="status">"Sending…"</p> }),
                    Some(error) => leptos::either::Either::Right(view! { <Failed feed id error=about_change(&error) /> }),
                }}
            </div>
        </li>
    }
}

#[component]
fn Failed(feed: StoredValue<FeedList>, id: miniature_api::PostId, error: String) -> impl IntoView {
    let (again, given_up) = (id.clone(), id);
    view! {
        <p class="complaint" role="alert">{error}</p>
        <p class="post-buttons">
            <button type="button" class="plain-button" on:click=move |_| feed.with_value(|feed| feed.send_again(&again))>
                "Send again"
            </button>
            <button type="button" class="plain-button" on:click=move |_| feed.with_value(|feed| feed.discard(&given_up))>
                "Discard"
            </button>
        </p>
    }
}
