//! When layers are written.

use miniature_api::UserId;

use super::{
    Core, Effect,
    effect::Room,
    flights::Task,
    layers::LASTING,
    owed::Ops,
    pending::{BOTH, Owed, Pending},
    person::{Decodes, Person},
};
use crate::cache::{clock::Moment, entry::Bytes, eviction::Limits, key::Source};

impl<B: Bytes> Core<B> {
    /// When the first layer is to be written or prepared for, unless something is awaited first.
    pub(super) fn writes_due(&self) -> Option<Moment> {
        self.account.as_ref()?;
        if self.writes_wait { None } else { self.next_write() }
    }

    #[inline(never)]
    fn next_write(&self) -> Option<Moment> {
        let writes = LASTING.into_iter().filter_map(|layer| self.write_due(layer));
        writes.chain(self.decoding_due()).min()
    }

    /// When the browser is to be asked about what is to be written.
    fn decoding_due(&self) -> Option<Moment> {
        let now = self.time.now();
        let open = |layer: &Source| {
            let layer = self.layers.of(*layer);
            layer.has_room() && layer.allows(now)
        };
        if !self.writes.undecoded || !BOTH.iter().any(open) {
            return None;
        }
        let quiet = self.policy.decode_after;
        let due = |pending: &Pending| pending.after(quiet, &self.policy, self.visible);
        due(&self.writes.durable).max(due(&self.writes.local))
    }

    fn write_due(&self, layer: Source) -> Option<Moment> {
        let state = self.layers.of(layer);
        let (pending, counting) = match layer {
            Source::LocalStorage => (&self.writes.local, self.layers.ledger.counting.is_some()),
            // After IndexedDB; not by a page that goes.
            Source::ServiceWorker => {
                let pending = &self.writes.pictures;
                let is_left = !self.visible && !pending.urgent;
                (pending, is_left || self.layers.durable.writing.is_some())
            }
            _ => (&self.writes.durable, false),
        };
        let blocked = state.erasing.is_some() || state.writing.is_some();
        if blocked || counting || self.writes.decoding > 0 {
            return None;
        }
        pending.due(&self.policy, self.visible)
    }

    /// Writes what is due.
    pub(super) fn plan_writes(&mut self) {
        if self.account.is_some() && !self.writes_wait {
            self.write_what_is_due();
        }
    }

    #[inline(never)]
    fn write_what_is_due(&mut self) {
        let now = self.time.now();
        if self.decoding_due().is_some_and(|due| due <= now) {
            self.writes.undecoded = false;
            BOTH.into_iter().for_each(|layer| self.ask_whether_they_decode(layer));
        }
        LASTING.into_iter().for_each(|layer| self.write_if_due(layer));
        self.note_what_was_heard();
        self.write_if_due(Source::LocalStorage);
    }

    fn write_if_due(&mut self, layer: Source) {
        let now = self.time.now();
        if self.write_due(layer).is_some_and(|due| due <= now) {
            self.write(layer);
        }
    }

    fn write(&mut self, layer: Source) {
        let now = self.time.now();
        if self.layers.of(layer).is_denied() {
            let (users, _) = self.writes.of(layer).take();
            self.disbelieve(layer, &users);
            return;
        }
        if !self.layers.of(layer).allows(now) {
            let resumes = self.layers.of(layer).resumes().unwrap_or(now);
            let users = self.writes.of(layer).users.clone();
            self.writes.of(layer).not_before = resumes;
            self.disbelieve(layer, &users);
            return;
        }
        if layer == Source::LocalStorage && !self.layers.ledger.counted {
            let id = self.flights.depart(Task::Count, now);
            self.layers.ledger.counting = Some(id);
            self.queue.push_back(Effect::Count { id });
            return;
        }
        if !self.layers.of(layer).has_room() {
            return self.take_away(layer);
        }
        self.ask_whether_they_decode(layer);
        if self.writes.decoding > 0 {
            return;
        }
        let (users, others) = self.writes.of(layer).take_part(&self.policy, self.visible, now);
        let mut ops = Ops::default();
        self.make_room(layer, &mut ops);
        // What was learnt since stands behind what goes, and is not to be doubted.
        let (doubts, others): (Vec<Owed>, Vec<Owed>) =
            others.into_iter().partition(|owed| matches!(owed, Owed::Expire(_)));
        others.into_iter().for_each(|owed| ops.push_other(owed));
        for user in &users {
            self.owed_of(user, layer, &mut ops);
        }
        for owed in doubts {
            match &owed {
                Owed::Expire(user) if self.is_confirmed(user) => {}
                _ => ops.push_other(owed),
            }
        }
        self.send(layer, ops);
    }

