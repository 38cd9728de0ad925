//! The page of the account that is signed in: its picture, what is said of it, its name for signing in.

mod crop;
mod editor;
mod picture;
mod words;

use super::profile_card::ProfileCard;
use leptos::prelude::*;
use miniature_api::UserId;
use picture::MyPicture;
use words::MyWords;

/// The page, of a type that says nothing of what is in it: its code can come later.
#[inline(never)]
pub(super) fn me_page(account: UserId) -> AnyView {
    view! { <MePage account /> }.into_any()
}

#[component]
fn MePage(account: UserId) -> impl IntoView {
    let id = account.to_string();
    view! {
        <h1>"Me"</h1>
        <section class="me" aria-labelledby="my-name">
            <ProfileCard user=account.clone() heading="my-name" />
            <MyPicture account=account.clone() />
        </section>
        <section class="me-section" aria-labelledby="profile">
            <h2 id="profile">"Profile"</h2>
            <MyWords account />
        </section>
        <section class="account me-section" aria-labelledby="account">
            <h2 id="account">"Account"</h2>
            <dl>
                <div>
                    <dt>"User ID"</dt>
                    <dd>{id}</dd>
                </div>
            </dl>
        </section>
    }
}
