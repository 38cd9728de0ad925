//! What follows from the events of the stream that were heard.

use miniature_api::{Change, Lineage, Profile, Record, UserId};

use super::{Core, Kept, StreamBody};
use crate::cache::{
    clock::Moment,
    document::{Body, Document, DocumentKey},
    entry::Bytes,
};

impl<B: Bytes> Core<B> {
    pub(super) fn take_in_events(&mut self) {
        self.live.since = None;
        let reads = self.reads();
        for (lineage, body) in std::mem::take(&mut self.live.heard) {
            if self.lineage.is_some_and(|latest| lineage < latest) {
                continue;
            }
            match body {
                StreamBody::Change(Change::Picture(record)) => {
                    self.hear_picture(record, lineage, reads);
                }
                StreamBody::Change(Change::Profile(profile)) => {
                    self.hear_profile(profile, lineage, reads);
                }
                StreamBody::Reset => self.doubt(self.time.now(), true),
                StreamBody::Change(Change::Post(post)) => self.hear_post(post, lineage),
                StreamBody::UpTo => {}
            }
        }
    }

    /// Rows that exist are updated, none is made. Only one document writes: the reader, or who changed it.
    fn hear_picture(&mut self, record: Record, lineage: Lineage, writes: bool) {
        let user = record.user_id.clone();
        if !writes && self.people.get(&user).is_none() {
            return;
        }
        self.learn_from_server(record, lineage, self.time.now());
        if !writes {
            self.people.change_known(&user, |person| {
                let row = person.version().zip(person.known.as_ref().map(|k| k.checked.checked_at));
                for stored in [&mut person.local, &mut person.durable] {
                    stored.record = row.filter(|_| stored.seen);
                }
            });
        }
    }

    fn hear_profile(&mut self, profile: Profile, lineage: Lineage, writes: bool) {
        self.hear_picture(profile.picture.clone(), lineage, writes);
        let now = self.time.now();
        let fresh_until = now + self.policy.document_fresh_for;
        let mut changed = self.friends.rename(&profile);
        changed.extend(self.feed.rename(&profile));
        let key = DocumentKey::Profile(profile.user_id.clone());
        let document = Document {
            key: key.clone(),
            body: Body::Profile(profile.clone()),
            etag: None,
            lineage,
            checked_at: self.time.wall(),
        };
        match self.profile_mut(&profile.user_id).map(|profile| &mut profile.doc) {
            Some(doc) => {
                changed.push(document.clone());
                (doc.kept, doc.gone) = (Some(Kept { document, asked: now, fresh_until }), None);
            }
            None if writes => self.writes.no_document(key, now),
            None => {}
        }
        if writes {
            changed.into_iter().for_each(|document| self.writes.document(document, now));
        }
    }

    /// The account's user has changed their name or headline, and the server took it.
    #[inline(never)]
    pub(super) fn described(&mut self, account: &UserId, profile: Profile, lineage: Lineage) {
        if self.account.as_ref() == Some(account) && profile.user_id == *account {
            self.see_lineage(lineage);
            self.hear_profile(profile, lineage, true);
        }
    }

    /// What was answered before the line was open may have changed before it was. An answer that is
    /// still on its way says itself after which event it was made.
    pub(super) fn doubt_what_was_answered(&mut self, now: Moment) {
        self.people.change_all(|person| {
            if !person.is_confirming() {
                person.believe_from = person.believe_from.max(now);
            }
        });
        let docs = super::fetched_documents::documents_mut(
            &mut self.friends,
            &mut self.feed,
            &mut self.profiles,
        );
        for doc in docs.filter(|doc| doc.under_way.is_none()) {
            doc.believe_from = doc.believe_from.max(now);
        }
    }

    /// What was asked for before is not believed any more; if `everywhere`, no row of a layer either.
    pub(super) fn doubt(&mut self, before: Moment, everywhere: bool) {
        let wall = self.time.wall_at(before);
        self.people.change_all(|person| person.believe_from = person.believe_from.max(before));
        let docs = super::fetched_documents::documents_mut(
            &mut self.friends,
            &mut self.feed,
            &mut self.profiles,
        );
        docs.for_each(|doc| doc.believe_from = doc.believe_from.max(before));
        if everywhere {
            self.believe_from = self.believe_from.max(wall);
            if self.reads() {
                self.writes.believe_from(wall, self.time.now());
            }
        }
    }
}
