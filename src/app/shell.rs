//! What is around every page of who is signed in.

use super::{
    banner::Banner,
    feed::feed_page,
    friends::FriendsPage,
    me::me_page,
    notice::{Notice, Trouble},
    pages::Pages,
    place::{Page, use_place},
    position::provide_position,
};
use crate::{
    browser::{later, schedule},
    store::{Session, provide_friend_list, provide_own_picture, provide_picture_cache},
    ui::{self, CacheDashboard},
};
use leptos::{prelude::*, tachys::view::Mountable};
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
    bring_the_rest();

    view! {
        <Header session page />
        <Pages page account draw />
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

fn draw(page: Page, account: &UserId) -> Box<dyn Mountable> {
    match page {
        Page::Friends => Box::new(view! { <FriendsPage /> }.build()),
        Page::Feed => comes_later(feed_page, account.clone()),
        Page::Me => comes_later(me_page, account.clone()),
        Page::NotFound => Box::new(view! { <NotFound /> }.build()),
    }
}

/// A page that no first visit begins with.
fn comes_later(page: fn(UserId) -> AnyView, account: UserId) -> Box<dyn Mountable> {
    Box::new(ui::later(move || page(account.clone()), Some("One moment…"), not_loaded).build())
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
