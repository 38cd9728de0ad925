//! Effects that have not been answered.

use std::time::Duration;

use miniature_api::{Size, UserId};

use super::effect::EffectId;
use crate::cache::{
    clock::Moment,
    document::DocumentKey,
    key::{Lookup, RenditionKey, Source},
    policy::Policy,
};

/// One effect under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) task: Task,
    /// When it was emitted.
    pub(super) since: Moment,
    /// The last sign of life.
    mark: Moment,
    /// Bytes since then.
    bytes: u64,
    /// It took too long: nobody waits for it, but what it says is still a fact.
    pub(super) given_up: bool,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(super) enum Task {
    Read(Source, Vec<Lookup>),
    ReadDocuments(Vec<DocumentKey>),
    Pictures {
        size: Size,
        items: Vec<Item>,
    },
    Rendition {
        user: UserId,
        key: RenditionKey,
    },
    Document {
        key: DocumentKey,
        /// Whose pictures the answer will speak of.
        users: Vec<UserId>,
        /// The size at which it will still bring those pictures, once the document itself is here.
        brings: Option<Size>,
    },
    Session,
    SignOut,
    Decode(UserId, RenditionKey),
    Write {
        layer: Source,
        rows: Vec<super::pending::Owed>,
        /// How many bytes it held that is to give some up.
        sheds: Option<u64>,
    },
    Count,
    Measure(Source),
    Accounts,
    Erase(Source),
    Lock,
    Stream,
}

/// A request for a document, to somebody whose picture it speaks of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confirming {
    pub(super) id: EffectId,
    pub(super) since: Moment,
    /// The size at which it brings the picture, too.
    pub(super) brings: Option<Size>,
}

/// One user in a request for pictures.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) user: UserId,
    /// Whether the bytes were said to be held.
    pub(super) held: bool,
}

impl Task {
    /// Whether it goes on whoever is signed in.
    pub(super) fn outlasts_session(&self) -> bool {
        matches!(self, Self::Erase(_) | Self::SignOut)
    }

    /// Whether it takes one of the places for requests.
    pub(super) fn is_request(&self) -> bool {
        matches!(
            self,
            Self::Pictures { .. }
                | Self::Rendition { .. }
                | Self::Document { .. }
                | Self::Session
                | Self::SignOut
        )
    }

    /// Whether somebody outside goes on with it until it is cancelled.
    pub(super) fn goes_on(&self) -> bool {
        self.is_request() || matches!(self, Self::Lock | Self::Stream)
    }

