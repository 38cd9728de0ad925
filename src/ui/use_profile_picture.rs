//! A user's picture as signals, for those who draw it themselves.

use crate::{
    cache::{key::RenditionKey, layer::OriginError},
    store::{OpenPicture, PictureUrl, Status, View, rendition_size, use_picture_cache},
};
use leptos::prelude::*;
use miniature_api::UserId;

/// A user's picture as signals. The load belongs to the owner in which this was made, and ends
/// with it.
#[derive(Clone, Copy, Debug)]
pub struct ProfilePicture {
    /// Where the image is to be had without waiting: a `data:` or `blob:` URL, which works until the
    /// signal is read after a change, or its owner ends. None while nothing is known, and for a user
    /// without a picture.
    pub url: Signal<Option<PictureUrl>>,
    /// Whether there is nothing to show yet.
    pub loading: Signal<bool>,
    /// Why a newer picture could not be had; there may be an older one. None while it is tried again.
    pub error: Signal<Option<OriginError>>,
    /// Asks the server again.
    pub refetch: Callback<()>,
    /// All of it at once; none without a cache.
    pub(super) view: Signal<Option<View>>,
    /// Says that an image was painted.
    pub(super) painted: Callback<()>,
    /// Says that the browser cannot paint what it was given.
    pub(super) broken: Callback<RenditionKey>,
}

/// Opens a user's picture for a place of `size` CSS pixels an edge.
///
/// Outside of [`provide_picture_cache`](crate::store::provide_picture_cache) nobody has a picture.
pub fn use_profile_picture(user: Signal<UserId>, size: u32) -> ProfilePicture {
    let cache = use_picture_cache();
    let open = Memo::new_with_compare(
        move |_| cache.as_ref().map(|cache| cache.open(user.get(), rendition_size(size))),
        // A picture that was opened again is another one, even of the same user.
        |_, _| true,
    );
    let view = Signal::derive(move || open.with(|open| open.as_ref().map(OpenPicture::view)));
    // Held here: an address works for as long as somebody holds it.
    let url =
        Memo::new(move |_| view.with(|view| Some(view.as_ref()?.shown.as_ref()?.url.clone())));
    ProfilePicture {
        url: url.into(),
        loading: Signal::derive(move || view.with(is_loading)),
        error: Signal::derive(move || view.with(|view| view.as_ref()?.error)),
        refetch: Callback::new(move |()| with_open(open, OpenPicture::refetch)),
        view,
        painted: Callback::new(move |()| with_open(open, OpenPicture::painted)),
        broken: Callback::new(move |key| with_open(open, |picture| picture.broken(key))),
    }
}

/// An event may come after the picture was closed; then there is nothing left to do.
fn with_open(open: Memo<Option<OpenPicture>>, act: impl FnOnce(&OpenPicture)) {
    open.try_with_untracked(|open| open.as_ref().map(act));
}

fn is_loading(view: &Option<View>) -> bool {
    view.as_ref().is_some_and(|view| view.shown.is_none() && matches!(view.status, Status::Loading))
}
