//! Name and headline, edited in their place.

use super::super::sentences::about_change;
use crate::{
    browser::schedule,
    store::{ChangeError, ProfileState, describe, use_profile},
};
use leptos::{ev::SubmitEvent, html, prelude::*};
use miniature_api::{ProfileChange, UserId};

#[component]
pub(super) fn MyWords(account: UserId) -> impl IntoView {
    let user = Signal::stored(account.clone());
    let profile = use_profile(user);
    let known = Memo::new(move |_| match profile.get() {
        ProfileState::Ready(profile) => Some((profile.name, profile.headline)),
        _ => None,
    });
    let (name, headline) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let busy = RwSignal::new(false);
    let outcome = RwSignal::new(None::<Result<(), ChangeError>>);
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let text = |input: NodeRef<html::Input>| input.get_untracked().map(|input| input.value());
        let change = ProfileChange { name: text(name), headline: text(headline) };
        let account = account.clone();
        busy.set(true);
        schedule::spawn(async move {
            let answer = describe(&account, &change).await;
            // The page may be another by now.
            let _ = busy.try_set(false);
            let _ = outcome.try_set(Some(answer));
        });
    };
    let said = move || match outcome.get() {
        Some(Ok(())) => "Saved.".to_owned(),
        Some(Err(error)) => about_change(&error),
        None => String::new(),
    };
    view! {
        <form class="my-words" on:submit=save>
            <Fields name headline known />
            <p
                class="complaint"
                class:settled=move || matches!(outcome.get(), Some(Ok(())))
                role="status"
            >
                {said}
            </p>
            <button
                type="submit"
                class="button"
                data-testid="profile-save"
                disabled=move || busy.get() || known.read().is_none()
            >
                "Save"
            </button>
        </form>
    }
}

#[component]
fn Fields(
    name: NodeRef<html::Input>,
    headline: NodeRef<html::Input>,
    known: Memo<Option<(String, String)>>,
) -> impl IntoView {
    view! {
        <label>
            "Name"
            <input
                node_ref=name
                class="field"
                data-testid="name-input"
                autocomplete="name"
                maxlength="80"
                required
                prop:value=move || known.get().map(|(name, _)| name).unwrap_or_default()
            />
        </label>
        <label>
            "Headline"
            <input
                node_ref=headline
                class="field"
                data-testid="headline-input"
                maxlength="160"
                prop:value=move || known.get().map(|(_, headline)| headline).unwrap_or_default()
            />
        </label>
    }
}
