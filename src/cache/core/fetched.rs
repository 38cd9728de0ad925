//! What the API says, or does not say in time.

use miniature_api::{BatchEntry, Hint, ImageId, Lineage, Record, Size, UserId};

use super::{
    Checked, Core, Fetched, Kind, LiveNote, Refusal, Reply,
    flights::{Flight, Item, Task},
    person::{Decodes, Gone, Learnt},
};
use crate::cache::{
    clock::Moment,
    document::DocumentKey,
    entry::{Bytes, Rendition},
    event::{self, CacheEvent},
    key::{RenditionKey, Source},
    layer::OriginError,
};

impl<B> Fetched<B> {
    /// Nothing came in time.
    pub(super) fn unanswered() -> Self {
        let outcome = Err(OriginError::Unreachable.into());
        Self { lineage: None, account: None, asked: None, event: None, outcome }
    }
}

/// The renditions of an answer, by what they claim to be; none where the bytes are not that.
pub(super) type Arrived<B> = Vec<(ImageId, Option<B>)>;

impl<B: Bytes> Core<B> {
    pub(super) fn fetched(&mut self, flight: Flight, fetched: Fetched<B>) {
        if let Task::Rendition { user, key } = &flight.task {
            return self.rendition_answer(&flight, (user, *key), fetched);
        }
        let Fetched { lineage, account, asked, event, outcome } = fetched;
        let sent = asked.map_or(flight.since, Moment::of).min(flight.since);
        let kind = kind_of(&flight.task);
        let lineage = lineage.filter(|_| account.is_some());
        let outcome = self.of_account(&flight.task, account, outcome);
        match self.judge(lineage, sent, outcome) {
            Ok((reply, lineage)) => {
                self.is_there(sent);
                self.kinds[kind as usize].succeed(sent);
                self.take_reply(flight, sent, reply, lineage);
                let note = lineage.zip(event).map(|(lineage, id)| LiveNote { lineage, id });
                self.made_after(sent, note);
            }
            Err(refusal) => {
                self.note(CacheEvent::OriginFailed(refusal.error));
                self.refused(&flight, kind, refusal);
            }
        }
    }

    /// What was given to another account than the one that asked says that the session has become
    /// another's; that is for the server to say.
    pub(super) fn of_account(
        &self,
        task: &Task,
        account: Option<UserId>,
        outcome: Result<Reply<B>, Refusal>,
    ) -> Result<Reply<B>, Refusal> {
        let account = account.filter(|_| !matches!(task, Task::Session | Task::SignOut));
        match account.is_some() && account != self.account {
            true => Err(OriginError::SignedOut.into()),
            false => outcome,
        }
    }

    /// An answer that does not name lineage and account is not of our server, but for those that are
    /// exempt: something before it answered, a portal or a gateway, and the server is out of reach. One
    /// of an earlier lineage is of a server that was restored, and has not said so; or it was on its way
    /// when another answer told of the latest.
    pub(super) fn judge(
        &mut self,
        lineage: Option<Lineage>,
        sent: Moment,
        outcome: Result<Reply<B>, Refusal>,
    ) -> Result<(Reply<B>, Option<Lineage>), Refusal> {
        let exempt = match &outcome {
            Ok(reply) => {
                matches!(reply, Reply::Friends(None) | Reply::Session(None) | Reply::SignedOut)
            }
            Err(refusal) => {
                !matches!(refusal.error, OriginError::Status(_) | OriginError::Malformed)
            }
        };
        if lineage.is_none() && !exempt {
            let retry_after = outcome.err().and_then(|refusal| refusal.retry_after);
            return Err(Refusal { error: OriginError::Unreachable, retry_after });
        }
        let reply = outcome?;
        match (lineage, self.lineage) {
            (Some(lineage), Some(latest)) if lineage < latest => {
                self.outdated |= sent >= self.lineage_seen;
                return Err(OriginError::Outdated.into());
            }
            (Some(lineage), _) => {
                self.outdated = false;
                self.see_lineage(lineage);
            }
            (None, latest) => return Ok((reply, latest)),
        }
        Ok((reply, lineage))
    }

