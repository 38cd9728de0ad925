//! Everybody of whom something is known, and the indexes over them.
//!
//! The indexes say nothing that the facts do not: who is due when, who waits for a request, who may
//! be forgotten first, how many records name an image.

use std::collections::{BTreeMap, BTreeSet};

use miniature_api::{ImageId, Size, UserId};

use super::{person::Person, targets::Target, view::Handed};
use crate::cache::{
    clock::Moment,
    entry::Bytes,
    eviction::{Limits, Usage},
};

/// All users.
#[derive(Clone, Debug)]
pub(super) struct People<B> {
    all: BTreeMap<UserId, Person<B>>,
    /// Whose facts changed since the last plan.
    dirty: BTreeSet<UserId>,
    /// By the time at which something changes by itself.
    due: BTreeSet<Place>,
    /// What waits for a request: for viewers before prefetched, older before younger.
    queue: BTreeSet<Place>,
    /// Those whom memory may forget, least recently used first.
    idle: BTreeSet<Place>,
    bytes: u64,
    /// How many are here for a renewal alone.
    passing: usize,
    clock: u64,
}

/// A place in an index. All indexes share one type: each costs several kB in the bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    moment: Moment,
    later: bool,
    number: u64,
    user: UserId,
    size: Size,
}

impl Place {
    fn new(user: &UserId) -> Self {
        let (moment, user) = (Moment::NEVER, user.clone());
        Self { moment, later: false, number: 0, user, size: Size::S64 }
    }

    fn due(moment: Moment, user: &UserId) -> Self {
        Self { moment, ..Self::new(user) }
    }

    fn idle(number: u64, user: &UserId) -> Self {
        Self { number, ..Self::new(user) }
    }

    fn queued((later, number): (bool, u64), user: &UserId, size: Size) -> Self {
        Self { later, number, size, ..Self::new(user) }
    }
}

impl<B> Default for People<B> {
    fn default() -> Self {
        Self {
            all: BTreeMap::new(),
            dirty: BTreeSet::new(),
            due: BTreeSet::new(),
            queue: BTreeSet::new(),
            idle: BTreeSet::new(),
            bytes: 0,
            passing: 0,
            clock: 0,
        }
    }
}

impl<B: Bytes> People<B> {
    pub(super) fn get(&self, user: &UserId) -> Option<&Person<B>> {
        self.all.get(user)
    }

    /// Changes the facts about a user, known or not, and marks them as changed. Every change goes
    /// through here: it keeps the indexes.
    pub(super) fn change<T>(&mut self, user: &UserId, act: impl FnOnce(&mut Person<B>) -> T) -> T {
        let new = !self.all.contains_key(user);
        let person = self.all.entry(user.clone()).or_default();
        let before = Indexed::of(person, new);
        let result = act(person);
        let after = Indexed::of(person, false);
        self.reindex(user, before, after);
        self.dirty.insert(user.clone());
        result
    }

    /// As [`Self::change`], for those of whom something is known.
    pub(super) fn change_known<T>(
        &mut self,
        user: &UserId,
        act: impl FnOnce(&mut Person<B>) -> T,
    ) -> Option<T> {
        self.all.contains_key(user).then(|| self.change(user, act))
    }

    fn reindex(&mut self, user: &UserId, before: Indexed, after: Indexed) {
        self.bytes = self.bytes.saturating_sub(before.bytes).saturating_add(after.bytes);
        self.passing = self.passing + usize::from(after.passing) - usize::from(before.passing);
        if before.idle != after.idle {
            if let Some(used) = before.idle {
                self.idle.remove(&Place::idle(used, user));
            }
            if let Some(used) = after.idle {
                self.idle.insert(Place::idle(used, user));
            }
        }
    }

    /// Whether any known record names the image.
    pub(super) fn is_named(&self, image: ImageId) -> bool {
        self.all.values().any(|person| person.image() == Some(image))
    }

    /// Notes a use of the user, the last one so far.
    pub(super) fn use_now(&mut self, user: &UserId) {
        self.clock += 1;
        let clock = self.clock;
        self.change(user, |person| person.used = clock);
    }

