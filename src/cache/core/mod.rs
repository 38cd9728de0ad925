//! The core: what the cache knows, and what should happen next.
//!
//! ```text
//!            events in                                   effects out
//! opened, left, prefetched, …    ┌─────────┐   read, fetch, decode, write, erase, cancel,
//! a layer or the API answered, ─▶│ Core<B> │─▶ changed, report
//! online, visible, session       └─────────┘   and: wake me at T
//! ```
//!
//! It starts no task, reads no clock and touches no storage, so a test, the browser and a replay
//! drive it alike. State is facts, never decisions: what is to be done is derived from them each
//! time.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `person`, `targets`, `people` | users: records, bytes, sizes wanted, and the indexes over them |
//! | `documents`, `friends` | pages and profiles |
//! | `session` | who is signed in |
//! | `live` | the stream of events |
//! | `flights`, `layers`, `pause`, `pending` | what is under way, how storages fare, when to try again, what may be owed |
//! | `handle`, `open`, `answers`, `fetched`, `hints` | what events do to the facts |
//! | `plan`, `writes`, `owed`, `renewal`, `shed` | what follows from the facts |
//!
//! # Source
//!
//! The structure is that of rustls and quinn-proto ("sans-I/O").

mod answers;
mod arriving;
mod chain;
mod documents;
mod effect;
mod event;
mod feed;
mod fetched;
mod fetched_documents;
mod flights;
mod friends;
mod handle;
mod heard;
mod hints;
mod layers;
mod ledger;
mod live;
mod open;
mod owed;
mod own;
mod pause;
mod pending;
mod people;
mod person;
mod plan;
mod plan_documents;
mod profiles;
mod renewal;
mod rows;
mod session;
mod shed;
mod targets;
mod time;
mod view;
mod viewers;
mod writes;
mod written;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use miniature_api::{Lineage, UserId};

use super::{
    clock::{Moment, Now, Timestamp, whole_millis},
    entry::Bytes,
    eviction::Usage,
    holding::Holding,
    key::Source,
    policy::Policy,
};
use documents::{Doc, Kept};
pub use effect::{Effect, EffectId, Op, Request, Room, Topic, Wake};
pub use event::{
    Answer, Checked, Event, Fetched, FriendsReply, ListView, LiveNote, Refusal, Reply, Start,
    StorageChange, StreamBody, StreamEvent, Written,
};
use feed::Feed;
use flights::Flights;
use friends::Friends;
use layers::Layers;
use live::Live;
use pause::{Jitter, Pause};
use pending::Writes;
use people::People;
use renewal::Renewal;
pub use rows::Rows;
use session::Session;
pub use session::{Epoch, Identity, Note};
use shed::Shedding;
pub use view::{
    ConnectionView, Farewell, FeedView, FriendsView, ListState, ProfileView, SessionState,
    SessionView, Shown, Status, View,
};
pub use viewers::ViewerId;
use viewers::Viewers;

/// Everything the cache knows, and what should happen next.
///
/// Feed it with [`Core::open`] and [`Core::handle`], then once a turn carry out every [`Effect`]
/// that [`Core::poll`] returns, until it returns none, then sleep until [`Core::wake`]. `now` never
/// runs backwards on its running clock.
///
/// **Invariant:** after `poll` has returned none, everything wanted and not held is in flight,
/// waits for a place behind something in flight, or has a time at which it is tried again.
#[derive(Clone, Debug)]
pub struct Core<B> {
    policy: Policy,
    jitter: Jitter,
    time: time::Clocks,
    visible: bool,
    /// What writes layers, and all that acts on the cache of pictures, is still to be loaded.
    writes_wait: bool,
    /// Since when the browser says that there is no network, if nothing has contradicted it.
    offline: Option<Moment>,
    account: Option<UserId>,
    lineage: Option<Lineage>,
    /// When the latest lineage was first seen here.
    lineage_seen: Moment,
    /// The last answer to what was asked since then was of an earlier one.
    outdated: bool,
    /// Rows checked before this are shown and never believed.
    believe_from: Timestamp,
    people: People<B>,
    proposal: Option<own::Proposal<B>>,
    /// What is asked for anew before it ends.
    renewal: Option<Box<Renewal>>,
    viewers: Viewers,
    friends: Friends,
    feed: Feed,
    /// A few hundred at most, in no order.
    profiles: Vec<(UserId, Profile)>,
    session: Session,
    live: Live,
    flights: Flights,
    layers: Layers,
    /// Whether the account has a cache of pictures, as far as is known.
    has_picture_cache: bool,
    /// Erasures under way.
    erasures: Vec<(EffectId, UserId, Source)>,
    /// Erasures that failed, and when each is tried again.
    erase_again: Vec<(Moment, UserId, Source)>,
    /// When the layers are looked through for accounts that are not signed in.
    survey: Option<Moment>,
    /// The wait of everything that is to be asked of the server.
    server: Pause,
    /// The waits of each kind of request.
    kinds: [Pause; 5],
    writes: Writes,
    /// Somebody wants to know how much layers hold.
    measure: bool,
    shedding: Option<Shedding>,
    /// The origin stored too much when the browser said so last, and what could go has gone.
    has_shed_enough: bool,
    connection: ConnectionView,
    queue: VecDeque<Effect<B>>,
    /// When the first document comes to be asked for.
    documents_due: Option<Moment>,
    /// Whether a document waits for the server to come back.
    documents_rest: bool,
}

