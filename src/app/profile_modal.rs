//! A friend's profile over the list: a dialog that is open when the address bar says so.

use super::{
    address::use_address,
    place::{Page, profile_path, use_place},
    profile_card::ProfileCard,
};
use crate::{browser::schedule, store::react};
use leptos::{html, prelude::*};
use miniature_api::UserId;
use wasm_bindgen::{JsCast as _, JsValue};

/// Marks the history's entries that were made by a click in the list: behind them is the list.
pub(super) const FROM_LIST: &str = "from-list";

/// The profile over the page, of a type that says nothing of what is in it: its code can come later.
#[inline(never)]
pub(super) fn profile_modal(expected: Signal<Option<UserId>>) -> AnyView {
    view! { <ProfileModal expected /> }.into_any()
}

/// The profile that the address bar names, over the page.
///
/// The one that is likely to be named next is drawn already, unseen: it opens in one frame.
#[component]
fn ProfileModal(
    /// Whose profile is likely to be opened next.
    expected: Signal<Option<UserId>>,
) -> impl IntoView {
    let place = use_place();
    let profile = Memo::new(move |_| place.read().profile().cloned());
    let drawn = Memo::new(move |_| profile.get().or_else(|| expected.get()));
    let dialog = NodeRef::<html::Dialog>::new();
    let close = move || with_dialog(dialog, web_sys::HtmlDialogElement::close);
    let leave = leave();
    follow(profile, dialog);
    // Where the press began of which a click is the end: a selection of text may end outside.
    let pressed_outside = StoredValue::new(false);
    let is_outside = |event: &web_sys::Event| event.target() == event.current_target();

    view! {
        <dialog
            class="profile-modal"
            data-testid="profile-modal"
            aria-labelledby="profile-name"
            tabindex="-1"
            node_ref=dialog
            on:pointerdown=move |event| pressed_outside.set_value(is_outside(&event))
            on:click=move |event| {
                // The second click of a double click is of the row that opened this.
                let is_first = event.detail() <= 1;
                if is_first && is_outside(&event) && pressed_outside.get_value() {
                    close();
                }
            }
            on:close=move |_| {
                if profile.read_untracked().is_some() {
                    leave();
                }
            }
        >
            <div class="profile-sheet">
                <button
                    type="button"
                    class="modal-close"
                    aria-label="Close"
                    on:click=move |_| close()
                >
                    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                        <path d="M3.5 3.5l9 9M12.5 3.5l-9 9" />
                    </svg>
                </button>
                {move || {
                    drawn.get().map(|user| view! { <ProfileCard user heading="profile-name" /> })
                }}
            </div>
        </dialog>
    }
}

/// Opens and closes the dialog as the address bar says.
fn follow(profile: Memo<Option<UserId>>, dialog: NodeRef<html::Dialog>) {
    let mut before = None;
    let place = use_place();
    react(move || {
        let Some(dialog) = dialog.get() else { return };
        let now = profile.get();
        if now.is_some() {
            show(dialog.clone(), profile);
        }
        if now.is_none() {
            dialog.close();
            if let Some(user) = &before
                && place.read_untracked().page() == Page::Friends
            {
                focus_row(user);
            }
        }
        before = now;
    });
}

/// Shows the dialog, once it is in the document: there is another page in its place until it is complete.
fn show(dialog: web_sys::HtmlDialogElement, profile: Memo<Option<UserId>>) {
    let is_wanted = profile.try_get_untracked().flatten().is_some();
    if is_wanted && !dialog.is_connected() {
        return schedule::next_frame(move || show(dialog, profile));
    }
    if is_wanted && !dialog.open() {
        let _ = dialog.show_modal();
        // Not its first button, which would be lit up before anyone pressed a key.
        let _ = dialog.focus();
    }
}

/// Back to the list: by the way one came, if it was from there.
fn leave() -> impl Fn() + Clone {
    let address = use_address();
    move || {
        let came_from_list = |history: &web_sys::History| {
            history.state().is_ok_and(|state| state == JsValue::from_str(FROM_LIST))
        };
        match window().history() {
            Ok(history) if came_from_list(&history) => {
                let _ = history.back();
            }
            Ok(_) | Err(_) => address.replace("/friends"),
        }
    }
}

/// The focus goes on where it was: browsers differ in whether a clicked link had it.
fn focus_row(user: &UserId) {
    let row = document().query_selector(&format!("a[href='{}']", profile_path(user)));
    if let Ok(Some(row)) = row {
        // A row that cannot take the focus leaves it where it was.
        let _ = row.unchecked_into::<web_sys::HtmlElement>().focus();
    }
}

fn with_dialog(dialog: NodeRef<html::Dialog>, act: fn(&web_sys::HtmlDialogElement)) {
    if let Some(dialog) = dialog.get_untracked() {
        act(&dialog);
    }
}
