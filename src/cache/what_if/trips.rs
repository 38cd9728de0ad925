//! How long answers take: as long as they took.

use std::{collections::BTreeMap, time::Duration};

use miniature_api::UserId;

use crate::cache::{
    core::{Effect, EffectId, Request},
    document::DocumentKey,
    key::Source,
    splitmix,
};

/// What takes time. Those of the same name take their times from one another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trip {
    Read(Source),
    Documents,
    Write(Source),
    Pictures,
    Rendition,
    /// A page or a profile, each by its name.
    Document(DocumentKey),
    Session,
    SignOut,
    Decode,
    Count,
    Measure(Source),
    Erase(Source),
    Accounts,
    Lock,
    Stream,
}

impl Trip {
    /// What an effect is, and its name, if it is to be answered.
    pub(super) fn of<B>(effect: &Effect<B>) -> Option<(EffectId, Self)> {
        Some(match effect {
            Effect::Read { id, layer, .. } => (*id, Self::Read(*layer)),
            Effect::ReadDocuments { id, .. } => (*id, Self::Documents),
            Effect::Fetch { id, request, .. } => (*id, Self::of_request(request)),
            Effect::Decode { id, .. } => (*id, Self::Decode),
            Effect::Write { id, layer, .. } => (*id, Self::Write(*layer)),
            Effect::Count { id } => (*id, Self::Count),
            Effect::Measure { id, layer } => (*id, Self::Measure(*layer)),
            Effect::Erase { id, layer, .. } => (*id, Self::Erase(*layer)),
            Effect::ListAccounts { id } => (*id, Self::Accounts),
            Effect::Lock { id, .. } => (*id, Self::Lock),
            Effect::Listen { id, .. } => (*id, Self::Stream),
            Effect::AnnounceWait
            | Effect::Note(_)
            | Effect::AnnounceList(_)
            | Effect::Cancel(_)
            | Effect::Renewed { .. }
            | Effect::Changed(_)
            | Effect::Report(_) => return None,
        })
    }

    fn of_request(request: &Request) -> Self {
        match request {
            Request::Pictures { .. } => Self::Pictures,
            Request::Rendition { .. } => Self::Rendition,
            Request::Friends { cursor, .. } => Self::Document(DocumentKey::Friends(cursor.clone())),
            Request::Feed(before) => Self::Document(DocumentKey::Feed(before.clone())),
            Request::Profile(user) => Self::Document(DocumentKey::Profile(UserId::clone(user))),
            Request::Session => Self::Session,
            Request::SignOut(_) => Self::SignOut,
        }
    }

    /// The layer that is asked.
    pub(super) fn layer(&self) -> Option<Source> {
        match self {
            Self::Read(layer) | Self::Write(layer) | Self::Measure(layer) => Some(*layer),
            Self::Documents => Some(Source::IndexedDb),
            _ => None,
        }
    }

    /// Whether it leads to the server.
    fn is_far(&self) -> bool {
        matches!(
            self,
            Self::Pictures | Self::Rendition | Self::Document(_) | Self::Session | Self::SignOut
        )
    }
}

/// One that was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) took: Duration,
    /// When it was asked, on the running clock, if that was before its effect.
    pub(super) asked: Option<Duration>,
}

/// All that were measured.
#[derive(Debug, Default)]
pub(super) struct Trips {
    /// In their order, by document.
    own: BTreeMap<(Trip, usize), Vec<Measured>>,
    all: BTreeMap<Trip, Vec<Duration>>,
}

/// What a storage takes of which no time is known.
const NEAR: Duration = Duration::from_millis(5);
/// What the server takes of which no time is known.
const FAR: Duration = Duration::from_millis(100);

impl Trips {
    pub(super) fn note(
        &mut self,
        trip: Trip,
        document: usize,
        took: Duration,
        asked: Option<Duration>,
    ) {
        self.all.entry(trip.clone()).or_default().push(took);
        self.own.entry((trip, document)).or_default().push(Measured { took, asked });
    }

    /// The `nth` of a document takes what the `nth` of it took; one that was not measured, what another did.
    pub(super) fn nth(&self, trip: &Trip, document: usize, nth: usize) -> Measured {
        let own = self.own.get(&(trip.clone(), document)).and_then(|own| own.get(nth));
        if let Some(own) = own {
            return *own;
        }
        let all = self.all.get(trip).map_or(&[][..], Vec::as_slice);
        let took = match all.len() {
            0 => self.usual(trip),
            len => all[draw(document, nth) % len],
        };
        Measured { took, asked: None }
    }

    fn usual(&self, trip: &Trip) -> Duration {
        if !trip.is_far() {
            return NEAR;
        }
        let far = self.all.iter().filter(|(other, _)| other.is_far());
        let mut far: Vec<Duration> = far.flat_map(|(_, took)| took.iter().copied()).collect();
        far.sort_unstable();
        far.get(far.len() / 2).copied().unwrap_or(FAR)
    }
}

/// The same number each time.
fn draw(document: usize, nth: usize) -> usize {
    let seed = (document as u64).wrapping_mul(0x1_0000) ^ nth as u64;
    usize::try_from(splitmix::mix(seed.wrapping_add(splitmix::STEP)) >> 33).unwrap_or_default()
}
