//! What layers may be owed, and since when.

use std::{collections::BTreeSet, ops::Bound, time::Duration};

use miniature_api::{ImageId, Lineage, UserId};

use super::{LiveNote, layers::LASTING};
use crate::cache::{
    clock::{Moment, Timestamp},
    document::{Document, DocumentKey},
    entry::Version,
    key::{RenditionKey, Source},
    policy::Policy,
};

/// What may have to be written, by layer.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes {
    pub(super) local: Pending,
    pub(super) durable: Pending,
    pub(super) pictures: Pending,
    /// Pictures that the browser is asked about.
    pub(super) decoding: u32,
    /// Whether it may have to be asked about more.
    pub(super) undecoded: bool,
    /// LocalStorage did not take from when rows are to be believed.
    pub(super) untold: bool,
}

/// Whose rows are to be written, and what beside those.
type Taken = (BTreeSet<UserId>, Vec<Owed>);

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
    /// After a part of it was written, while the page is visible.
    next_part: Moment,
    /// The last user of that part.
    last_user: Option<UserId>,
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
            next_part: Moment::NEVER,
            last_user: None,
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
    /// A row that is to go: it is one too many, or older than what cannot be written.
    Row(UserId),
    Lineage(Lineage),
    BelieveFrom(Timestamp),
    Live(LiveNote),
}

pub(super) const BOTH: [Source; 2] = [Source::LocalStorage, Source::IndexedDb];

impl Writes {
    pub(super) fn of(&mut self, layer: Source) -> &mut Pending {
        match layer {
            Source::LocalStorage => &mut self.local,
            Source::ServiceWorker => &mut self.pictures,
            _ => &mut self.durable,
        }
    }

    /// A user's rows may be behind.
    pub(super) fn want(&mut self, user: &UserId, now: Moment) {
        for layer in LASTING {
            self.of(layer).users.insert(user.clone());
            self.of(layer).changed(now);
        }
        self.undecoded = true;
    }

    /// Whether rows of the user may be behind.
    pub(super) fn owes(&self, user: &UserId) -> bool {
        self.local.users.contains(user) || self.durable.users.contains(user)
    }

    /// Something was painted: layers are written once the page rests.
    pub(super) fn put_off(&mut self, now: Moment) {
        LASTING.into_iter().for_each(|layer| self.of(layer).last = now);
    }

