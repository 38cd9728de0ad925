//! The pages of the app.
//!
//! A page is chosen by two closed sets: where the address bar is (`Place`), and whether someone
//! is signed in (`Gate`). Both are known within the call that mounts the app when this browser
//! knows the account, so that the first frame is the page and not a wait for it.
//!
//! **Invariant:** everything below the gate belongs to one account, and goes with it.

#![expect(unreachable_pub, reason = "`#[component]` makes the body of each component `pub`")]

mod address;
mod banner;
mod feed;
mod friends;
mod gate;
mod me;
mod notice;
mod pages;
mod place;
mod position;
mod profile_card;
mod profile_modal;
mod sentences;
mod shell;
mod sign_in;

use address::provide_address;
use gate::Gate;
use leptos::{either::EitherOf4, mount, prelude::*};
use notice::Trouble;
use place::{provide_place, use_place};
use shell::SignedIn;
use sign_in::sign_in;

use crate::{
    browser::first_screen,
    store::{Session, keep_worker, provide_session},
    ui::{later, once_finished},
};

/// Puts the app into the page. Where `boot.js` has drawn that already, once the app's own is complete.
pub fn start() {
    keep_worker();
    let Some(root) = first_screen::root() else { return mount::mount_to_body(App) };
    mount::mount_to(root.clone(), App).forget();
    once_finished(move || Some(root.clone().into()), first_screen::give_way);
}

/// The whole app.
#[component]
fn App() -> impl IntoView {
    let session = provide_session();
    provide_address();
    view! { <Entrance session /> }
}

/// Lets in who is signed in, and asks the others to.
#[component]
fn Entrance(session: Session) -> impl IntoView {
    provide_place();
    let gate = gate::use_gate(session);
    gate::redirect(gate, use_place());
    move || match gate.get() {
        Gate::Asking => EitherOf4::A(view! { <p class="quiet page">"One moment…"</p> }),
        Gate::Unreachable => EitherOf4::B(view! { <Unreachable session /> }),
        Gate::SignedOut(farewell) => {
            position::forget_position();
            let failed = |retry| {
                let text = "The page could not be loaded.";
                view! { <main class="page"><Trouble text retry /></main> }.into_any()
            };
            EitherOf4::C(later(move || sign_in(session, farewell), None, failed))
        }
        Gate::SignedIn(account, _) => EitherOf4::D(view! { <SignedIn session account /> }),
    }
}

/// Nobody is known here, and nobody can be asked.
#[component]
fn Unreachable(session: Session) -> impl IntoView {
    let retry = Callback::new(move |()| session.verify());
    view! {
        <main class="page">
            <h1>"Miniature"</h1>
            <Trouble text="The server can’t be reached." retry />
        </main>
    }
}
