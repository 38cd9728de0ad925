//! Which images are in a picture's place: one that is painted, and one on its way.

use crate::store::{Shown, Status, View};
use miniature_api::{Revision, UserId};

/// One `<img>`: of whom, and of what.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    /// Numbers the images that were ever in this place: the identity of the element.
    pub(super) serial: u32,
    user: UserId,
    /// Its lease keeps the URL alive as long as the element.
    pub(super) shown: Shown,
    /// The revision that it belongs to, where that is certain.
    revision: Option<Revision>,
}

/// The images in a picture's place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Frames {
    painted: Option<Frame>,
    /// Loads unseen until it can take the place of what is painted.
    incoming: Option<Frame>,
    last_serial: u32,
    is_loading: bool,
    /// The revision that says that there is no picture.
    without_picture: Option<Revision>,
}

impl Frames {
    /// What follows on `self`: `view` is known, and the image numbered `loaded` has loaded.
    pub(super) fn next(mut self, user: &UserId, view: Option<View>, loaded: u32) -> Self {
        self.is_loading = view.as_ref().is_some_and(|view| view.status == Status::Loading);
        // What is shown meanwhile may be of an older revision.
        let settled = view.as_ref().filter(|view| view.status == Status::Settled);
        let revision = settled.and_then(|view| view.revision);
        self.painted.take_if(|frame| frame.user != *user);
        self.incoming.take_if(|frame| frame.user != *user);
        match view.and_then(|view| view.shown) {
            Some(shown) => {
                self.without_picture = None;
                self.follow(user, shown, revision);
            }
            None => {
                (self.painted, self.incoming) = (None, None);
                self.without_picture = revision;
            }
        }
        if self.incoming.as_ref().is_some_and(|frame| frame.serial == loaded) {
            self.painted = self.incoming.take();
        }
        self
    }

    /// The image to be seen now.
    pub(super) fn painted(&self) -> Option<&Frame> {
        self.painted.as_ref()
    }

    /// The value of `data-revision`: of what is painted, or of the knowledge that there is nothing.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.painted.as_ref().map_or(self.without_picture, |frame| frame.revision)
    }

    /// The value of `data-state`.
    pub(super) fn state(&self) -> &'static str {
        match (&self.painted, &self.incoming) {
            (Some(_), _) => "ready",
            (None, Some(_)) => "loading",
            (None, None) if self.is_loading => "loading",
            (None, None) => "fallback",
        }
    }

    /// Both, for the page.
    pub(super) fn to_vec(&self) -> Vec<Frame> {
        self.painted.iter().chain(&self.incoming).cloned().collect()
    }

    fn follow(&mut self, user: &UserId, shown: Shown, revision: Option<Revision>) {
        let frames = [&mut self.painted, &mut self.incoming].into_iter().flatten();
        for frame in frames.filter(|frame| frame.shown.image == shown.image) {
            frame.revision = revision.or(frame.revision);
        }
        if self.painted.as_ref().is_some_and(|frame| frame.shown.url == shown.url) {
            self.incoming = None;
        } else if self.incoming.as_ref().is_none_or(|frame| frame.shown.url != shown.url) {
            self.last_serial += 1;
            let serial = self.last_serial;
            self.incoming = Some(Frame { serial, user: user.clone(), shown, revision });
        }
    }
}
