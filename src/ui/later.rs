//! What is shown of the half of the program that comes after the first frame.

use leptos::prelude::*;

use crate::browser::{later, schedule};

/// Where the later half is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Here,
    Coming,
    Failed,
}

/// Draws what the later half holds, as soon as that is here: within this call if it is already.
///
/// `view` is a call of one function of the later half, of a type that says nothing of what is in it.
/// Until then it says what there is to `wait` for; `failed` offers to ask again.
pub(crate) fn later(
    view: impl Fn() -> AnyView + Send + 'static,
    wait: Option<&'static str>,
    failed: impl Fn(Callback<()>) -> AnyView + Send + 'static,
) -> impl IntoView {
    draw(Box::new(view), wait, Box::new(failed))
}

/// One function for all of them.
fn draw(
    view: Box<dyn Fn() -> AnyView + Send>,
    wait: Option<&'static str>,
    failed: Box<dyn Fn(Callback<()>) -> AnyView + Send>,
) -> impl IntoView {
    let state = RwSignal::new(if later::is_here() { State::Here } else { State::Coming });
    let bring = move || {
        schedule::spawn(async move {
            let came = later::bring().await.is_ok();
            let _ = state.try_set(if came { State::Here } else { State::Failed });
        });
    };
    if !later::is_here() {
        bring();
    }
    let retry = Callback::new(move |()| {
        state.set(State::Coming);
        bring();
    });
    move || match state.get() {
        State::Here => Some(view()),
        State::Coming => wait.map(|text| view! { <p class="quiet">{text}</p> }.into_any()),
        State::Failed => Some(failed(retry)),
    }
}
