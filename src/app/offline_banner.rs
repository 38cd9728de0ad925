//! Says that the server cannot be reached, over pages that go on showing what is stored.

use crate::store::{use_friend_list, use_picture_cache, use_reachability};
use leptos::prelude::*;

#[component]
pub(super) fn OfflineBanner() -> impl IntoView {
    let reachable = use_reachability();
    let (cache, list) = (use_picture_cache(), use_friend_list());
    let retry = Callback::new(move |()| {
        if let Some(cache) = &cache {
            cache.retry();
        }
        if let Some(list) = &list {
            list.retry();
        }
    });
    view! {
        // Always there, so that screen readers hear it fill.
        <div class="offline" role="status">
            {move || (!reachable.get()).then(|| view! { <Banner retry /> })}
        </div>
    }
}

#[component]
fn Banner(retry: Callback<()>) -> impl IntoView {
    view! {
        <div class="offline-banner" data-testid="offline-banner">
            <p>"The server can’t be reached. You see what is stored here."</p>
            <button type="button" on:click=move |_| retry.run(())>"Try again"</button>
        </div>
    }
}
