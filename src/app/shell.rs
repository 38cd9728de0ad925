//! What is around every page of who is signed in.

use super::{
    friends::{FriendsPage, provide_position},
    me::MePage,
    notice::Notice,
    offline_banner::OfflineBanner,
    place::{Page, use_place},
};
use crate::{
    store::{Session, provide_friend_list, provide_picture_cache, react},
    ui::CacheDashboard,
};
use leptos::{either::EitherOf3, html, prelude::*};
use miniature_api::UserId;

/// The app of one account, with the account's own cache.
#[component]
pub(super) fn SignedIn(session: Session, account: UserId) -> impl IntoView {
    provide_picture_cache(&account);
    provide_friend_list();
    provide_position();
    let place = use_place();
    let page = Memo::new(move |_| place.read().page());
    let main = NodeRef::<html::Main>::new();
    focus_on_change(page, main);

    view! {
        <Header session page />
        <main class="page" tabindex="-1" node_ref=main>
            {move || match page.get() {
                Page::Friends => EitherOf3::A(view! { <FriendsPage /> }),
                Page::Me => EitherOf3::B(view! { <MePage account=account.clone() /> }),
                Page::NotFound => EitherOf3::C(view! { <NotFound /> }),
            }}
        </main>
        <OfflineBanner />
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
                    <a href="/me" aria-current=current(Page::Me)>"Me"</a>
                </nav>
                <button type="button" class="sign-out" data-testid="sign-out" on:click=sign_out>
                    "Sign out"
                </button>
            </div>
        </header>
    }
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
