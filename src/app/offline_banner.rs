//! Says that the server cannot be reached, over pages that go on showing what is stored.

use crate::store::{Connection, use_connection, use_picture_cache};
use leptos::prelude::*;

#[component]
pub(super) fn OfflineBanner() -> impl IntoView {
    let connection = use_connection();
    let cache = use_picture_cache();
    let retry = Callback::new(move |()| {
        if let Some(cache) = &cache {
            cache.retry();
        }
    });
    view! {
        // Always there, so that screen readers hear it fill.
        <div class="offline" role="status">
            {move || trouble(connection.get()).map(|text| view! { <Banner text retry /> })}
        </div>
    }
}

#[component]
fn Banner(text: &'static str, retry: Callback<()>) -> impl IntoView {
    view! {
        <div class="offline-banner" data-testid="offline-banner">
            <p>{text}</p>
            <button type="button" on:click=move |_| retry.run(())>"Try again"</button>
        </div>
    }
}

fn trouble(connection: Connection) -> Option<&'static str> {
    match connection {
        Connection::Reachable => None,
        Connection::Unreachable => {
            Some("The server can’t be reached. You see what is stored here.")
        }
        Connection::Outdated => Some("The server’s data is older than what this browser has seen."),
    }
}