    /// A number for what comes next: later ones are greater.
    pub(super) fn next_number(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Everybody's facts may mean something else now.
    pub(super) fn touch_all(&mut self) {
        self.dirty.extend(self.all.keys().cloned());
    }

    /// Those who are looked at.
    pub(super) fn viewed(&self) -> Vec<UserId> {
        let viewed = self.all.iter().filter(|(_, person)| person.is_viewed());
        viewed.map(|(user, _)| user.clone()).collect()
    }

    /// Whose facts changed, or whose time has come by `now`.
    pub(super) fn take_dirty(&mut self, now: Moment) -> BTreeSet<UserId> {
        while let Some(place) = self.due.first().filter(|place| place.moment <= now).cloned() {
            self.due.remove(&place);
            self.set_due(&place.user, None);
            self.dirty.insert(place.user);
        }
        std::mem::take(&mut self.dirty)
    }

    /// When the user's time comes next.
    pub(super) fn set_due(&mut self, user: &UserId, due: Option<Moment>) {
        let Some(person) = self.all.get_mut(user) else {
            return;
        };
        if person.due == due {
            return;
        }
        if let Some(before) = std::mem::replace(&mut person.due, due) {
            self.due.remove(&Place::due(before, user));
        }
        if let Some(due) = due {
            self.due.insert(Place::due(due, user));
        }
    }

    pub(super) fn first_due(&self) -> Option<Moment> {
        self.due.first().map(|place| place.moment)
    }

    /// Puts a size of the user's into the queue for requests, or takes it out.
    pub(super) fn set_queued(&mut self, user: &UserId, size: Size, place: Option<(bool, u64)>) {
        let Some(target) = self.all.get_mut(user).and_then(|person| person.target_mut(size)) else {
            return;
        };
        if target.queued == place {
            return;
        }
        if let Some(before) = std::mem::replace(&mut target.queued, place) {
            self.queue.remove(&Place::queued(before, user, size));
        }
        if let Some(place) = place {
            self.queue.insert(Place::queued(place, user, size));
        }
    }

    /// Changes a target that has come to be under way: nothing new follows from that.
    pub(super) fn adjust(&mut self, user: &UserId, size: Size, act: impl FnOnce(&mut Target)) {
        if let Some(target) = self.all.get_mut(user).and_then(|person| person.target_mut(size)) {
            act(target);
        }
    }

    /// Nobody waits for what was loaded ahead any more.
    pub(super) fn end_prefetch(&mut self, user: &UserId, size: Size) {
        let Some(person) = self.all.get_mut(user) else {
            return;
        };
        let before = Indexed::of(person, false);
        if let Some(target) = person.target_mut(size) {
            target.prefetch = false;
        }
        let after = Indexed::of(person, false);
        self.reindex(user, before, after);
    }

    /// Notes the view that was handed out, and forgets the way to it if nobody waits any more.
    pub(super) fn set_handed(&mut self, user: &UserId, size: Size, handed: Handed, done: bool) {
        self.adjust(user, size, |target| {
            target.handed = Some(handed);
            if done {
                target.trail.clear();
            }
        });
    }

    /// Whether anything waits for a request.
    pub(super) fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The first in the queue, and the size that they lack.
    pub(super) fn first_waiting(&self) -> Option<(UserId, Size)> {
        self.queue.first().map(|place| (place.user.clone(), place.size))
    }

    /// The next request: the first in the queue, and those behind who want the same size. Those whose
    /// bytes are known to be elsewhere have requests of their own.
    pub(super) fn next_batch(&self, at_most: usize, now: Moment) -> Option<(Size, Vec<UserId>)> {
        let size = self.queue.first()?.size;
        let leads = |user: &UserId| self.all.get(user).is_some_and(|p| p.lead(size, now).is_some());
        let same = self.queue.iter().filter(|place| place.size == size && !leads(&place.user));
        Some((size, same.map(|place| place.user.clone()).take(at_most).collect()))
    }

    pub(super) fn usage(&self) -> Usage {
        Usage { entries: self.all.len(), bytes: self.bytes }
    }

    /// Gives up what is over the limits, least recently used first. What is on screen or on a hidden
    /// page stays, and so does the number that stays in all beside it: what a page has just brought is not the
    /// first to go. What is `owed` to a layer stays while there is room for its bytes: nobody would
    /// write it any more.
    pub(super) fn trim(&mut self, limits: Limits, owed: impl Fn(&UserId) -> bool) {
        let keep = match self.all.len() - self.passing > limits.entries {
            true => limits.trim_entries_to,
            false => self.idle.len(),
        };
        if self.idle.len() <= keep && self.bytes <= limits.bytes {
            return;
        }
        let idle: Vec<UserId> = self.idle.iter().map(|place| place.user.clone()).collect();
        for user in idle {
            let is_full = self.bytes > limits.bytes;
            if is_full || (self.idle.len() > keep && !owed(&user)) {
                self.forget(&user);
            }
        }
    }

    /// Forgets those who are neither on screen nor on a hidden page.
    pub(super) fn forget_idle(&mut self) {
        while let Some(place) = self.idle.first().cloned() {
            self.forget(&place.user);
        }
    }

    pub(super) fn forget(&mut self, user: &UserId) {
        let sizes: Vec<Size> =
            self.all.get(user).map_or(Vec::new(), |p| p.targets.iter().map(|t| t.size).collect());
        for size in sizes {
            self.set_queued(user, size, None);
        }
        self.set_due(user, None);
        if let Some(person) = self.all.remove(user) {
            self.reindex(user, Indexed::of(&person, false), Indexed::default());
        }
        self.dirty.remove(user);
    }

    /// Changes everybody who is looked at, and marks them.
    pub(super) fn change_viewed(&mut self, mut act: impl FnMut(&mut Person<B>)) {
        for user in self.viewed() {
            self.change(&user, &mut act);
        }
    }

    /// Changes everybody, and marks them.
    pub(super) fn change_all(&mut self, mut act: impl FnMut(&mut Person<B>)) {
        let users: Vec<UserId> = self.all.keys().cloned().collect();
        for user in users {
            self.change(&user, &mut act);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&UserId, &Person<B>)> {
        self.all.iter()
    }
}

/// What of a person stands in an index.
#[derive(Clone, Copy, Debug, Default)]
struct Indexed {
    bytes: u64,
    idle: Option<u64>,
    passing: bool,
}

impl Indexed {
    fn of<B: Bytes>(person: &Person<B>, new: bool) -> Self {
        if new {
            return Self::default();
        }
        let passing = person.is_passing();
        let is_idle = !passing && !person.is_wanted() && !person.has_viewers();
        Self { bytes: person.bytes(), idle: is_idle.then_some(person.used), passing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{
        clock::Timestamp,
        core::{
            person::{Decodes, Held, Known},
            testing::{Blob, Outside, good, image_of, user},
        },
        entry::CheckedRecord,
        key::{RenditionKey, Source},
    };

    /// Four that nobody looks at, the last used longest ago, each with an image of 1 280 bytes.
    fn four() -> People<Blob> {
        let mut people = People::default();
        for record in Outside::with_users(4).borrow().server.truth.values() {
            let user = record.user_id.clone();
            let checked =
                CheckedRecord { record: record.clone(), lineage: None, checked_at: Timestamp(0) };
            let key = RenditionKey { image: checked.record.image_id.unwrap(), size: Size::S64 };
            people.change(&user, |person| {
                let (asked, fresh_until) = (Moment::NEVER, Moment::NEVER);
                person.known = Some(Known { checked, asked, fresh_until, heard: true });
                let (source, unseen, decodes) = (Source::Network, None, Decodes::Yes);
                person.held.push(Held { rendition: good(key), source, unseen, decodes });
            });
        }
        (0..4).rev().for_each(|index| people.use_now(&user(index)));
        people
    }

    #[test]
    fn the_least_recently_used_go_first_and_what_is_owed_stays_while_it_fits() {
        let limits = |entries, bytes, trim_entries_to| Limits { entries, bytes, trim_entries_to };
        let all = 4 * 1_280;
        let cases: [(&str, Limits, usize, &[usize]); 6] = [
            ("within both", limits(4, all, 4), 9, &[0, 1, 2, 3]),
            ("one too many", limits(3, all, 3), 9, &[0, 1, 2]),
            ("trimmed below the limit", limits(3, all, 2), 9, &[0, 1]),
            ("the last is owed", limits(3, all, 3), 3, &[0, 1, 3]),
            ("a byte too many", limits(4, all - 1, 4), 9, &[0, 1, 2]),
            ("a byte too many, and the last is owed", limits(4, all - 1, 4), 3, &[0, 1, 2]),
        ];
        for (name, limits, owed, expected) in cases {
            let mut people = four();
            people.trim(limits, |other| *other == user(owed));
            let left: Vec<UserId> = people.iter().map(|(user, _)| user.clone()).collect();
            assert_eq!(left, expected.iter().map(|i| user(*i)).collect::<Vec<_>>(), "{name}");
        }
    }

    #[test]
    fn an_image_is_named_while_a_record_names_it() {
        let mut people = four();
        let image = image_of(&user(1), 0, 1);
        assert!(people.is_named(image) && !people.is_named(image_of(&user(9), 0, 1)));
        people.change(&user(1), |person| person.known = None);
        assert!(!people.is_named(image));
    }
}
