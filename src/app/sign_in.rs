//! The page that asks who is there.

use crate::{
    browser::schedule,
    cache::layer::OriginError,
    store::{Farewell, Session, SignInError},
};
use leptos::{attr::custom::custom_attribute, ev::SubmitEvent, html, prelude::*};
use miniature_api::Credentials;

/// The page, of a type that says nothing of what is in it: its code can come later.
#[inline(never)]
pub(super) fn sign_in(session: Session, farewell: Option<Farewell>) -> AnyView {
    view! { <SignIn session farewell /> }.into_any()
}

#[component]
fn SignIn(
    session: Session,
    /// Why who was signed in is not any more.
    farewell: Option<Farewell>,
) -> impl IntoView {
    let attempt = use_attempt(session);
    let demo = RwSignal::new(false);
    schedule::spawn(async move {
        let has_demo = session.has_demo().await;
        let _ = demo.try_set(has_demo);
    });
    view! {
        <main class="sign-in">
            <h1 class="wordmark">"Miniature"</h1>
            <p class="tagline">"Profile pictures that are already there."</p>
            {farewell.map(|farewell| view! { <p class="farewell" role="status">{goodbye(farewell)}</p> })}
            <SignInForm attempt />
            {move || demo.get().then(|| view! { <Demo attempt /> })}
        </main>
    }
}

#[component]
fn Demo(attempt: Attempt) -> impl IntoView {
    view! {
        <p class="demo">
            <button
                type="button"
                class="quiet-button"
                data-testid="demo-sign-in"
                disabled=move || attempt.busy.get()
                on:click=move |_| attempt.make.run(demo_account())
            >
                "Look around as Ada"
            </button>
        </p>
    }
}

#[component]
fn SignInForm(attempt: Attempt) -> impl IntoView {
    let username = NodeRef::<html::Input>::new();
    let password = NodeRef::<html::Input>::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        attempt.make.run(Credentials {
            username: text(username).trim().to_owned(),
            password: text(password),
        });
    };
    view! {
        <form class="sign-in-form" on:submit=submit>
            <label>
                "Username"
                <input
                    class="field"
                    node_ref=username
                    name="username"
                    autocomplete="username"
                    autocapitalize="none"
                    {..custom_attribute("autocorrect", "off")}
                    spellcheck="false"
                    required
                />
            </label>
            <label>
                "Password"
                <input
                    class="field"
                    node_ref=password
                    name="password"
                    type="password"
                    autocomplete="current-password"
                    required
                />
            </label>
            <p class="sign-in-error" role="alert">
                {move || attempt.error.with(|error| error.as_ref().map(complaint))}
            </p>
            <button type="submit" class="button" disabled=move || attempt.busy.get()>
                "Sign in"
            </button>
        </form>
    }
}

/// A try to sign in, one at a time.
#[derive(Clone, Copy)]
struct Attempt {
    make: Callback<Credentials>,
    busy: RwSignal<bool>,
    error: RwSignal<Option<SignInError>>,
}

fn use_attempt(session: Session) -> Attempt {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None);
    let make = Callback::new(move |credentials| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        schedule::spawn(async move {
            let refused = session.sign_in(&credentials).await.err();
            // Signed in, this page is gone, and its signals with it.
            busy.try_set(false);
            error.try_set(refused);
        });
    });
    Attempt { make, busy, error }
}

fn demo_account() -> Credentials {
    Credentials { username: "ada".into(), password: "miniature".into() }
}

fn text(input: NodeRef<html::Input>) -> String {
    input.get_untracked().map(|input| input.value()).unwrap_or_default()
}

fn goodbye(farewell: Farewell) -> &'static str {
    match farewell {
        Farewell::Expired => "Your session has ended. Sign in to go on.",
        Farewell::Elsewhere => "You signed out in another tab.",
    }
}

fn complaint(error: &SignInError) -> String {
    match error {
        SignInError::WrongPassword => "This username and password don’t match.".into(),
        SignInError::TooMany { retry_after: Some(wait) } => {
            format!("Too many tries. Wait {} seconds, then try again.", wait.as_secs().max(1))
        }
        SignInError::TooMany { retry_after: None } => {
            "Too many tries. Wait a little, then try again.".into()
        }
        SignInError::NoCookie => {
            "Your browser keeps no cookies of this site, so that it cannot stay signed in. Allow \
             them, then sign in again."
                .into()
        }
        SignInError::Refused(problem) => {
            problem.detail.clone().unwrap_or_else(|| problem.title.clone())
        }
        SignInError::Origin(OriginError::Unreachable) => {
            "The server can’t be reached. Try again in a moment.".into()
        }
        SignInError::Origin(
            OriginError::SignedOut
            | OriginError::Status(_)
            | OriginError::Outdated
            | OriginError::Malformed,
        ) => "The server has a problem. Try again in a moment.".into(),
    }
}
