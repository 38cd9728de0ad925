//! What is given up when the origin stores too much of what the browser allows it.

use super::{
    Core,
    effect::{Op, Room},
    flights::Task,
    layers::ASKED,
    owed::Ops,
    pending::Owed,
};
use crate::cache::{
    clock::Timestamp, entry::Bytes, event::CacheEvent, eviction::Limits, key::Source,
};

/// What is still to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shedding {
    /// In bytes.
    excess: u64,
    /// Whether layers were asked how much they hold.
    asked: bool,
    /// How many layers have had their turn.
    done: usize,
}

/// In this order: what is cheapest to have again goes first.
const ORDER: [Source; 3] = [Source::LocalStorage, Source::ServiceWorker, Source::IndexedDb];
/// The most bytes that go in one transaction: however much there is, none is long. In Firefox one takes 10 to 30 ms.
const STEP: u64 = 32 * 1024;
const ALL: Limits = Limits { entries: usize::MAX, bytes: u64::MAX, trim_entries_to: usize::MAX };

impl<B: Bytes> Core<B> {
    /// The browser says how much the origin stores, and how much it may. Above the limit something is to go, once
    /// until it was below: what others store, or an estimate that lags behind, does not empty the cache.
    #[inline(never)]
    pub(super) fn storage_used(&mut self, used: u64, quota: u64) {
        let share = |percent: u32| quota / 100 * u64::from(percent);
        if used <= share(self.policy.shed.above_percent) || quota == 0 {
            self.has_shed_enough = false;
            return;
        }
        if self.account.is_some() && !std::mem::replace(&mut self.has_shed_enough, true) {
            let excess = used.saturating_sub(share(self.policy.shed.to_percent));
            self.shedding = Some(Shedding { excess, asked: false, done: 0 });
        }
    }

    /// Has memory give up what is not on screen, then one layer after the other its part, as soon as it is known
    /// how much that holds.
    pub(super) fn plan_shedding(&mut self) {
        if self.shedding.is_some() && !self.writes_wait {
            self.shed_what_is_known();
        }
    }

    #[inline(never)]
    fn shed_what_is_known(&mut self) {
        while let Some(shedding) = self.shedding {
            let Some(layer) = ORDER.get(shedding.done).copied() else {
                self.shedding = None;
                return;
            };
            if !shedding.asked {
                self.shed_memory();
                // Other documents write there, too.
                ASKED.into_iter().for_each(|layer| self.layers.of_mut(layer).usage = None);
                self.measure_layers();
                self.shedding = Some(Shedding { asked: true, ..shedding });
                continue;
            }
            if self.is_being_measured(layer) || self.layers.of(layer).writing.is_some() {
                return;
            }
            let next = Some(Shedding { done: shedding.done + 1, ..shedding });
            if !self.layers.of(layer).allows(self.time.now()) {
                self.shedding = next;
                continue;
            }
            // What is used last goes last. The cache of pictures knows no uses: IndexedDB has the same.
            let touches = self.touches();
            if layer == Source::IndexedDb && !touches.ops.is_empty() {
                self.send(layer, touches);
                return;
            }
            let held = self.usage(layer).map_or(0, |usage| usage.bytes);
            let can = shedding.excess.min(held.saturating_sub(self.on_screen(layer)));
            // Browsers count LocalStorage apart, or not at all.
            let (gives, excess) = match layer {
                Source::LocalStorage => (can, shedding.excess),
                _ => (can.min(STEP), shedding.excess - can.min(STEP)),
            };
            self.shedding = match can > gives {
                true => Some(Shedding { excess, ..shedding }),
                false => next.map(|next| Shedding { excess, ..next }),
            };
            if gives > 0 {
                self.shed(layer, held, held - gives);
            }
        }
    }

    fn shed_memory(&mut self) {
        let before = self.people.usage().bytes;
        let writes = &self.writes;
        // What is owed to a layer stays: nobody would write it any more.
        let limits = Limits { entries: 0, trim_entries_to: 0, ..ALL };
        self.people.trim(limits, |user| writes.owes(user));
        self.cancel_unwanted(None);
        self.has_shed(Source::Memory, before);
    }

    fn is_being_measured(&self, layer: Source) -> bool {
        let measures = |task: &Task| match task {
            Task::Measure(of) => *of == layer,
            Task::Count => layer == Source::LocalStorage,
            _ => false,
        };
        self.flights.awaited().any(|(_, flight)| measures(&flight.task))
    }

    /// The bytes of what is looked at, which stay. Of LocalStorage the rows do.
    fn on_screen(&self, layer: Source) -> u64 {
        if layer == Source::LocalStorage {
            return 0;
        }
        let viewed = self.people.viewed();
        let held = viewed.iter().filter_map(|user| self.people.get(user)).flat_map(|p| &p.held);
        held.map(|held| held.rendition.content.byte_len() as u64).sum()
    }

    /// Has a layer that holds so many bytes hold no more than so many.
    fn shed(&mut self, layer: Source, held: u64, bytes: u64) {
        let viewed = self.people.viewed();
        let room = self.room(layer);
        let room = Room { limits: Limits { bytes, ..room.limits }, halve: false, ..room };
        let mut ops = Ops::default();
        if layer == Source::LocalStorage {
            let limits = Limits { bytes, ..ALL };
            let surplus = self.layers.ledger.surplus(limits, self.time.wall());
            let leaving = surplus.into_iter().filter(|user| !viewed.contains(user));
            leaving.for_each(|user| ops.push_other(Owed::Row(user)));
            if ops.ops.is_empty() {
                return;
            }
        }
        self.depart(layer, ops, room, Some(held));
    }

    /// Uses of what is looked at that were not noted lately, as many as take no long transaction.
    fn touches(&self) -> Ops<B> {
        let (mut ops, viewed) = (Ops::default(), self.people.viewed());
        let wall = self.time.wall();
        let noted =
            |at: Timestamp| wall.age_of(at).is_some_and(|age| age < self.policy.recheck_after);
        let people = viewed.iter().filter_map(|user| Some((user, self.people.get(user)?)));
        let people = people.filter(|(_, person)| {
            !person.held.is_empty() && !noted(person.stored(Source::IndexedDb).used_at)
        });
        for (user, person) in people.take(self.policy.write_users / 2) {
            for held in &person.held {
                let rendition = Some(held.rendition.key);
                ops.push(Op::Touch { user: user.clone(), rendition }, Owed::Touch(user.clone()));
            }
        }
        ops
    }

    /// A layer could not give anything up: it is tried again when the browser says again that it is too much.
    pub(super) fn could_not_shed(&mut self, sheds: Option<u64>) {
        if sheds.is_some() {
            (self.shedding, self.has_shed_enough) = (None, false);
        }
    }

    /// Says what a layer has given up that held so much.
    pub(super) fn has_shed(&mut self, layer: Source, before: u64) {
        let held = self.usage(layer).map_or(before, |usage| usage.bytes);
        if held < before {
            self.note(CacheEvent::Shed(layer, before - held));
        }
    }
}
