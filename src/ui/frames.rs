//! Which images are in a picture's place: one that is painted, and one on its way.

use crate::{
    cache::tint::Tint,
    store::{Shown, Status, View},
};
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
    /// The colour of an image that is on its way.
    tint: Option<Tint>,
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
        let tint = view.as_ref().and_then(|view| view.tint);
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
        // Until the image is painted: initials would flash in between.
        let is_of = |tint: &Tint| {
            self.painted.is_none()
                && self.incoming.as_ref().is_some_and(|frame| frame.shown.image == tint.image())
        };
        self.tint = tint.or(self.tint.filter(is_of));
        self
    }

    /// The colour to stand in the place of a picture that is on its way.
    pub(super) fn tint(&self) -> Option<Tint> {
        self.tint
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cache::{key::Source, layer::OriginError},
        store::PictureUrl,
    };
    use miniature_api::{ImageId, Size};
    use proptest::prelude::*;

    /// What a step brings: whose picture the place shows, of which image and revision, and which
    /// image has loaded.
    #[derive(Clone, Copy, Debug)]
    struct Step {
        user: bool,
        image: Option<u8>,
        status: Status,
        /// How many images back; most are not there any more.
        loaded: u32,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let status = prop_oneof![Just(Status::Loading), Just(Status::Settled)];
        let step = (any::<bool>(), proptest::option::of(0..4_u8), status, 0..3_u32);
        let step =
            step.prop_map(|(user, image, status, loaded)| Step { user, image, status, loaded });
        proptest::collection::vec(step, 1..40)
    }

    fn user(second: bool) -> UserId {
        (if second { "grace" } else { "ada" }).parse().unwrap()
    }

    /// Image `number` of a user, at an address that names both.
    fn shown(second: bool, number: u8) -> Shown {
        let id = number + if second { 100 } else { 0 };
        Shown {
            url: PictureUrl::plain(format!("data:,{}-{number}", user(second))),
            source: Source::Memory,
            size: Size::S64,
            image: ImageId::from_bytes([id; 16]),
        }
    }

    fn view(step: Step) -> View {
        View {
            shown: step.image.map(|number| shown(step.user, number)),
            status: step.status,
            error: None,
            revision: step.image.map(|number| Revision(number.into())),
            tint: None,
        }
    }

    fn of(frame: Option<&Frame>) -> Option<String> {
        frame.map(|frame| frame.shown.url.to_string())
    }

    proptest! {
        #[test]
        fn never_somebody_elses_face_and_no_gap_between_two_pictures(steps in steps()) {
            let mut frames = Frames::default();
            let mut last = None;
            for step in steps {
                let before = frames.clone();
                let loaded = before.last_serial.saturating_sub(step.loaded);
                frames = frames.next(&user(step.user), Some(view(step)), loaded);
                let owner = user(step.user).to_string();
                let urls: Vec<String> = frames.to_vec().iter().map(|f| f.shown.url.to_string()).collect();
                for url in &urls {
                    prop_assert!(url.contains(&owner), "{url} in the place of {owner}");
                }
                prop_assert!(urls.len() <= 2);
                // What is painted stays until another has loaded, unless there is no picture any more.
                if last == Some(step.user) && step.image.is_some() && before.painted().is_some() {
                    prop_assert!(frames.painted().is_some(), "a gap");
                }
                // Only what has loaded is painted.
                if of(frames.painted()) != of(before.painted()) && frames.painted().is_some() {
                    prop_assert_eq!(frames.painted().map(|frame| frame.serial), Some(loaded));
                }
                // The newest is on its way, or there.
                let newest = step.image.map(|number| shown(step.user, number).url.to_string());
                let ends = of(frames.incoming.as_ref()).or(of(frames.painted()));
                prop_assert_eq!(ends, newest);
                last = Some(step.user);
            }
        }
    }

    #[test]
    fn the_state_and_the_revision_are_of_what_is_painted() {
        let ada = user(false);
        let step = |image, status| view(Step { user: false, image, status, loaded: 0 });
        let (loading, settled) = (Status::Loading, Status::Settled);
        let state =
            |frames: &Frames| (frames.state(), frames.revision().map(|revision| revision.0));

        let frames = Frames::default().next(&ada, None, 0);
        assert_eq!(state(&frames), ("fallback", None), "nothing is known");
        let frames = frames.next(&ada, Some(step(None, loading)), 0);
        assert_eq!(frames.state(), "loading");
        let frames = frames.next(&ada, Some(step(Some(1), settled)), 0);
        assert_eq!(state(&frames), ("loading", None), "not painted yet");
        let frames = frames.next(&ada, Some(step(Some(1), settled)), 1);
        assert_eq!(state(&frames), ("ready", Some(1)));
        let frames = frames.next(&ada, Some(step(Some(2), settled)), 1);
        assert_eq!(state(&frames), ("ready", Some(1)), "the older one is still painted");
        let frames = frames.next(&ada, Some(step(Some(2), settled)), 2);
        assert_eq!(state(&frames), ("ready", Some(2)));
        let gone = View { revision: Some(Revision(3)), ..step(None, settled) };
        let frames = frames.next(&ada, Some(gone), 2);
        assert_eq!(state(&frames), ("fallback", Some(3)), "removed");
    }

    #[test]
    fn a_colour_stays_until_the_image_is_painted_and_is_never_of_someone_else() {
        let (ada, other) = (user(false), user(true));
        let step = |image, status| view(Step { user: false, image, status, loaded: 0 });
        let here = step(Some(1), Status::Settled);
        let grey = here.shown.as_ref().map(|shown| Tint::grey(shown.image));
        let on_its_way = View { tint: grey, ..step(None, Status::Loading) };
        let frames = Frames::default().next(&ada, Some(on_its_way), 0);
        assert_eq!(frames.tint(), grey);

        let loads = frames.clone().next(&ada, Some(here.clone()), 0);
        assert_eq!(loads.tint(), grey, "initials would flash in between");
        assert_eq!(loads.next(&ada, Some(here), 1).tint(), None);

        let of_another =
            view(Step { user: true, image: Some(2), status: Status::Settled, loaded: 0 });
        assert_eq!(frames.clone().next(&other, Some(of_another), 0).tint(), None);
        let failed = step(None, Status::Failed(OriginError::Unreachable));
        assert_eq!(frames.next(&ada, Some(failed), 0).tint(), None, "it may never come");
    }
}
