//! Who is signed in.

use super::profile_card::ProfileCard;
use leptos::prelude::*;
use miniature_api::UserId;

#[component]
pub(super) fn MePage(account: UserId) -> impl IntoView {
    let id = account.to_string();
    view! {
        <h1>"Me"</h1>
        <section class="me" aria-labelledby="my-name">
            <ProfileCard user=account heading="my-name" />
        </section>
        <section class="account" aria-labelledby="account">
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
