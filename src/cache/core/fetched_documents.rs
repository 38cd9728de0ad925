//! What the API says of pages and profiles.

use miniature_api::{Lineage, Profile, UserId};

use super::{
    Core, Doc, Feed, Friends, FriendsReply,
    documents::{Gone, Kept},
    fetched::find,
    flights::Flight,
};
use crate::cache::{
    clock::Moment,
    document::{Body, Document, DocumentKey},
    entry::Bytes,
    key::{RenditionKey, Source},
    layer::OriginError,
};

/// Every document of which something is known, in no order.
pub(super) fn documents_mut<'a>(
    friends: &'a mut Friends,
    feed: &'a mut Feed,
    profiles: &'a mut [(UserId, super::Profile)],
) -> impl Iterator<Item = &'a mut Doc> {
    let profiles = profiles.iter_mut().map(|(_, profile)| &mut profile.doc);
    friends.all_mut().chain(feed.all_mut()).chain(profiles)
}

impl<B: Bytes> Core<B> {
    pub(super) fn friends_page(
        &mut self,
        flight: &Flight,
        key: DocumentKey,
        sent: Moment,
        lineage: Lineage,
        reply: FriendsReply<B>,
    ) {
        let FriendsReply { page, etag, pictures, renditions } = reply;
        let arrived = self.received(renditions);
        let took = self.time.now().since(flight.since.min(sent));
        for friend in &page.friends {
            let record = friend.picture.clone();
            let image = record.image_id;
            self.learn_from_server(record, lineage, sent);
            if let (Some(image), Some(size)) = (image, pictures)
                && let Some(Some(bytes)) = find(&arrived, image)
            {
                let rendition = RenditionKey { image, size };
                self.keep_bytes(&friend.user_id, rendition, bytes.clone());
                self.mark_unseen(&friend.user_id, rendition, took);
            }
            self.people.use_now(&friend.user_id);
        }
        self.keep_document(key, Body::Friends(page.into()), etag, lineage, sent);
    }

    /// Who opens it first got it from the page, not from memory.
    pub(super) fn mark_unseen(
        &mut self,
        user: &UserId,
        key: RenditionKey,
        took: std::time::Duration,
    ) {
        self.people.change_known(user, |person| {
            let held = person.held_mut(key).filter(|held| held.source == Source::Network);
            if let Some(held) = held {
                held.unseen = Some(took);
            }
        });
    }

    pub(super) fn keep_document(
        &mut self,
        key: DocumentKey,
        body: Body,
        etag: Option<Box<str>>,
        lineage: Lineage,
        sent: Moment,
    ) {
        let checked_at = self.time.wall_at(sent);
        let fresh_until = sent + self.policy.document_fresh_for;
        let document = Document { key: key.clone(), body, etag, lineage, checked_at };
        self.writes.document(document.clone(), self.time.now());
        if let Some(doc) = self.document_mut(&key) {
            doc.succeed();
            doc.gone = None;
            doc.keep(Kept { document, asked: sent, fresh_until });
        }
    }

    /// The page is what it was, and so is all that it says of pictures.
    pub(super) fn not_modified(&mut self, key: &DocumentKey, sent: Moment) {
        let fresh_until = sent + self.policy.document_fresh_for;
        let checked_at = self.time.wall_at(sent);
        let Some(doc) = self.document_mut(key) else {
            return;
        };
        doc.succeed();
        let Some(kept) = &mut doc.kept else { return };
        (kept.asked, kept.fresh_until) = (sent, fresh_until);
        kept.document.checked_at = checked_at;
        let document = kept.document.clone();
        self.writes.document(document.clone(), self.time.now());
        let Body::Friends(page) = document.body else {
            return;
        };
        let lineage = document.lineage;
        for friend in &page.friends {
            self.learn_from_server(friend.picture.clone(), lineage, sent);
        }
    }

    #[inline(never)]
    pub(super) fn profile_answer(
        &mut self,
        key: DocumentKey,
        sent: Moment,
        lineage: Lineage,
        profile: Profile,
    ) {
        self.learn_from_server(profile.picture.clone(), lineage, sent);
        self.keep_document(key, Body::Profile(profile), None, lineage, sent);
    }

    #[inline(never)]
    pub(super) fn no_profile(&mut self, key: &DocumentKey, sent: Moment) {
        let until = sent + self.policy.absence_fresh_for;
        if let Some(doc) = self.document_mut(key) {
            doc.succeed();
            (doc.kept, doc.gone) = (None, Some(Gone { asked: sent, until }));
        }
        if let DocumentKey::Profile(user) = key {
            self.no_user(user, sent);
            self.writes.no_document(key.clone(), self.time.now());
        }
    }

    pub(super) fn refuse_document(&mut self, key: &DocumentKey, sent: Moment) {
        let now = self.time.now();
        let (policy, mut jitter) = (self.policy.clone(), self.jitter.clone());
        if let Some(doc) = self.document_mut(key) {
            doc.failure = Some(OriginError::Malformed);
            doc.refuse(sent, now, &policy, &mut jitter);
        }
        self.jitter = jitter;
    }

    /// The facts about a document, if anybody wants it.
    pub(super) fn document(&self, key: &DocumentKey) -> Option<&Doc> {
        match key {
            DocumentKey::Friends(_) => self.friends.find(key),
            DocumentKey::Feed(_) => self.feed.chain.find(key),
            DocumentKey::Profile(user) => self.held_profile(user).map(|profile| &profile.doc),
        }
    }

    pub(super) fn document_mut(&mut self, key: &DocumentKey) -> Option<&mut Doc> {
        match key {
            DocumentKey::Friends(_) => self.friends.find_mut(key),
            DocumentKey::Feed(_) => self.feed.find_mut(key),
            DocumentKey::Profile(user) => self.profile_mut(user).map(|profile| &mut profile.doc),
        }
    }
}
