//! What the API says, or does not say in time.

use std::collections::BTreeMap;

use miniature_api::{BatchEntry, FriendsPage, ImageId, Lineage, Profile, Record, Size, UserId};

use super::{
    Checked, Core, Doc, Fetched, FriendsReply, Kind, Refusal, Reply,
    documents::Kept,
    flights::{Flight, Item, Task},
    person::{Decodes, Gone},
};
use crate::cache::{
    clock::Moment,
    document::{Body, Document, DocumentKey},
    entry::{Bytes, Rendition},
    event::{self, CacheEvent},
    key::{RenditionKey, Source},
    layer::OriginError,
};

impl<B> Fetched<B> {
    /// Nothing came in time.
    pub(super) fn unanswered() -> Self {
        let outcome = Err(OriginError::Unreachable.into());
        Self { lineage: None, asked: None, outcome }
    }
}

/// The renditions of an answer, by what they claim to be; none where the bytes are not that.
type Arrived<B> = BTreeMap<ImageId, Option<B>>;

impl<B: Bytes> Core<B> {
    pub(super) fn fetched(&mut self, flight: Flight, fetched: Fetched<B>) {
        let Fetched { lineage, asked, outcome } = fetched;
        let sent = asked.map_or(flight.since, Moment::of).min(flight.since);
        let kind = kind_of(&flight.task);
        match self.judge(lineage, outcome) {
            Ok((reply, lineage)) => {
                self.answers_again(kind);
                self.take_reply(flight, sent, reply, lineage);
            }
            Err(refusal) => {
                self.note(CacheEvent::OriginFailed(refusal.error));
                self.refused(&flight, kind, refusal);
            }
        }
    }

    /// An answer that names no lineage is not of our server, but for those that are exempt; one of
    /// an earlier lineage is of a server that was restored, and has not said so.
    fn judge(
        &mut self,
        lineage: Option<Lineage>,
        outcome: Result<Reply<B>, Refusal>,
    ) -> Result<(Reply<B>, Option<Lineage>), Refusal> {
        let reply = outcome?;
        let exempt = matches!(reply, Reply::Friends(None) | Reply::Session(None));
        match (lineage, self.lineage) {
            (Some(lineage), Some(latest)) if lineage < latest => {
                self.outdated = true;
                return Err(OriginError::Outdated.into());
            }
            (Some(lineage), _) => {
                self.outdated = false;
                self.see_lineage(lineage);
            }
            (None, latest) if exempt => return Ok((reply, latest)),
            (None, _) => return Err(OriginError::Malformed.into()),
        }
        Ok((reply, lineage))
    }

    fn answers_again(&mut self, kind: Kind) {
        self.server = super::Pause::default();
        self.kinds[kind as usize] = super::Pause::default();
    }

    fn take_reply(
        &mut self,
        flight: Flight,
        sent: Moment,
        reply: Reply<B>,
        lineage: Option<Lineage>,
    ) {
        match (flight.task.clone(), reply, lineage) {
            (
                Task::Pictures { size, items },
                Reply::Pictures { entries, renditions },
                Some(lineage),
            ) => {
                self.pictures(&flight, (size, items), sent, lineage, entries, renditions);
            }
            (Task::Document { key, .. }, Reply::Friends(Some(reply)), Some(lineage)) => {
                self.friends_page(&flight, key, sent, lineage, reply);
            }
            (Task::Document { key, .. }, Reply::Friends(None), _) => self.not_modified(&key, sent),
            (Task::Document { key, .. }, Reply::Profile(Some(profile)), Some(lineage)) => {
                self.profile_answer(key, sent, lineage, profile);
            }
            (Task::Document { key, .. }, Reply::Profile(None), _) => self.no_profile(&key, sent),
            (Task::Session, Reply::Session(account), _) => {
                self.session.wanted = false;
                self.session.answer = Some(account);
                self.session.doc.succeed();
            }
            (task, ..) => self.unusable(&task, sent),
        }
    }

    fn pictures(
        &mut self,
        flight: &Flight,
        (size, items): (Size, Vec<Item>),
        sent: Moment,
        lineage: Lineage,
        entries: Vec<BatchEntry>,
        renditions: Vec<Checked<B>>,
    ) {
        let arrived = self.received(renditions);
        let mut entries: BTreeMap<UserId, BatchEntry> =
            entries.into_iter().map(|entry| (user_of(&entry).clone(), entry)).collect();
        for item in items {
            match entries.remove(&item.user) {
                Some(BatchEntry::Found(record)) => {
                    self.record_answer(&item, size, sent, lineage, record, &arrived);
                }
                Some(BatchEntry::Missing { .. }) => self.no_user(&item.user, sent),
                None => self.refuse(&item.user, size, sent),
            }
            self.end_load(&item.user, size, flight);
        }
    }