/// A profile, and how many look at it.
#[derive(Clone, Debug)]
struct Profile {
    viewers: u32,
    used: u64,
    doc: Doc,
    handed: Option<ProfileView>,
}

/// A kind of request, for the pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pictures,
    Friends,
    Feed,
    Profile,
    Session,
}

impl<B: Bytes> Core<B> {
    /// A core that knows nothing, with nobody signed in. `seed` decides the jitter of retries.
    pub fn new(policy: Policy, seed: u64, visible: bool, now: Now) -> Self {
        Self {
            policy,
            jitter: Jitter::new(seed),
            time: time::Clocks::new(now),
            visible,
            writes_wait: false,
            offline: None,
            account: None,
            lineage: None,
            lineage_seen: Moment::NEVER,
            outdated: false,
            believe_from: Timestamp(0),
            people: People::default(),
            proposal: None,
            renewal: None,
            viewers: Viewers::new(),
            friends: Friends::new(None),
            feed: Feed::new(None),
            profiles: Vec::new(),
            session: Session::new(),
            live: Live::new(visible, Moment::of(now.running)),
            flights: Flights::default(),
            layers: Layers::default(),
            has_picture_cache: false,
            erasures: Vec::new(),
            erase_again: Vec::new(),
            survey: None,
            server: Pause::default(),
            kinds: Default::default(),
            writes: Writes::default(),
            measure: false,
            shedding: None,
            has_shed_enough: false,
            connection: ConnectionView::Reachable,
            queue: VecDeque::new(),
            documents_due: None,
            documents_rest: false,
        }
    }

    /// Every lifetime and limit.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whose data this holds.
    pub fn account(&self) -> Option<&UserId> {
        self.account.as_ref()
    }

    /// The next thing to do, derived from the facts; none until something else happens or
    /// [`Self::wake`] comes. Call it once a turn, until none.
    ///
    /// What has changed comes before the reads and requests that follow from it.
    pub fn poll(&mut self, now: Now) -> Option<Effect<B>> {
        self.tick(now);
        let gap = self.time.gap(self.policy.lateness);
        self.flights.excuse(gap, self.time.now());
        while self.queue.is_empty() {
            self.plan();
            if self.queue.is_empty() {
                let Wake { at, idle } = self.wake();
                let late = if idle { self.policy.idle_within } else { Duration::ZERO };
                self.time.sleep_until(at + late);
                return None;
            }
        }
        self.queue.pop_front()
    }

    /// When to call [`Self::poll`] if nothing happens before: the nearest expiry, retry or limit.
    pub fn wake(&self) -> Wake {
        let now = self.time.now();
        let asks = self.people.is_waiting() || self.renewal.is_some();
        let asking = asks.then(|| self.pause_of(Kind::Pictures));
        let asking = asking.filter(|ends| *ends > now);
        let urgent = [
            self.flights.due(&self.policy),
            self.people.first_due(),
            self.documents_due,
            self.survey_due(),
            self.live_due(),
            asking,
        ];
        let urgent = urgent.into_iter().flatten().min();
        let idle = self.writes_due();
        let latest = now + self.policy.longest_sleep;
        let at = [urgent, idle, Some(latest)].into_iter().flatten().min().unwrap_or(latest);
        Wake {
            at: at.running(),
            idle: self.visible && idle == Some(at) && urgent.is_none_or(|urgent| urgent > at),
        }
    }

    /// When a kind of request may be made again.
    fn pause_of(&self, kind: Kind) -> Moment {
        self.server.ends().max(self.kinds[kind as usize].ends())
    }

    /// What a layer holds, as far as is known.
    pub fn usage(&self, layer: Source) -> Option<Usage> {
        match layer {
            Source::Memory => Some(self.people.usage()),
            Source::LocalStorage => self.layers.ledger.counted.then(|| self.layers.ledger.usage()),
            Source::IndexedDb | Source::ServiceWorker => self.layers.of(layer).usage,
            Source::Network => None,
        }
    }

    /// Whether the answer to this effect is waited for.
    pub fn awaits(&self, id: EffectId) -> bool {
        self.flights.awaited().any(|(other, _)| other == id)
    }

    /// What memory holds of a user.
    pub fn held_of(&self, user: &UserId, now: Now) -> Holding {
        let person = self.people.get(user);
        let known = person.and_then(|person| person.known.as_ref());
        let held: Vec<_> =
            person.iter().flat_map(|p| &p.held).map(|h| h.rendition.clone()).collect();
        let holding =
            Holding::new(Source::Memory, known.map(|known| &known.checked), Duration::ZERO, &held);
        let left = known.map(|known| known.fresh_until.since(Moment::of(now.running)));
        let until = left.map(|left| now.wall.0.saturating_add(whole_millis(left)));
        Holding { believed_until: until.map(Timestamp), ..holding }
    }

    /// The friend list.
    pub fn friends(&self) -> FriendsView {
        self.friends.view()
    }

    /// The feed.
    pub fn feed(&self) -> FeedView {
        self.feed.view(self.account.as_ref())
    }

    /// What is known of a profile.
    pub fn profile(&self, user: &UserId) -> ProfileView {
        self.held_profile(user).map_or(ProfileView::Loading, Profile::view)
    }

    /// Who is signed in.
    pub fn session(&self) -> SessionView {
        self.session.view()
    }

    /// Whether the server is there.
    pub fn connection(&self) -> ConnectionView {
        self.connection
    }

    fn note(&mut self, report: super::event::CacheEvent) {
        self.queue.push_back(Effect::Report(report));
    }
}
