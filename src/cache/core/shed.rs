//! What is given up when the origin stores too much of what the browser allows it.

use super::{Core, Effect, effect::Room, flights::Task, owed::Ops, pending::Owed};
use crate::cache::{entry::Bytes, event::CacheEvent, eviction::Limits, key::Source};

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
const ALL: Limits = Limits { entries: usize::MAX, bytes: u64::MAX, trim_entries_to: usize::MAX };

impl<B: Bytes> Core<B> {
    /// The browser says how much the origin stores, and how much it may. Above the limit something is to go.
    #[inline(never)]
    pub(super) fn storage_used(&mut self, used: u64, quota: u64) {
        let share = |percent: u32| quota / 100 * u64::from(percent);
        if used <= share(self.policy.shed.above_percent) || quota == 0 || self.account.is_none() {
            return;
        }
        let excess = used.saturating_sub(share(self.policy.shed.to_percent));
        self.shedding = Some(Shedding { excess, asked: false, done: 0 });
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
                self.measure_layers();
                self.shedding = Some(Shedding { asked: true, ..shedding });
                continue;
            }
            if self.is_being_measured(layer) || self.layers.of(layer).writing.is_some() {
                return;
            }
            let held = self.usage(layer).map_or(0, |usage| usage.bytes);
            let gives = shedding.excess.min(held.saturating_sub(self.on_screen(layer)));
            // Browsers count LocalStorage apart, or not at all.
            let relief = if layer == Source::LocalStorage { 0 } else { gives };
            let (excess, done) = (shedding.excess - relief, shedding.done + 1);
            self.shedding = Some(Shedding { excess, done, ..shedding });
            if gives > 0 && self.layers.of(layer).allows(self.time.now()) {
                self.layers.of_mut(layer).held_before = Some(held);
                self.shed(layer, held - gives);
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

    /// Has a layer hold no more than so many bytes.
    fn shed(&mut self, layer: Source, bytes: u64) {
        if layer == Source::LocalStorage {
            let viewed = self.people.viewed();
            let limits = Limits { bytes, ..ALL };
            let mut ops = Ops::default();
            for user in self.layers.ledger.surplus(limits, self.time.wall()) {
                if !viewed.contains(&user) {
                    ops.push_other(Owed::Row(user));
                }
            }
            return self.send(layer, ops);
        }
        let id = self.flights.depart(Task::Write { layer, rows: Vec::new() }, self.time.now());
        self.layers.of_mut(layer).writing = Some(id);
        let room = self.room(layer);
        let room = Room { limits: Limits { bytes, ..room.limits }, halve: false, ..room };
        let (ops, now) = (Vec::new(), self.time.wall());
        self.queue.push_back(Effect::Write { id, layer, ops, now, room });
    }

    /// Says what a layer has given up that held so much.
    pub(super) fn has_shed(&mut self, layer: Source, before: u64) {
        let held = self.usage(layer).map_or(before, |usage| usage.bytes);
        if held < before {
            self.note(CacheEvent::Shed(layer, before - held));
        }
    }
}
