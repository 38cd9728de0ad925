//! What is said over every page: that the server cannot be reached, or that there is a new version.

use crate::store::{Connection, update, use_connection, use_picture_cache, use_update};
use leptos::{either::EitherOf3, prelude::*};

#[component]
pub(super) fn Banner() -> impl IntoView {
    let (connection, has_update) = (use_connection(), use_update());
    let cache = use_picture_cache();
    let retry = Callback::new(move |()| {
        if let Some(cache) = &cache {
            cache.retry();
        }
    });
    view! {
        // Always there, so that screen readers hear it fill.
        <div class="banners" role="status">
            {move || match trouble(connection.get()) {
                Some(text) => EitherOf3::A(view! { <Offline text retry /> }),
                None if has_update.get() => EitherOf3::B(view! { <Update /> }),
                None => EitherOf3::C(()),
            }}
        </div>
    }
}

#[component]
fn Update() -> impl IntoView {
    view! {
        <div class="banner" data-testid="update-banner">
            <p>"There is a new version of Miniature."</p>
            <button type="button" data-testid="update-reload" on:click=|_| update()>"Reload"</button>
        </div>
    }
}

#[component]
fn Offline(text: &'static str, retry: Callback<()>) -> impl IntoView {
    view! {
        <div class="banner" data-testid="offline-banner">
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
