//! When layers are written, and what may be owed to them.

use std::{collections::BTreeSet, time::Duration};

use miniature_api::{ImageId, Lineage, UserId};

use super::{Core, Effect, effect::Room, flights::Task, owed::Ops, person::Decodes};
use crate::cache::{
    clock::{Moment, Timestamp},
    document::{Document, DocumentKey},
    entry::{Bytes, Version},
    eviction::Limits,
    key::{RenditionKey, Source},
    policy::Policy,
};

/// What may have to be written, by layer.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes {
    local: Pending,
    durable: Pending,
    /// Pictures that the browser is asked about.
    decoding: u32,
    /// Whether it may have to be asked about more.
    undecoded: bool,
}

/// What may have to be written to a layer.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// Whose rows may be behind.
    pub(super) users: BTreeSet<UserId>,
    /// What is owed beside those.
    pub(super) others: Vec<Owed>,
    /// When the first and the last of it came up.
    first: Option<Moment>,
    last: Moment,
    pub(super) urgent: bool,
    /// After a failure.
    pub(super) not_before: Moment,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            users: BTreeSet::new(),
            others: Vec::new(),
            first: None,
            last: Moment::NEVER,
            urgent: false,
            not_before: Moment::NEVER,
        }
    }
}

/// A change that a layer is owed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owed {
    Record {
        user: UserId,
        row: (Version, Timestamp),
        insert: bool,
    },
    Rendition(UserId, RenditionKey),
    Touch(UserId),
    Gone(UserId),
    Image(UserId, ImageId),
    Document(Document),
    NoDocument(DocumentKey),
    Expire(UserId),
    /// A rendition that cannot be painted.
    Discard(UserId, RenditionKey),
    /// A row that is to go: it is older than what could not be written.
    Row(UserId),
    Lineage(Lineage),
    BelieveFrom(Timestamp),
}

pub(super) const BOTH: [Source; 2] = [Source::LocalStorage, Source::IndexedDb];

impl Writes {
    pub(super) fn of(&mut self, layer: Source) -> &mut Pending {
        if layer == Source::LocalStorage { &mut self.local } else { &mut self.durable }
    }

    /// A user's rows may be behind.
    pub(super) fn want(&mut self, user: &UserId, now: Moment) {
        for layer in BOTH {
            self.of(layer).users.insert(user.clone());
            self.of(layer).changed(now);
        }
        self.undecoded = true;
    }

    /// Something was painted: layers are written once the page rests.
    pub(super) fn put_off(&mut self, now: Moment) {
        BOTH.into_iter().for_each(|layer| self.of(layer).last = now);
    }

    /// What must not be held goes at once.
    pub(super) fn hurry(&mut self) {
        BOTH.into_iter().for_each(|layer| self.of(layer).urgent = true);
    }

    fn owe(&mut self, layers: &[Source], owed: &Owed, now: Moment) {
        for layer in layers {
            let pending = self.of(*layer);
            if !pending.others.contains(owed) {
                pending.others.push(owed.clone());
            }
            pending.changed(now);
        }
    }

    pub(super) fn expire(&mut self, user: &UserId, now: Moment) {
        self.owe(&BOTH, &Owed::Expire(user.clone()), now);
        self.hurry();
    }

    pub(super) fn discard(&mut self, user: &UserId, key: RenditionKey, now: Moment) {
        self.owe(&BOTH, &Owed::Discard(user.clone(), key), now);
        self.hurry();
    }

    /// Keeps a document: the first page of a list in both layers, the rest in IndexedDB.
    pub(super) fn document(&mut self, document: Document, now: Moment) {
        let key = document.key.clone();
        for layer in BOTH {
            self.of(layer).others.retain(|owed| !owed.is_about(&key));
        }
        self.owe(layers_of(&key), &Owed::Document(document), now);
    }

    pub(super) fn no_document(&mut self, key: DocumentKey, now: Moment) {
        self.durable.others.retain(|owed| !owed.is_about(&key));
        self.owe(layers_of(&key), &Owed::NoDocument(key.clone()), now);
    }

    pub(super) fn note_lineage(&mut self, lineage: Lineage, now: Moment) {
        self.local.others.retain(|owed| !matches!(owed, Owed::Lineage(_)));
        self.owe(&[Source::LocalStorage], &Owed::Lineage(lineage), now);
    }

    /// The browser has said something of a picture, or nothing in time. Of what is to be written
    /// nothing has changed.
    pub(super) fn decoded(&mut self, user: &UserId, now: Moment) {
        self.decoding = self.decoding.saturating_sub(1);
        for layer in BOTH {
            let pending = self.of(layer);
            pending.users.insert(user.clone());
            pending.first.get_or_insert(now);
        }
    }
}

