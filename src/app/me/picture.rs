//! One's own picture: chosen, dropped or pasted, cut, sent; removed, and brought back.

use super::{
    super::sentences::{about_change, about_file},
    editor::Editor,
};
use crate::{
    app::profile_card::PROFILE_PICTURE,
    browser::{picture_file, schedule},
    store::{OwnPicture, OwnState, use_own_picture},
    ui::use_profile_picture,
};
use leptos::{
    either::{Either, EitherOf4},
    ev, html,
    prelude::*,
};
use miniature_api::UserId;
use wasm_bindgen::JsCast;
use web_sys::{Blob, FileList, ImageBitmap};

/// What can be chosen. A browser may know others as well.
const ACCEPTED: &str = "image/jpeg,image/png,image/gif,image/webp,image/heic,image/heif";

type Own = StoredValue<OwnPicture, LocalStorage>;
type Chosen = StoredValue<ImageBitmap, LocalStorage>;

#[component]
pub(super) fn MyPicture(account: UserId) -> impl IntoView {
    let own = use_own_picture(&account);
    let chosen = RwSignal::new_local(None::<Chosen>);
    let complaint = RwSignal::new(None::<&'static str>);
    let choose = move |file: Blob| {
        complaint.set(None);
        schedule::spawn(async move {
            match picture_file::open(&file).await {
                Ok(picture) => drop(chosen.try_set(Some(StoredValue::new_local(picture)))),
                Err(error) => drop(complaint.try_set(Some(about_file(error)))),
            }
        });
    };
    let paste = window_event_listener(ev::paste, move |event| {
        let files = event.clipboard_data().and_then(|data| data.files());
        first(files).into_iter().for_each(choose);
    });
    on_cleanup(move || paste.remove());
    let save = Callback::new(move |square| {
        let Some(picture) = chosen.try_update(Option::take).flatten() else { return };
        schedule::spawn(async move {
            let Some(picture) = picture.try_with_value(Clone::clone) else { return };
            match picture_file::cut(&picture, square).await {
                Ok(cut) => {
                    let _ = own.try_with_value(|own| own.save(cut));
                }
                Err(error) => drop(complaint.try_set(Some(about_file(error)))),
            }
            picture.close();
        });
    });
    let cancel = Callback::new(move |()| chosen.set(None));
    view! {
        <div
            class="my-picture"
            on:dragover=move |event| event.prevent_default()
            on:drop=move |event| {
                event.prevent_default();
                let files = event.data_transfer().and_then(|data| data.files());
                first(files).into_iter().for_each(choose);
            }
        >
            {move || match chosen.get() {
                Some(picture) => Either::Left(view! { <Editor picture save cancel /> }),
                None => Either::Right(view! { <Controls account=account.clone() own choose /> }),
            }}
            <p class="complaint" role="alert">{move || complaint.get()}</p>
        </div>
    }
}

fn first(files: Option<FileList>) -> Option<Blob> {
    files?.get(0).map(|file| file.unchecked_into())
}

#[component]
fn Controls(
    account: UserId,
    own: Own,
    choose: impl Fn(Blob) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let picture = use_profile_picture(Signal::stored(account), PROFILE_PICTURE);
    let has_picture = Memo::new(move |_| picture.url.read().is_some());
    let state =
        Memo::new(move |_| own.try_with_value(OwnPicture::state).unwrap_or(OwnState::Settled));
    // How far it has come changes the bar alone.
    let kind = Memo::new(move |_| std::mem::discriminant(&*state.read()));
    let act = move |act: fn(&OwnPicture)| {
        move |_| {
            let _ = own.try_with_value(act);
        }
    };
    move || {
        kind.get();
        match state.get_untracked() {
            OwnState::Sending(_) => EitherOf4::A(view! {
                <p class="quiet" role="status">"Sending your picture…"</p>
                <progress
                    aria-label="Sent"
                    max="1"
                    prop:value=move || match state.get() {
                        OwnState::Sending(share) => share,
                        _ => 1.0,
                    }
                ></progress>
                <button
                    type="button"
                    class="plain-button"
                    data-testid="picture-cancel"
                    on:click=act(OwnPicture::cancel)
                >
                    "Cancel"
                </button>
            }),
            OwnState::Removed => EitherOf4::B(view! {
                <p role="status">"Your picture is removed."</p>
                <button
                    type="button"
                    class="plain-button"
                    data-testid="picture-undo"
                    on:click=act(OwnPicture::undo)
                >
                    "Undo"
                </button>
            }),
            OwnState::Failed(error) => EitherOf4::C(view! {
                <p class="complaint" role="alert">{about_change(&error)}</p>
                <Choices has_picture choose remove=act(OwnPicture::remove) />
            }),
            OwnState::Settled => EitherOf4::D(view! {
                <Choices has_picture choose remove=act(OwnPicture::remove) />
            }),
        }
    }
}

#[component]
fn Choices(
    has_picture: Memo<bool>,
    choose: impl Fn(Blob) + Copy + Send + Sync + 'static,
    remove: impl Fn(ev::MouseEvent) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    view! {
        <label class="button picture-choice">
            {move || if has_picture.get() { "Change picture" } else { "Add a picture" }}
            <input
                node_ref=input
                type="file"
                class="visually-hidden"
                data-testid="picture-input"
                accept=ACCEPTED
                on:change=move |_| {
                    let Some(input) = input.get_untracked() else { return };
                    first(input.files()).into_iter().for_each(choose);
                    // The same file can be chosen again.
                    input.set_value("");
                }
            />
        </label>
        {move || has_picture.get().then(|| view! {
            <button type="button" class="plain-button" data-testid="picture-remove" on:click=remove>
                "Remove"
            </button>
        })}
    }
}
