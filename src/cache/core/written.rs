//! What came of a write.

use std::collections::BTreeSet;

use miniature_api::UserId;

use super::{Core, Effect, owed::Ops, pending::Owed, person::Stored};
use crate::cache::{
    clock::Moment,
    entry::Bytes,
    key::{RenditionKey, Source},
    layer::LayerError,
};

impl<B: Bytes> Core<B> {
    /// A layer took a change.
    pub(super) fn now_stored(&mut self, layer: Source, owed: &Owed) {
        let wall = self.time.wall();
        match owed {
            Owed::Record { user, row, insert } => self.stored(user, layer, |stored| {
                (stored.record, stored.used_at) = (Some(*row), wall);
                stored.seen |= insert;
            }),
            Owed::Rendition(user, key) => self.stored(user, layer, |stored| {
                let stays = |held: &RenditionKey| {
                    layer != Source::LocalStorage && held.image == key.image && held != key
                };
                stored.renditions.retain(stays);
                stored.renditions.push(*key);
            }),
            Owed::Touch(user) => self.stored(user, layer, |stored| stored.used_at = wall),
            Owed::Gone(user) | Owed::Row(user) => self.stored(user, layer, |stored| {
                (stored.seen, stored.record) = (true, None);
                stored.renditions.clear();
            }),
            Owed::Image(user, image) => self.stored(user, layer, |stored| {
                stored.unwanted.retain(|unwanted| unwanted != image);
                stored.renditions.retain(|held| held.image != *image);
            }),
            Owed::Document(document) if layer == Source::IndexedDb => {
                if document.key == super::friends::FIRST {
                    self.queue.push_back(Effect::AnnounceList(true));
                }
            }
            Owed::Document(_)
            | Owed::NoDocument(_)
            | Owed::Expire(_)
            | Owed::Discard(..)
            | Owed::Lineage(_)
            | Owed::Live(_) => {}
            Owed::BelieveFrom(_) => self.writes.untold = false,
        }
    }

    fn stored(&mut self, user: &UserId, layer: Source, act: impl FnOnce(&mut Stored)) {
        self.people.change_known(user, |person| act(person.stored_mut(layer)));
    }

    /// A layer did not take changes: they stay owed. What is older there than what could not be
    /// written is shown from now on and never believed.
    pub(super) fn not_written(&mut self, layer: Source, rows: &[Owed], error: LayerError) {
        let again = self.layers.of_mut(layer).write_failed(error);
        let now = self.time.now();
        let users: BTreeSet<UserId> = rows.iter().filter_map(Owed::derived_from).cloned().collect();
        if !again {
            self.disbelieve(layer, &users);
        }
        if rows.iter().any(|owed| matches!(owed, Owed::BelieveFrom(_))) {
            self.writes.untold = true;
            let known = self.people.iter().map(|(user, _)| user.clone());
            let behind = |user: &UserId| self.is_behind(user, Source::IndexedDb);
            let behind: Vec<UserId> = known.filter(behind).collect();
            self.writes.durable.users.extend(behind);
            self.writes.durable.changed(now);
        }
        let resumes = self.layers.of(layer).resumes().unwrap_or(Moment::NEVER);
        let later = if again { now } else { now + self.policy.write_at_most };
        let pending = self.writes.of(layer);
        for owed in rows.iter().filter(|owed| owed.derived_from().is_none()) {
            let overtaken = pending.others.iter().any(|newer| newer.replaces(owed));
            if !overtaken && !matches!(owed, Owed::BelieveFrom(_)) {
                pending.others.push(owed.clone());
            }
        }
        pending.users.extend(users);
        pending.changed(now);
        pending.urgent |= again;
        pending.not_before = later.max(resumes);
    }

    /// Where a newer record than a layer may hold could not be written, its rows are shown from
    /// now on and never believed. Returns whether LocalStorage can say so.
    pub(super) fn disbelieve(&mut self, layer: Source, users: &BTreeSet<UserId>) -> bool {
        let is_told = self.layers.local.allows(self.time.now()) && !self.writes.untold;
        if is_told && users.iter().any(|user| self.is_behind(user, layer)) {
            let wall = self.time.wall();
            self.believe_from = self.believe_from.max(wall);
            let mut ops = Ops::default();
            ops.push_other(Owed::BelieveFrom(wall));
            self.send(Source::LocalStorage, ops);
        }
        is_told
    }

    /// Whether a layer may hold an older record of the user that would be believed.
    pub(super) fn is_behind(&self, user: &UserId, layer: Source) -> bool {
        let has_records = layer != Source::ServiceWorker;
        let Some(person) = self.people.get(user).filter(|_| has_records) else {
            return false;
        };
        let (asked, version) = match (&person.known, person.gone) {
            (Some(known), _) if known.heard => (known.asked, Some(known.checked.version())),
            (None, Some(gone)) => (gone.asked, None),
            _ => return false,
        };
        let older = |stored: &Stored| match stored.record {
            Some((held, _)) => version.is_none_or(|version| held < version),
            None => !stored.seen,
        };
        let is_believed = self.writes.untold || self.time.wall_at(asked) >= self.believe_from;
        is_believed && older(person.stored(layer))
    }
}