    fn received(&mut self, renditions: Vec<Checked<B>>) -> Arrived<B> {
        let bytes = renditions.iter().filter_map(|(_, bytes)| bytes.as_ref().ok());
        let sum: usize = bytes.map(Bytes::byte_len).sum();
        if sum > 0 {
            self.note(CacheEvent::Received(sum as u64));
        }
        renditions.into_iter().map(|(image, bytes)| (image, bytes.ok())).collect()
    }

    fn record_answer(
        &mut self,
        item: &Item,
        size: Size,
        sent: Moment,
        lineage: Lineage,
        record: Record,
        arrived: &Arrived<B>,
    ) {
        let image = record.image_id;
        self.learn_from_server(record, lineage, sent);
        let bytes = image.and_then(|image| arrived.get(&image));
        if let (Some(image), Some(Some(bytes))) = (image, bytes) {
            self.keep_bytes(&item.user, RenditionKey { image, size }, bytes.clone());
        }
        let current = self.people.get(&item.user).is_some_and(|person| person.image() == image);
        let lacks = self.people.get(&item.user).is_some_and(|person| !person.answers(size));
        // Bytes that were held when it was sent, and were given up since, are asked for anew.
        let promised = !item.held || matches!(bytes, Some(None));
        if current && lacks && promised {
            self.refuse(&item.user, size, sent);
        } else {
            self.people.change(&item.user, |person| {
                person.target_mut(size).map(|target| target.failure = None);
            });
        }
    }

    /// Keeps bytes that came from the server, if they are of the image that the user is known to
    /// have.
    fn keep_bytes(&mut self, user: &UserId, key: RenditionKey, content: B) {
        let rendition = Rendition { key, content };
        self.people.change(user, |person| {
            if person.image() == Some(key.image) {
                person.keep = true;
                person.keep_bytes(rendition, Source::Network, Decodes::Unknown(0));
            }
        });
        self.writes.want(user, self.time.now());
    }

    fn no_user(&mut self, user: &UserId, sent: Moment) {
        let until = sent + self.policy.absence_fresh_for;
        let gone = self.people.change(user, |person| person.forget(Gone { asked: sent, until }));
        if gone {
            self.writes.want(user, self.time.now());
            self.writes.hurry();
        }
    }

    /// The answer for this user and size cannot be used.
    fn refuse(&mut self, user: &UserId, size: Size, sent: Moment) {
        let (now, policy, jitter) = (self.time.now(), &self.policy, &mut self.jitter);
        self.people.change_known(user, |person| {
            let target = person.target_mut(size);
            target.map(|target| target.refuse(sent, now, policy, jitter));
        });
    }

    /// One attempt for this user and size has ended.
    fn end_load(&mut self, user: &UserId, size: Size, flight: &Flight) {
        let answers = self.people.get(user).is_some_and(|person| person.answers(size));
        let answer = if answers { event::Answer::Hit } else { event::Answer::Failed };
        let step = self.step(Source::Network, answer, flight.since);
        self.people.change_known(user, |person| {
            if let Some(target) = person.target_mut(size) {
                target.trail.push(step);
                target.end_load();
            }
        });
    }