    /// A full disk takes what needs no room: what is not to be held goes, and so does what is older
    /// than what cannot be written, where nothing says that it is not to be believed.
    fn take_away(&mut self, layer: Source) {
        let (users, others) = self.writes.of(layer).take();
        let is_told = self.disbelieve(layer, &users);
        let mut owed = Ops::default();
        others.into_iter().for_each(|other| owed.push_other(other));
        users.iter().for_each(|user| self.owed_of(user, layer, &mut owed));
        let mut ops = owed.without_room();
        for user in users.iter().filter(|user| !is_told && self.is_behind(user, layer)) {
            ops.push_other(Owed::Row(user.clone()));
        }
        self.send(layer, ops);
    }

    /// Whether what is known of the user was checked after all that doubts it.
    fn is_confirmed(&self, user: &UserId) -> bool {
        let person = self.people.get(user);
        let known = person.and_then(|person| Some((person.known.as_ref()?.asked, person)));
        known.is_some_and(|(asked, person)| asked >= person.believe_from)
    }

    pub(super) fn send(&mut self, layer: Source, ops: Ops<B>) {
        if !ops.ops.is_empty() {
            self.depart(layer, ops, self.room(layer), None);
        }
    }

    pub(super) fn depart(
        &mut self,
        layer: Source,
        Ops { ops, rows }: Ops<B>,
        room: Room,
        sheds: Option<u64>,
    ) {
        let id = self.flights.depart(Task::Write { layer, rows, sheds }, self.time.now());
        self.layers.of_mut(layer).writing = Some(id);
        self.queue.push_back(Effect::Write { id, layer, ops, now: self.time.wall(), room });
    }

    /// LocalStorage is not told: of that the core counts the rows itself.
    pub(super) fn room(&self, layer: Source) -> Room {
        let (pages, profiles) = (self.policy.pages, self.policy.profiles);
        let halve = layer != Source::LocalStorage && self.layers.of(layer).full;
        let limits = match layer {
            Source::ServiceWorker => self.policy.picture_cache,
            _ => self.policy.indexed_db,
        };
        Room { limits, pages, profiles, halve }
    }

    /// Of LocalStorage the core itself removes rows: what is over the limits, or half of them all
    /// when the disk is full.
    fn make_room(&self, layer: Source, ops: &mut Ops<B>) {
        if layer != Source::LocalStorage {
            return;
        }
        let ledger = &self.layers.ledger;
        let limits: Limits = match self.layers.local.full {
            true => ledger.usage().half(),
            false => self.policy.local_storage,
        };
        for user in ledger.surplus(limits, self.time.wall()) {
            ops.push_other(Owed::Row(user));
        }
    }

    /// Asks the browser about pictures that came from the network and are to be stored.
    fn ask_whether_they_decode(&mut self, layer: Source) {
        let users = self.writes.of(layer).users.clone();
        let now = self.time.now();
        for user in &users {
            let is_kept = |person: &&Person<B>| person.keep || person.passing;
            let Some(person) = self.people.get(user).filter(is_kept) else {
                continue;
            };
            let image = person.image();
            let asked = person.held.iter().filter(|held| {
                Some(held.rendition.image()) == image
                    && matches!(held.decodes, Decodes::Unknown(0 | 1))
            });
            let asked: Vec<_> = asked.map(|held| held.rendition.clone()).collect();
            for rendition in asked {
                let key = rendition.key;
                let id = self.flights.depart(Task::Decode(user.clone(), key), now);
                self.queue.push_back(Effect::Decode { id, rendition });
                self.writes.decoding += 1;
                self.people.change(user, |person| {
                    if let Some(held) = person.held_mut(key)
                        && let Decodes::Unknown(times) = held.decodes
                    {
                        held.decodes = Decodes::Asked(times);
                    }
                });
            }
        }
    }
}
