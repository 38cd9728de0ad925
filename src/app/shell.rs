//! What is around every page of who is signed in.

use super::{
    banner::Banner,
    feed::feed_page,
    friends::{FriendsPage, provide_position},
    me::me_page,
    notice::{Notice, Trouble},
    place::{Page, use_place},
};
use crate::{
    browser::{later, schedule},
    store::{Session, provide_friend_list, provide_own_picture, provide_picture_cache, react},
    ui::{self, CacheDashboard},
};
use leptos::{either::EitherOf3, html, prelude::*};
use miniature_api::UserId;
use std::time::Duration;

/// A busy page brings the later half, too.
const BROUGHT_WITHIN: Duration = Duration::from_secs(5);

/// The app of one account, with the account's own cache.
#[component]
pub(super) fn SignedIn(session: Session, account: UserId) -> impl IntoView {
    provide_picture_cache(&account);
    provide_friend_list();
    provide_own_picture(&account);
    provide_position();
    let place = use_place();
    let page = Memo::new(move |_| place.read().page());
    let main = NodeRef::<html::Main>::new();
    focus_on_change(page, main);
    bring_the_rest();

    view! {
        <Header session page />
        <main class="page" tabindex="-1" node_ref=main>
            {move || match page.get() {
                Page::Friends => EitherOf3::A(view! { <FriendsPage /> }),
                Page::Feed => EitherOf3::B(comes_later(feed_page, &account)),
                Page::Me => EitherOf3::B(comes_later(me_page, &account)),
                Page::NotFound => EitherOf3::C(view! { <NotFound /> }),
            }}
        </main>
        <Banner />
        <CacheDashboard />
    }
}

#[component]
fn Header(session: Session, page: Memo<Page>) -> impl IntoView {
    let sign_out = move |_| session.sign_out();
    let current = move |of: Page| move || (page.get() == of).then_some("page");
    view! {
        <header class="shell-header">
            <div class="shell-bar">
                <a class="wordmark" href="/friends">"Miniature"</a>
                <nav class="shell-nav" aria-label="Pages">
                    <a href="/friends" aria-current=current(Page::Friends)>"Friends"</a>
                    <a href="/feed" aria-current=current(Page::Feed)>"Feed"</a>
                    <a href="/me" aria-current=current(Page::Me)>"Me"</a>
                </nav>
                <button type="button" class="sign-out" data-testid="sign-out" on:click=sign_out>
                    "Sign out"
                </button>
            </div>
        </header>
    }
}

/// A page that no first visit begins with.
fn comes_later(page: fn(UserId) -> AnyView, account: &UserId) -> impl IntoView + use<> {
    let account = account.clone();
    ui::later(move || page(account.clone()), Some("One moment…"), not_loaded)
}

fn not_loaded(retry: Callback<()>) -> AnyView {
    view! { <Trouble text="This page could not be loaded." retry /> }.into_any()
}

#[component]
fn NotFound() -> impl IntoView {
    view! {
        <h1>"Not found"</h1>
        <Notice text="There is no page at this address.">
            <a class="button" href="/friends">"See your friends"</a>
        </Notice>
    }
}

/// The later half of the program comes once the first frame is painted and there is nothing else to do.
fn bring_the_rest() {
    let bring = || {
        schedule::spawn(async {
            // What needs it asks again, and says so if it does not come.
            let _ = later::bring().await;
        });
    };
    schedule::once_painted(move || schedule::on_idle(bring, BROUGHT_WITHIN));
}

/// A page that replaced another one is where a reader of the screen goes on.
fn focus_on_change(page: Memo<Page>, main: NodeRef<html::Main>) {
    let mut before = None;
    react(move || {
        let page = page.get();
        if before.replace(page).is_some_and(|before| before != page)
            && let Some(main) = main.get_untracked()
        {
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            // An element that cannot take the focus leaves it where it was.
            let _ = main.focus_with_options(&options);
        }
    });
}
