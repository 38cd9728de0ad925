//! A user's picture on the page.

use super::{
    frames::{Frame, Frames},
    initials::Initials,
    use_profile_picture::{ProfilePicture, use_profile_picture},
};
use crate::store::react;
use leptos::{html, prelude::*};
use miniature_api::UserId;

/// A user's profile picture, from the nearest cache that holds it.
///
/// A picture in memory or LocalStorage paints in the first frame. Otherwise the user's initials
/// stand in, and an old picture stays up while a newer one loads.
///
/// `data-state` on the root is `loading`, `ready` (the image is painted) or `fallback` (initials,
/// because there is no picture or it could not be had).
#[component]
pub fn CachedProfilePicture(
    /// Whose picture; changing it swaps the picture in place.
    #[prop(into)]
    user: Signal<UserId>,
    /// The display name: the source of the initials, and of the label if there is one.
    #[prop(into)]
    name: Signal<String>,
    /// The edge of the square, in CSS pixels.
    #[prop(default = 48)]
    size: u32,
    /// Whether to be read out as the name; `false` beside a visible name.
    #[prop(default = true)]
    labelled: bool,
) -> impl IntoView {
    let picture = use_profile_picture(user, size);
    let loaded = RwSignal::new(0);
    let frames = use_frames(user, picture, loaded);
    let state = move || frames.read().state();
    let source = move || frames.read().painted().map(|frame| frame.shown.source.as_str());
    let revision = move || frames.read().revision().map(|revision| revision.0);
    // An empty value takes the property away.
    let tint = move || frames.read().tint().map(|tint| tint.to_string()).unwrap_or_default();
    let bare = Memo::new(move |_| frames.read().painted().is_none());

    view! {
        <span
            class="picture"
            style=("--picture-size", format!("{size}px"))
            style=("--picture-tint", tint)
            data-user-id=move || user.get().to_string()
            data-state=state
            data-source=source
            data-revision=revision
        >
            {move || bare.get().then(|| view! { <Initials user name labelled /> })}
            <For each=move || frames.read().to_vec() key=|frame| frame.serial let:frame>
                <FrameImage frame frames name size labelled loaded picture />
            </For>
        </span>
    }
}

/// One image in the place: unseen until it is painted, if another one is.
#[component]
fn FrameImage(
    frame: Frame,
    frames: Memo<Frames>,
    name: Signal<String>,
    size: u32,
    labelled: bool,
    loaded: RwSignal<u32>,
    picture: ProfilePicture,
) -> impl IntoView {
    let Frame { serial, shown, .. } = frame;
    let key = shown.key();
    let image = NodeRef::<html::Img>::new();
    // Past disposal there is nobody left to tell, and an image loads once.
    let tell = move || {
        if loaded.try_get_untracked().is_some_and(|last| last < serial) {
            loaded.set(serial);
            picture.painted.run(());
        }
    };
    // What the document holds already is complete at once, and `load` would come a frame late.
    react(move || {
        if image.get().is_some_and(|image| is_loaded(&image)) {
            tell();
        }
    });
    let painted = move || frames.read().painted().map(|painted| painted.serial);
    let waiting = move || painted().is_some_and(|painted| painted != serial);
    // Until it is painted, what stands in its place is read out.
    let alt = move || match labelled && painted() == Some(serial) {
        true => name.get(),
        false => String::new(),
    };

    view! {
        <img
            node_ref=image
            class:incoming=waiting
            src=shown.url.to_string()
            alt=alt
            width=size
            height=size
            decoding="sync"
            draggable="false"
            on:load=move |_| tell()
            on:error=move |_| picture.broken.run(key)
        />
    }
}

fn use_frames(
    user: Signal<UserId>,
    picture: ProfilePicture,
    loaded: RwSignal<u32>,
) -> Memo<Frames> {
    Memo::new(move |before: Option<&Frames>| {
        before.cloned().unwrap_or_default().next(&user.read(), picture.view.get(), loaded.get())
    })
}

fn is_loaded(image: &web_sys::HtmlImageElement) -> bool {
    image.complete() && image.natural_width() > 0
}