    fn friends_page(
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
                && let Some(Some(bytes)) = arrived.get(&image)
            {
                let rendition = RenditionKey { image, size };
                self.keep_bytes(&friend.user_id, rendition, bytes.clone());
                self.mark_unseen(&friend.user_id, rendition, took);
            }
            self.people.use_now(&friend.user_id);
        }
        self.keep_document(key, Body::Friends(page), etag, lineage, sent);
    }

    /// Who opens it first got it from the page, not from memory.
    fn mark_unseen(&mut self, user: &UserId, key: RenditionKey, took: std::time::Duration) {
        self.people.change_known(user, |person| {
            let held = person.held_mut(key).filter(|held| held.source == Source::Network);
            held.map(|held| held.unseen = Some(took));
        });
    }

    fn keep_document(
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
            doc.gone_until = None;
            doc.keep(Kept { document, asked: sent, fresh_until });
        }
    }

    /// The page is what it was, and so is all that it says of pictures.
    fn not_modified(&mut self, key: &DocumentKey, sent: Moment) {
        let fresh_until = sent + self.policy.document_fresh_for;
        let Some(doc) = self.document_mut(key) else { return };
        doc.succeed();
        let Some(kept) = &mut doc.kept else { return };
        (kept.asked, kept.fresh_until) = (sent, fresh_until);
        let lineage = kept.document.lineage;
        let Body::Friends(FriendsPage { friends, .. }) = &kept.document.body else { return };
        let records: Vec<Record> = friends.iter().map(|friend| friend.picture.clone()).collect();
        for record in records {
            self.learn_from_server(record, lineage, sent);
        }
    }

    fn profile_answer(
        &mut self,
        key: DocumentKey,
        sent: Moment,
        lineage: Lineage,
        profile: Profile,
    ) {
        self.learn_from_server(profile.picture.clone(), lineage, sent);
        self.keep_document(key, Body::Profile(profile), None, lineage, sent);
    }

    fn no_profile(&mut self, key: &DocumentKey, sent: Moment) {
        let until = sent + self.policy.absence_fresh_for;
        if let Some(doc) = self.document_mut(key) {
            doc.succeed();
            (doc.kept, doc.gone_until) = (None, Some(until));
        }
        if let DocumentKey::Profile(user) = key {
            self.no_user(user, sent);
            self.writes.no_document(key.clone(), self.time.now());
        }
    }

    fn refused(&mut self, flight: &Flight, kind: Kind, refusal: Refusal) {
        let Refusal { error, retry_after } = refusal;
        let (sent, now) = (flight.since, self.time.now());
        match error {
            OriginError::Unreachable | OriginError::Status(429 | 503) => {
                self.server.fail(sent, now, retry_after, &self.policy, &mut self.jitter);
            }
            OriginError::Status(500..) | OriginError::SignedOut | OriginError::Outdated => {
                let pause = &mut self.kinds[kind as usize];
                pause.fail(sent, now, retry_after, &self.policy, &mut self.jitter);
            }
            OriginError::Status(_) | OriginError::Malformed => {
                self.unusable(&flight.task, sent);
            }
        }
        if error == OriginError::SignedOut && kind != Kind::Session {
            self.session.answer = Some(None);
        }
        self.fail_all(flight, error);
    }

    /// The whole answer cannot be used.
    fn unusable(&mut self, task: &Task, sent: Moment) {
        match task {
            Task::Pictures { size, items } => {
                items.iter().for_each(|item| self.refuse(&item.user, *size, sent));
            }
            Task::Document { key, .. } => self.refuse_document(key, sent),
            _ => {
                let (now, policy, jitter) = (self.time.now(), &self.policy, &mut self.jitter);
                self.session.doc.refuse(sent, now, policy, jitter);
            }
        }
    }

    fn refuse_document(&mut self, key: &DocumentKey, sent: Moment) {
        let now = self.time.now();
        let (policy, mut jitter) = (self.policy.clone(), self.jitter.clone());
        if let Some(doc) = self.document_mut(key) {
            doc.failure = Some(OriginError::Malformed);
            doc.refuse(sent, now, &policy, &mut jitter);
        }
        self.jitter = jitter;
    }

    fn fail_all(&mut self, flight: &Flight, error: OriginError) {
        match &flight.task {
            Task::Pictures { size, items } => {
                for item in items {
                    self.people.change_known(&item.user, |person| {
                        if let Some(target) = person.target_mut(*size) {
                            target.failure = Some(error);
                        }
                    });
                    self.end_load(&item.user, *size, flight);
                }
            }
            Task::Document { key, .. } => {
                if let Some(doc) = self.document_mut(key) {
                    doc.failure = Some(error);
                    doc.end_load();
                }
            }
            Task::Session => self.session.doc.failure = Some(error),
            _ => {}
        }
    }

    /// The facts about a document, if anybody wants it.
    pub(super) fn document_mut(&mut self, key: &DocumentKey) -> Option<&mut Doc> {
        match key {
            DocumentKey::Friends(_) => self.friends.find_mut(key),
            DocumentKey::Profile(user) => {
                self.profiles.get_mut(user).map(|profile| &mut profile.doc)
            }
        }
    }
}

fn kind_of(task: &Task) -> Kind {
    match task {
        Task::Document { key: DocumentKey::Friends(_), .. } => Kind::Friends,
        Task::Document { key: DocumentKey::Profile(_), .. } => Kind::Profile,
        Task::Session => Kind::Session,
        _ => Kind::Pictures,
    }
}

fn user_of(entry: &BatchEntry) -> &UserId {
    match entry {
        BatchEntry::Found(record) => &record.user_id,
        BatchEntry::Missing { user_id, .. } => user_id,
    }
}