    fn limit(&self, policy: &Policy) -> Option<Duration> {
        match self {
            Self::Read(Source::ServiceWorker, _) => Some(policy.picture_cache_timeout),
            Self::Read(..)
            | Self::ReadDocuments(_)
            | Self::Write { .. }
            | Self::Count
            | Self::Accounts
            | Self::Measure(_) => Some(policy.layer_timeout),
            Self::Pictures { .. }
            | Self::Rendition { .. }
            | Self::Document { .. }
            | Self::Session
            | Self::SignOut => Some(policy.silence),
            Self::Decode(..) => Some(policy.decode_timeout),
            // Erased means that the browser says so; while it does not, the layer is left alone.
            Self::Erase(_) | Self::Lock => None,
            Self::Stream => Some(policy.stream_silence),
        }
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights {
    /// In the order of departure. There are a few, or as many as pictures are being decoded.
    flying: Vec<(EffectId, Flight)>,
    last: u64,
}

/// The most given-up effects that are remembered. A layer that hangs adds one in 30 s.
const GIVEN_UP_AT_MOST: usize = 16;

impl Flights {
    pub(super) fn depart(&mut self, task: Task, now: Moment) -> EffectId {
        self.last += 1;
        let id = EffectId(self.last);
        let flight = Flight { task, since: now, mark: now, bytes: 0, given_up: false };
        self.flying.push((id, flight));
        id
    }

    /// Ends a flight.
    pub(super) fn land(&mut self, id: EffectId) -> Option<Flight> {
        let at = self.flying.iter().position(|(flying, _)| *flying == id)?;
        Some(self.flying.remove(at).1)
    }

    fn find_mut(&mut self, id: EffectId) -> Option<&mut Flight> {
        self.flying.iter_mut().find(|(flying, _)| *flying == id).map(|(_, flight)| flight)
    }

    /// When it was emitted.
    pub(super) fn since(&self, id: EffectId) -> Option<Moment> {
        self.get(id).map(|flight| flight.since)
    }

    /// A request for a document that will say what picture the user has.
    pub(super) fn that_confirms(&self, user: &UserId) -> Option<Confirming> {
        self.awaited().find_map(|(id, flight)| match &flight.task {
            Task::Document { users, brings, .. } if users.contains(user) => {
                Some(Confirming { id, since: flight.since, brings: *brings })
            }
            _ => None,
        })
    }

    /// One that is waited for.
    pub(super) fn get(&self, id: EffectId) -> Option<&Flight> {
        self.awaited().find(|(flying, _)| *flying == id).map(|(_, flight)| flight)
    }

    /// A part of the answer is here: the rest is what is still waited for.
    pub(super) fn reduce(&mut self, id: EffectId, rest: Task) {
        if let Some(flight) = self.find_mut(id) {
            flight.task = rest;
        }
    }

    /// Those that are waited for.
    pub(super) fn awaited(&self) -> impl Iterator<Item = (EffectId, &Flight)> {
        self.flying.iter().map(|(id, flight)| (*id, flight)).filter(|(_, flight)| !flight.given_up)
    }

    /// Those that are waited for, apart from this.
    pub(super) fn awaited_ids(&self) -> Vec<(EffectId, Task)> {
        self.awaited().map(|(id, flight)| (id, flight.task.clone())).collect()
    }

    /// Whether it is a request that is waited for.
    pub(super) fn is_request(&self, id: EffectId) -> bool {
        self.awaited().any(|(other, flight)| other == id && flight.task.is_request())
    }

    /// Of others only those that `stay`. No id is given twice.
    pub(super) fn following(before: Self, stay: impl Fn(&Task) -> bool) -> Self {
        let mut flights = before;
        flights.flying.retain(|(_, flight)| stay(&flight.task));
        flights
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.flying.len()
    }

    /// How many requests are under way.
    pub(super) fn requests(&self) -> usize {
        self.awaited().filter(|(_, flight)| flight.task.is_request()).count()
    }

    /// Bytes arrived.
    pub(super) fn progress(&mut self, id: EffectId, bytes: u64, now: Moment, policy: &Policy) {
        if let Some(flight) = self.find_mut(id) {
            flight.bytes = flight.bytes.saturating_add(bytes);
            if bytes == 0 || flight.bytes >= policy.progress_bytes {
                (flight.mark, flight.bytes) = (now, 0);
            }
        }
    }

    /// The page did not run for `gap`: that time does not count.
    pub(super) fn excuse(&mut self, gap: Duration, now: Moment) {
        self.flying.iter_mut().for_each(|(_, flight)| flight.mark = (flight.mark + gap).min(now));
    }

    /// When the first limit is reached.
    pub(super) fn due(&self, policy: &Policy) -> Option<Moment> {
        self.awaited().filter_map(|(_, flight)| flight.deadline(policy)).min()
    }

    /// One that has reached its limit by `now`.
    pub(super) fn overdue(&self, now: Moment, policy: &Policy) -> Option<EffectId> {
        let late = |flight: &Flight| flight.deadline(policy).is_some_and(|due| due <= now);
        self.awaited().find(|(_, flight)| late(flight)).map(|(id, _)| id)
    }

    /// Nobody waits for it any more, but what it says will still be a fact.
    pub(super) fn give_up(&mut self, id: EffectId) -> Option<&Flight> {
        let given_up = |(id, flight): &(EffectId, Flight)| flight.given_up.then_some(*id);
        let old: Vec<EffectId> = self.flying.iter().filter_map(given_up).collect();
        if old.len() >= GIVEN_UP_AT_MOST
            && let Some(oldest) = old.first()
        {
            self.land(*oldest);
        }
        let flight = self.find_mut(id)?;
        flight.given_up = true;
        Some(flight)
    }
}

impl Flight {
    fn deadline(&self, policy: &Policy) -> Option<Moment> {
        Some(self.mark + self.task.limit(policy)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_that_were_given_up_are_remembered() {
        let mut flights = Flights::default();
        let ids: Vec<EffectId> = (0..40)
            .map(|_| flights.depart(Task::Measure(Source::IndexedDb), Moment::NEVER))
            .collect();
        for id in &ids {
            assert!(flights.give_up(*id).is_some());
        }
        let (old, recent) = ids.split_at(ids.len() - GIVEN_UP_AT_MOST);
        assert!(old.iter().all(|id| flights.land(*id).is_none()));
        assert!(recent.iter().all(|id| flights.land(*id).is_some()));
    }
}
