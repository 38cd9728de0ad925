//! One user's picture at one size, as far as it is or was wanted.

use miniature_api::Size;

use super::{
    effect::EffectId,
    hints::Lead,
    pause::{Jitter, Pause},
    view::Handed,
    viewers::ViewerId,
};
use crate::cache::{
    clock::Moment, entry::Version, event::Step, key::Source, layer::OriginError, policy::Policy,
};

/// The facts about one size.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) size: Size,
    pub(super) viewers: Vec<ViewerId>,
    /// Those on a hidden page. They keep what is in memory and want nothing.
    pub(super) hidden: Vec<ViewerId>,
    /// Loaded ahead, until one attempt has ended.
    pub(super) prefetch: bool,
    /// When it came to be wanted, as a number that counts up: older before younger.
    pub(super) wanted: u64,
    /// What IndexedDB said of it, and the cache of pictures.
    durable: Looked,
    pictures: Looked,
    /// The layers asked since it came to be lacking.
    pub(super) trail: Vec<Step>,
    /// Why the last attempt brought nothing.
    pub(super) failure: Option<OriginError>,
    /// Answers in a row that could not be used.
    pub(super) malformed: u32,
    /// The wait after those.
    pub(super) pause: Pause,
    /// Where its bytes are, if they did not come with the record.
    pub(super) lead: Option<Lead>,
    /// The last hint led nowhere.
    pub(super) misled: bool,
    /// The read of a layer that looks for it.
    pub(super) reading: Option<EffectId>,
    /// The request sent last for it.
    pub(super) fetching: Option<Fetching>,
    /// The place in the queue of what waits for a request.
    pub(super) queued: Option<(bool, u64)>,
    /// The view that was handed out last.
    pub(super) handed: Option<Handed>,
}

/// A request under way for a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetching {
    pub(super) id: EffectId,
    /// What was known when it was sent. Once more is known, it covers the user no more.
    pub(super) known: Option<Version>,
    pub(super) sent: Moment,
}

/// Whether a layer was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// Not yet.
    No,
    /// It has nothing, or not enough.
    Absent,
    /// It failed: absent for this load.
    Failed,
}

impl Target {
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            viewers: Vec::new(),
            hidden: Vec::new(),
            prefetch: false,
            wanted: 0,
            durable: Looked::No,
            pictures: Looked::No,
            trail: Vec::new(),
            failure: None,
            malformed: 0,
            pause: Pause::default(),
            lead: None,
            misled: false,
            reading: None,
            fetching: None,
            queued: None,
            handed: None,
        }
    }

    /// What a layer said of it that is asked before the API.
    pub(super) fn looked(&self, layer: Source) -> Looked {
        if layer == Source::ServiceWorker { self.pictures } else { self.durable }
    }

    pub(super) fn note_looked(&mut self, layer: Source, looked: Looked) {
        match layer {
            Source::ServiceWorker => self.pictures = looked,
            _ => self.durable = looked,
        }
    }

    pub(super) fn is_viewed(&self) -> bool {
        !self.viewers.is_empty()
    }

    /// Whether anybody looks at it, or will once a page is shown again.
    pub(super) fn has_viewers(&self) -> bool {
        self.is_viewed() || !self.hidden.is_empty()
    }

    /// Whether anybody wants it.
    pub(super) fn is_wanted(&self) -> bool {
        self.prefetch || self.is_viewed()
    }

    /// A viewer looks from now on. The first one begins a load, named by `number`.
    pub(super) fn admit(&mut self, viewer: ViewerId, number: u64) {
        if !self.is_viewed() {
            self.wanted = number;
            self.trail.clear();
            self.failure = None;
        }
        self.dismiss(viewer);
        self.viewers.push(viewer);
    }

    /// A viewer looks no longer, and is not on a hidden page either.
    pub(super) fn dismiss(&mut self, viewer: ViewerId) {
        self.viewers.retain(|other| *other != viewer);
        self.hidden.retain(|other| *other != viewer);
    }

    /// A person asks: it is tried now.
    pub(super) fn retry(&mut self, now: Moment) {
        self.malformed = 0;
        self.misled = false;
        self.pause.end_by_hand(now);
    }

    /// There is something new to try: failures count no more.
    pub(super) fn forgive(&mut self) {
        self.failure = None;
        self.malformed = 0;
        self.misled = false;
        self.pause = Pause::default();
    }

    /// An attempt that was sent at `sent` brought nothing that can be used. After some in a row it
    /// is left alone for as long as a record lives.
    pub(super) fn refuse(
        &mut self,
        sent: Moment,
        now: Moment,
        policy: &Policy,
        jitter: &mut Jitter,
    ) {
        self.failure = Some(OriginError::Malformed);
        self.malformed = self.malformed.saturating_add(1);
        self.pause.fail(sent, now, None, policy, jitter);
        if self.malformed >= policy.malformed_attempts {
            self.malformed = 0;
            self.pause = Pause::default();
            self.pause.rest_until(now + policy.memory_fresh_for);
        }
    }

    /// A load has ended; the next one asks a layer again that failed.
    pub(super) fn end_load(&mut self) {
        self.prefetch = false;
        for looked in [&mut self.durable, &mut self.pictures] {
            if *looked == Looked::Failed {
                *looked = Looked::No;
            }
        }
    }
}