    /// The server answered what was sent then, well or not. One on this machine, or behind a tunnel,
    /// answers without a network. What was sent later may have failed: its pause stays.
    pub(super) fn is_there(&mut self, sent: Moment) {
        self.offline = self.offline.filter(|since| *since >= sent);
        self.server.succeed(sent);
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
            (Task::Document { key, .. }, Reply::Feed(page), Some(lineage)) => {
                self.feed_page(key, sent, lineage, page);
            }
            (Task::Document { key, .. }, Reply::Profile(Some(profile)), Some(lineage)) => {
                self.profile_answer(key, sent, lineage, profile);
            }
            (Task::Document { key, .. }, Reply::Profile(None), _) => self.no_profile(&key, sent),
            (Task::Session, Reply::Session(account), _) => {
                self.session_answer(account);
            }
            (Task::SignOut, Reply::SignedOut, _) => self.session_ended(),
            (task, ..) => self.unusable(&task, sent),
        }
    }

    pub(super) fn pictures(
        &mut self,
        flight: &Flight,
        (size, items): (Size, Vec<Item>),
        sent: Moment,
        lineage: Lineage,
        entries: Vec<BatchEntry>,
        renditions: Vec<Checked<B>>,
    ) {
        let arrived = self.received(renditions);
        for item in items {
            let entry = entries.iter().find(|entry| *user_of(entry) == item.user);
            match entry.cloned() {
                Some(BatchEntry::Found { record, hint }) => {
                    let told = (record, hint);
                    if self.record_answer(&item, size, sent, lineage, told, &arrived) {
                        continue;
                    }
                }
                Some(BatchEntry::Missing { .. }) => self.no_user(&item.user, sent),
                None => self.refuse(&item.user, size, sent),
            }
            self.end_load(&item.user, size, flight);
        }
    }

    pub(super) fn received(&mut self, renditions: Vec<Checked<B>>) -> Arrived<B> {
        let bytes = renditions.iter().filter_map(|(_, bytes)| bytes.as_ref().ok());
        let sum: usize = bytes.map(Bytes::byte_len).sum();
        if sum > 0 {
            self.note(CacheEvent::Received(sum as u64));
        }
        renditions.into_iter().map(|(image, bytes)| (image, bytes.ok())).collect()
    }

    /// Returns whether the load goes on, where a hint leads.
    fn record_answer(
        &mut self,
        item: &Item,
        size: Size,
        sent: Moment,
        lineage: Lineage,
        (record, hint): (Record, Option<Box<Hint>>),
        arrived: &Arrived<B>,
    ) -> bool {
        let image = record.image_id;
        let learnt = self.learn_from_server(record, lineage, sent);
        let bytes = image.and_then(|image| find(arrived, image));
        if let (Some(image), Some(Some(bytes))) = (image, bytes) {
            self.keep_bytes(&item.user, RenditionKey { image, size }, bytes.clone());
        }
        let lead = image.map(|image| RenditionKey { image, size });
        if lead.is_some_and(|key| self.learn_lead(&item.user, key, hint, sent)) {
            return true;
        }
        let current = self.people.get(&item.user).is_some_and(|person| person.image() == image);
        let lacks = self.people.get(&item.user).is_some_and(|person| !person.answers(size));
        // Bytes that were held when it was sent, and were given up since, are asked for anew.
        let promised = !item.held || matches!(bytes, Some(None));
        // A server that is behind itself, as a replica may be: asking again at once would not help.
        let overtaken = self.people.get(&item.user).is_some_and(|person| person.heard_after(sent));
        let behind = learnt == Learnt::Older && !overtaken;
        if behind || current && lacks && promised {
            self.refuse(&item.user, size, sent);
        } else {
            self.people.change(&item.user, |person| {
                if let Some(target) = person.target_mut(size) {
                    target.failure = None;
                }
            });
        }
        false
    }

    /// Keeps bytes that came from the server, if they are of the image that the user is known to
    /// have.
    pub(super) fn keep_bytes(&mut self, user: &UserId, key: RenditionKey, content: B) {
        let rendition = Rendition { key, content };
        self.people.change(user, |person| {
            if person.image() == Some(key.image) {
                person.keep |= !person.passing;
                person.keep_bytes(rendition, Source::Network, Decodes::Unknown(0));
            }
        });
        self.writes.want(user, self.time.now());
    }

    pub(super) fn no_user(&mut self, user: &UserId, sent: Moment) {
        let until = sent + self.policy.absence_fresh_for;
        let gone = self
            .people
            .change(user, |person| person.forget(Gone { asked: sent, until, last: None }));
        if gone {
            self.writes.want(user, self.time.now());
            self.writes.hurry();
        }
    }

    /// The answer for this user and size cannot be used.
    pub(super) fn refuse(&mut self, user: &UserId, size: Size, sent: Moment) {
        let (now, policy, jitter) = (self.time.now(), &self.policy, &mut self.jitter);
        self.people.change_known(user, |person| {
            let target = person.target_mut(size);
            if let Some(target) = target {
                target.refuse(sent, now, policy, jitter);
            }
        });
    }

    /// One attempt for this user and size has ended.
    pub(super) fn end_load(&mut self, user: &UserId, size: Size, flight: &Flight) {
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
                self.is_there(sent);
            }
            OriginError::Status(_) | OriginError::Malformed => {
                self.is_there(sent);
                self.unusable(&flight.task, sent);
            }
        }
        if error == OriginError::SignedOut && kind != Kind::Session {
            // Nothing is erased before the server has been asked.
            self.session.want();
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
                self.session.doc_of(task).refuse(sent, now, policy, jitter);
            }
        }
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
            task @ (Task::Session | Task::SignOut) => {
                self.session.doc_of(task).failure = Some(error);
            }
            _ => {}
        }
    }
}

/// The bytes of an image, if it arrived.
pub(super) fn find<B>(arrived: &Arrived<B>, image: ImageId) -> Option<&Option<B>> {
    arrived.iter().find(|(other, _)| *other == image).map(|(_, bytes)| bytes)
}

pub(super) fn kind_of(task: &Task) -> Kind {
    match task {
        Task::Document { key: DocumentKey::Friends(_), .. } => Kind::Friends,
        Task::Document { key: DocumentKey::Feed(_), .. } => Kind::Feed,
        Task::Document { key: DocumentKey::Profile(_), .. } => Kind::Profile,
        Task::Session | Task::SignOut => Kind::Session,
        _ => Kind::Pictures,
    }
}

pub(super) fn user_of(entry: &BatchEntry) -> &UserId {
    match entry {
        BatchEntry::Found { record, .. } => &record.user_id,
        BatchEntry::Missing { user_id, .. } => user_id,
    }
}