impl Pending {
    pub(super) fn changed(&mut self, now: Moment) {
        self.first.get_or_insert(now);
        self.last = now;
    }

    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.others.is_empty()
    }

    fn due(&self, policy: &Policy, visible: bool) -> Option<Moment> {
        let due = self.after(policy.write_after, policy, visible)?;
        Some(due.max(self.not_before))
    }

    /// This long after the last change, or at once in a page that is about to go.
    fn after(&self, quiet: Duration, policy: &Policy, visible: bool) -> Option<Moment> {
        let first = self.first.filter(|_| !self.is_empty())?;
        Some(match visible && !self.urgent {
            true => (self.last + quiet).min(first + policy.write_at_most),
            false => first,
        })
    }

    /// Takes what is pending: it is being written.
    fn take(&mut self) -> (BTreeSet<UserId>, Vec<Owed>) {
        let not_before = self.not_before;
        let pending = std::mem::replace(self, Self { not_before, ..Self::default() });
        (pending.users, pending.others)
    }
}

impl Owed {
    fn is_about(&self, key: &DocumentKey) -> bool {
        match self {
            Self::Document(document) => document.key == *key,
            Self::NoDocument(other) => other == key,
            _ => false,
        }
    }

    /// Whether a full disk refuses it.
    pub(super) fn takes_room(&self) -> bool {
        matches!(self, Self::Record { .. } | Self::Rendition(..) | Self::Document(_))
    }

    /// The user whose facts it follows from, if it does.
    pub(super) fn derived_from(&self) -> Option<&UserId> {
        match self {
            Self::Record { user, .. }
            | Self::Rendition(user, _)
            | Self::Touch(user)
            | Self::Gone(user)
            | Self::Image(user, _) => Some(user),
            _ => None,
        }
    }
}

fn layers_of(key: &DocumentKey) -> &'static [Source] {
    if *key == super::friends::FIRST { &BOTH } else { &[Source::IndexedDb] }
}

impl<B: Bytes> Core<B> {
    /// When the first layer is to be written or prepared for, unless something is awaited first.
    pub(super) fn writes_due(&self) -> Option<Moment> {
        let writes = BOTH.into_iter().filter_map(|layer| self.write_due(layer));
        writes.chain(self.decoding_due()).min()
    }

    /// When the browser is to be asked about what is to be written.
    fn decoding_due(&self) -> Option<Moment> {
        let now = self.time.now();
        let open = |layer: &Source| {
            let layer = self.layers.of(*layer);
            layer.takes_writes() && layer.allows(now)
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
        let pending = match layer {
            Source::LocalStorage => &self.writes.local,
            _ => &self.writes.durable,
        };
        let blocked = state.erasing.is_some() || state.writing.is_some();
        let counting = layer == Source::LocalStorage && self.layers.ledger.counting.is_some();
        if blocked || counting || self.writes.decoding > 0 {
            return None;
        }
        pending.due(&self.policy, self.visible)
    }

    /// Writes what is due.
    pub(super) fn plan_writes(&mut self) {
        if self.account.is_none() {
            return;
        }
        let now = self.time.now();
        if self.decoding_due().is_some_and(|due| due <= now) {
            self.writes.undecoded = false;
            BOTH.into_iter().for_each(|layer| self.ask_whether_they_decode(layer));
        }
        for layer in BOTH {
            if self.write_due(layer).is_some_and(|due| due <= now) {
                self.write(layer);
            }
        }
    }

    fn write(&mut self, layer: Source) {
        let now = self.time.now();
        if !self.layers.of(layer).takes_writes() {
            let (users, _) = self.writes.of(layer).take();
            self.disbelieve(layer, &users);
            return;
        }
        if !self.layers.of(layer).allows(now) {
            let resumes = self.layers.of(layer).resumes().unwrap_or(now);
            let users = self.writes.of(layer).users.clone();
            self.writes.of(layer).not_before = resumes.max(now + self.policy.write_at_most);
            self.disbelieve(layer, &users);
            return;
        }
        if layer == Source::LocalStorage && !self.layers.ledger.counted {
            let id = self.flights.depart(Task::Count, now);
            self.layers.ledger.counting = Some(id);
            self.queue.push_back(Effect::Count { id });
            return;
        }
        self.ask_whether_they_decode(layer);
        if self.writes.decoding > 0 {
            return;
        }
        let (users, others) = self.writes.of(layer).take();
        let mut ops = Ops::default();
        self.make_room(layer, &mut ops);
        for user in &users {
            self.owed_of(user, layer, &mut ops);
        }
        others.into_iter().for_each(|owed| ops.push_other(owed));
        self.send(layer, ops);
    }

    pub(super) fn send(&mut self, layer: Source, Ops { ops, rows }: Ops<B>) {
        if ops.is_empty() {
            return;
        }
        let id = self.flights.depart(Task::Write { layer, rows }, self.time.now());
        self.layers.of_mut(layer).writing = Some(id);
        let room = self.room(layer);
        self.queue.push_back(Effect::Write { id, layer, ops, now: self.time.wall(), room });
    }

    fn room(&self, layer: Source) -> Room {
        let (pages, profiles) = (self.policy.pages, self.policy.profiles);
        let limits = match layer {
            Source::LocalStorage => self.policy.local_storage,
            _ => self.policy.indexed_db,
        };
        let halve = layer == Source::IndexedDb && self.layers.durable.full;
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
            let Some(person) = self.people.get(user).filter(|person| person.keep) else {
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
