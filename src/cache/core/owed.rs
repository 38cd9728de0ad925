//! What a layer is owed: what it ought to hold and, as far as is known, does not.

use miniature_api::UserId;

use super::{
    Core,
    effect::Op,
    pending::Owed,
    person::{Decodes, Held, Person, Stored},
};
use crate::cache::{
    entry::{Bytes, Rendition},
    key::{RenditionKey, Source},
};

/// Changes in the order in which they are made, and what each of them settles.
pub(super) struct Ops<B> {
    pub(super) ops: Vec<Op<B>>,
    pub(super) rows: Vec<Owed>,
}

impl<B> Default for Ops<B> {
    fn default() -> Self {
        Self { ops: Vec::new(), rows: Vec::new() }
    }
}

impl<B: Bytes> Ops<B> {
    pub(super) fn push(&mut self, op: Op<B>, owed: Owed) {
        self.ops.push(op);
        self.rows.push(owed);
    }

    fn rendition(&mut self, user: &UserId, rendition: &Rendition<B>) {
        let op = Op::Rendition { user: user.clone(), rendition: rendition.clone() };
        self.push(op, Owed::Rendition(user.clone(), rendition.key));
    }

    /// What of it a full disk takes, too.
    pub(super) fn without_room(self) -> Self {
        let all = self.ops.into_iter().zip(self.rows);
        let (ops, rows) = all.filter(|(_, owed)| !owed.takes_room()).unzip();
        Self { ops, rows }
    }

    pub(super) fn push_other(&mut self, owed: Owed) {
        let op = match &owed {
            Owed::Document(document) => Op::Document(document.clone()),
            Owed::NoDocument(key) => Op::RemoveDocument(key.clone()),
            Owed::Expire(user) => Op::Expire(user.clone()),
            Owed::Discard(user, key) => Op::RemoveRendition { user: user.clone(), key: *key },
            Owed::Row(user) => Op::RemoveUser(user.clone()),
            Owed::Lineage(lineage) => Op::Lineage(*lineage),
            Owed::BelieveFrom(moment) => Op::BelieveFrom(*moment),
            Owed::Live(note) => Op::Live(note.clone()),
            Owed::Record { .. }
            | Owed::Rendition(..)
            | Owed::Touch(_)
            | Owed::Gone(_)
            | Owed::Image(..) => return,
        };
        self.push(op, owed);
    }
}

impl<B: Bytes> Core<B> {
    /// What a layer is owed of a user.
    pub(super) fn owed_of(&self, user: &UserId, layer: Source, ops: &mut Ops<B>) {
        let Some(person) = self.people.get(user) else {
            return;
        };
        let stored = person.stored(layer);
        for image in stored.unwanted.iter().filter(|image| !self.people.is_named(**image)) {
            let op = Op::RemoveImage { user: user.clone(), image: *image };
            ops.push(op, Owed::Image(user.clone(), *image));
        }
        if layer == Source::ServiceWorker {
            return self.owed_pictures(user, person, ops);
        }
        let Some(known) = &person.known else {
            let may_be_there = !stored.seen || stored.record.is_some();
            if person.gone.is_some() && may_be_there {
                ops.push(Op::RemoveUser(user.clone()), Owed::Gone(user.clone()));
            }
            return;
        };
        let row = (known.checked.version(), known.checked.checked_at);
        let insert = person.keep;
        let wall = self.time.wall();
        let behind = stored
            .record
            .is_none_or(|(version, checked_at)| (version, checked_at.unless_after(wall)) < row);
        let missing = insert && !stored.seen;
        let may_update = insert || !stored.seen || stored.record.is_some();
        let is_news = known.heard || stored.seen;
        if is_news && may_update && (behind || missing) {
            let op = Op::Record { record: known.checked.clone(), insert };
            ops.push(op, Owed::Record { user: user.clone(), row, insert });
        } else {
            self.owed_use(user, person, stored, ops);
        }
        if person.keep || (person.passing && layer == Source::IndexedDb) {
            self.owed_renditions(user, person, layer, ops);
        }
    }

    /// The cache of pictures is owed what is looked at.
    fn owed_pictures(&self, user: &UserId, person: &Person<B>, ops: &mut Ops<B>) {
        let stored = &person.stored(Source::ServiceWorker).renditions;
        for target in person.targets.iter().filter(|target| target.is_viewed()) {
            let best = person.best(target.size).filter(|held| {
                Some(held.rendition.image()) == person.image() && held.decodes == Decodes::Yes
            });
            let is_owed = |held: &&Held<B>| {
                let key = held.rendition.key;
                let is_in_ops = ops.rows.contains(&Owed::Rendition(user.clone(), key));
                !stored.contains(&key) && !is_in_ops
            };
            if let Some(held) = best.filter(is_owed) {
                ops.rendition(user, &held.rendition);
            }
        }
    }

    /// A use is noted once an hour. In IndexedDB, where it was not asked, as in LocalStorage.
    fn owed_use(&self, user: &UserId, person: &Person<B>, stored: &Stored, ops: &mut Ops<B>) {
        let used_at = stored.used_at.max(person.local.used_at);
        let wall = self.time.wall();
        let recent = wall.age_of(used_at).is_some_and(|age| age < self.policy.note_use_every);
        if recent || !person.is_viewed() {
            return;
        }
        for target in person.targets.iter().filter(|target| target.is_viewed()) {
            let rendition = person.best(target.size).map(|held| held.rendition.key);
            let op = Op::Touch { user: user.clone(), rendition };
            ops.push(op, Owed::Touch(user.clone()));
        }
    }

    fn owed_renditions(&self, user: &UserId, person: &Person<B>, layer: Source, ops: &mut Ops<B>) {
        let stored = &person.stored(layer).renditions;
        let image = person.image();
        let current = person
            .held
            .iter()
            .filter(|held| Some(held.rendition.image()) == image && held.decodes == Decodes::Yes);
        if layer == Source::IndexedDb {
            let lacking = current.filter(|held| {
                let is_further = held.source > Source::IndexedDb;
                is_further && !stored.contains(&held.rendition.key)
            });
            lacking.for_each(|held| ops.rendition(user, &held.rendition));
            return;
        }
        let small = current.map(|held| &held.rendition).filter(|rendition| {
            rendition.size() <= self.policy.preview_up_to
                && rendition.content.byte_len() <= self.policy.preview_bytes
        });
        let Some(preview) = small.max_by_key(|rendition| rendition.size()) else {
            return;
        };
        let as_good =
            |held: &RenditionKey| held.image == preview.image() && held.size >= preview.size();
        if !stored.iter().any(as_good) {
            ops.rendition(user, preview);
        }
    }
}