    /// What must not be held goes at once.
    pub(super) fn hurry(&mut self) {
        LASTING.into_iter().for_each(|layer| self.of(layer).urgent = true);
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
        self.owe(&LASTING, &Owed::Discard(user.clone(), key), now);
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

    pub(super) fn believe_from(&mut self, from: Timestamp, now: Moment) {
        self.owe(&[Source::LocalStorage], &Owed::BelieveFrom(from), now);
    }

    pub(super) fn note_lineage(&mut self, lineage: Lineage, now: Moment) {
        self.local.others.retain(|owed| !matches!(owed, Owed::Lineage(_)));
        self.owe(&[Source::LocalStorage], &Owed::Lineage(lineage), now);
    }

    pub(super) fn note_live(&mut self, note: LiveNote, now: Moment) {
        self.local.others.retain(|owed| !matches!(owed, Owed::Live(_)));
        self.owe(&[Source::LocalStorage], &Owed::Live(note), now);
    }

    /// The browser has said something of a picture, or nothing in time. Of what is to be written
    /// nothing has changed.
    pub(super) fn decoded(&mut self, user: &UserId, now: Moment) {
        self.decoding = self.decoding.saturating_sub(1);
        for layer in LASTING {
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

    pub(super) fn due(&self, policy: &Policy, visible: bool) -> Option<Moment> {
        let due = self.after(policy.write_after, policy, visible)?;
        Some(due.max(self.not_before))
    }

    /// This long after the last change, or at once in a page that is about to go.
    pub(super) fn after(&self, quiet: Duration, policy: &Policy, visible: bool) -> Option<Moment> {
        let first = self.first.filter(|_| !self.is_empty())?;
        Some(match visible && !self.urgent {
            true => (self.last + quiet).min(first + policy.write_at_most).max(self.next_part),
            false => first,
        })
    }

    /// Takes what is pending, but in a visible page the rows of no more than so many users: a long task
    /// holds a frame up. The next part begins after them, so that each has its turn.
    pub(super) fn take_part(&mut self, policy: &Policy, visible: bool, now: Moment) -> Taken {
        if !visible || self.urgent || self.users.len() <= policy.write_users {
            return self.take();
        }
        let last = self.last_user.take();
        let after = last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.users.range::<UserId, _>((after, Bound::Unbounded));
        let before = last.iter().flat_map(|last| self.users.range::<UserId, _>(..=last));
        let part: Vec<UserId> = next.chain(before).take(policy.write_users).cloned().collect();
        self.users.retain(|user| !part.contains(user));
        self.last_user = part.last().cloned();
        self.next_part = now + policy.write_pause;
        (part.into_iter().collect(), std::mem::take(&mut self.others))
    }

    /// Takes what is pending: it is being written.
    pub(super) fn take(&mut self) -> Taken {
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

    /// Whether `older` need not be written any more.
    pub(super) fn replaces(&self, older: &Self) -> bool {
        match older {
            Self::Document(document) => self.is_about(&document.key),
            Self::NoDocument(key) => self.is_about(key),
            Self::Lineage(_) => matches!(self, Self::Lineage(_)),
            Self::Live(_) => matches!(self, Self::Live(_)),
            _ => self == older,
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
            | Self::Image(user, _)
            | Self::Row(user) => Some(user),
            _ => None,
        }
    }
}

fn layers_of(key: &DocumentKey) -> &'static [Source] {
    if key.is_first_page() { &BOTH } else { &[Source::IndexedDb] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::document::Body;
    use miniature_api::FriendsPage;

    fn ada() -> UserId {
        "ada".parse().unwrap()
    }

    fn key(cursor: &str) -> DocumentKey {
        DocumentKey::Friends(Some(cursor.into()))
    }

    fn lineage(millis: u64) -> Lineage {
        format!("{millis:013}-0000000000000001").parse().unwrap()
    }

    fn page(cursor: &str) -> Owed {
        Owed::Document(Document {
            key: key(cursor),
            body: Body::Friends(FriendsPage { friends: Vec::new(), next: None }.into()),
            etag: None,
            lineage: lineage(1),
            checked_at: Timestamp(0),
        })
    }

    #[test]
    fn what_was_put_off_gives_way_to_what_is_about_the_same() {
        let removed = |cursor| Owed::NoDocument(key(cursor));
        let (first, second) = (Owed::Lineage(lineage(1)), Owed::Lineage(lineage(2)));
        let cases = [
            (page("b"), page("b"), true),
            (removed("b"), page("b"), true),
            (page("b"), removed("b"), true),
            (removed("b"), removed("b"), true),
            (page("b"), removed("c"), false),
            (removed("b"), page("c"), false),
            (second.clone(), first, true),
            (second, page("b"), false),
            (Owed::Expire(ada()), Owed::Expire(ada()), true),
            (Owed::Expire(ada()), Owed::Touch(ada()), false),
        ];
        for (newer, older, expected) in cases {
            assert_eq!(newer.replaces(&older), expected, "{newer:?} in place of {older:?}");
        }
    }

    fn at(millis: u64) -> Moment {
        Moment::of(Duration::from_millis(millis))
    }

    #[test]
    fn what_is_noted_gives_way_to_what_is_about_the_same_and_to_nothing_else() {
        let (mut writes, other) = (Writes::default(), page("c"));
        writes.durable.others = vec![other.clone(), page("b")];
        writes.no_document(key("b"), at(0));
        assert_eq!(writes.durable.others, [other, Owed::NoDocument(key("b"))]);

        writes.local.others = vec![Owed::BelieveFrom(Timestamp(1)), Owed::Lineage(lineage(1))];
        writes.note_lineage(lineage(2), at(0));
        let expected = [Owed::BelieveFrom(Timestamp(1)), Owed::Lineage(lineage(2))];
        assert_eq!(writes.local.others, expected);
    }

    #[test]
    fn layers_are_written_once_the_page_rests_and_not_before_a_failed_one_may_be_asked_again() {
        let policy = Policy::default();
        let due = |writes: &Writes, visible| writes.durable.due(&policy, visible);
        let mut writes = Writes::default();
        writes.want(&ada(), at(1_000));
        assert_eq!(due(&writes, true), Some(at(1_000) + policy.write_after));
        assert_eq!(due(&writes, false), Some(at(1_000)), "nobody looks");
        writes.put_off(at(1_400));
        assert_eq!(due(&writes, true), Some(at(1_400) + policy.write_after), "it was painted");
        writes.put_off(at(9_000));
        assert_eq!(due(&writes, true), Some(at(1_000) + policy.write_at_most));

        writes.durable.not_before = at(20_000);
        assert_eq!(due(&writes, true), Some(at(20_000)));
        let (users, _) = writes.durable.take();
        assert_eq!((users.len(), due(&writes, true)), (1, None));
        writes.want(&ada(), at(10_000));
        assert_eq!(due(&writes, true), Some(at(20_000)), "that one is not taken with it");
        writes.durable.users.clear();
        assert_eq!(due(&writes, true), None, "nothing is left");
    }

    #[test]
    fn a_visible_page_writes_a_part_at_a_time_and_one_that_goes_writes_all() {
        let policy = Policy { write_users: 1, ..Policy::default() };
        let mut writes = Writes::default();
        let owe = |writes: &mut Writes| {
            ["ada", "bob", "eve"]
                .iter()
                .for_each(|name| writes.want(&name.parse().unwrap(), at(0)));
        };
        owe(&mut writes);
        let take = |writes: &mut Writes, visible, now| {
            writes.durable.take_part(&policy, visible, at(now)).0.len()
        };
        assert_eq!(take(&mut writes, true, 9_000), 1);
        writes.want(&ada(), at(0));
        assert_eq!(take(&mut writes, true, 9_000), 1);
        let waiting: Vec<_> = writes.durable.users.iter().map(UserId::as_str).collect();
        assert_eq!(waiting, ["ada", "eve"], "each has their turn");
        let due = |writes: &Writes, visible| writes.durable.due(&policy, visible);
        assert_eq!(due(&writes, true), Some(at(9_000) + policy.write_pause));
        assert_eq!(due(&writes, false), Some(at(0)));
        assert_eq!(take(&mut writes, false, 9_001), 2);
        assert_eq!(due(&writes, false), None);

        owe(&mut writes);
        writes.hurry();
        assert_eq!(take(&mut writes, true, 9_002), 3, "what must not be held");
    }
}
