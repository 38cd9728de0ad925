//! What follows from the facts about pages, profiles and the session.

use miniature_api::{Marker, UserId};

use super::{
    Core, Effect, Kind, Request, Topic,
    documents::{Next, Surroundings},
    flights::Task,
};
use crate::cache::{clock::Moment, document::DocumentKey, entry::Bytes, event::CacheEvent};

impl<B: Bytes> Core<B> {
    /// Hands out what has changed, and asks for what is wanted and not there.
    ///
    /// Returns what is to be done after all that has changed was handed out.
    pub(super) fn plan_documents(&mut self) -> Vec<Effect<B>> {
        (self.documents_due, self.documents_rest) = (None, false);
        let mut reads = Vec::new();
        let mut requests = Vec::new();
        self.session_next(&mut requests);
        if self.account.is_some() {
            for at in self.friends.align(self.policy.pages).to_vec() {
                let key = self.friends.get(at).map(|page| page.key.clone());
                key.into_iter().for_each(|key| self.document_next(key, &mut reads, &mut requests));
            }
            for at in self.feed.chain.align(self.policy.pages).to_vec() {
                let key = self.feed.chain.get(at).map(|page| page.key.clone());
                key.into_iter().for_each(|key| self.document_next(key, &mut reads, &mut requests));
            }
            let viewed = self.profiles.iter().filter(|(_, profile)| profile.viewers > 0);
            let viewed: Vec<UserId> = viewed.map(|(user, _)| user.clone()).collect();
            for user in viewed {
                self.document_next(DocumentKey::Profile(user), &mut reads, &mut requests);
            }
        }
        let mut work: Vec<Effect<B>> = self.depart_reads(&reads).into_iter().collect();
        work.extend(requests.into_iter().filter_map(|asked| self.depart_request(asked)));
        self.settle_documents();
        work
    }

    fn surroundings(&self) -> Surroundings {
        let now = self.time.now();
        let durable = self.layers.durable.allows(now);
        Surroundings { now, lineage: self.lineage, durable, hidden: !self.visible }
    }

    fn session_next(&mut self, requests: &mut Vec<Asked>) {
        let session = &self.session;
        let ending =
            session.to_end().cloned().map(|marker| (Asked::SignOut(marker), &session.ending));
        let asking = session.is_to_be_asked().then_some((Asked::Session, &session.asked));
        let pause = self.pause_of(Kind::Session);
        let wanted: Vec<(Asked, Moment)> = ending
            .into_iter()
            .chain(asking)
            .map(|(asked, doc)| (asked, doc.pause.ends().max(pause)))
            .collect();
        for (asked, ends) in wanted {
            if ends > self.time.now() {
                self.rest(ends);
            } else {
                requests.push(asked);
            }
        }
    }

    fn document_next(
        &mut self,
        key: DocumentKey,
        reads: &mut Vec<DocumentKey>,
        requests: &mut Vec<Asked>,
    ) {
        let around = self.surroundings();
        let Some(doc) = self.document(&key) else {
            return;
        };
        let (next, failed) = (doc.next(around), doc.failure.is_some());
        let kind = match key {
            DocumentKey::Friends(_) => Kind::Friends,
            DocumentKey::Feed(_) => Kind::Feed,
            DocumentKey::Profile(_) => Kind::Profile,
        };
        match next {
            Next::Nothing(until) => until.into_iter().for_each(|until| self.wake_for(until)),
            Next::Rest(until) if failed => self.rest(until),
            Next::Rest(until) => self.wake_for(until),
            Next::Read => reads.push(key),
            Next::Fetch if self.pause_of(kind) > around.now => self.rest(self.pause_of(kind)),
            Next::Fetch => requests.push(Asked::Document(key)),
        }
    }

    /// A document waits until then because something failed.
    fn rest(&mut self, until: Moment) {
        self.documents_rest = true;
        self.wake_for(until);
    }

    fn wake_for(&mut self, moment: Moment) {
        self.documents_due = Some(self.documents_due.map_or(moment, |due| due.min(moment)));
    }

    fn depart_reads(&mut self, keys: &[DocumentKey]) -> Option<Effect<B>> {
        if keys.is_empty() {
            return None;
        }
        let id = self.flights.depart(Task::ReadDocuments(keys.to_vec()), self.time.now());
        for key in keys {
            if let Some(doc) = self.document_mut(key) {
                doc.under_way = Some(id);
            }
        }
        Some(Effect::ReadDocuments { id, keys: keys.to_vec() })
    }

    /// Sends a request, if there is a place for one.
    fn depart_request(&mut self, asked: Asked) -> Option<Effect<B>> {
        let (now, lineage) = (self.time.now(), self.lineage);
        if self.flights.requests() >= self.policy.requests_at_once {
            return None;
        }
        let key = match asked {
            Asked::Session => {
                let id = self.flights.depart(Task::Session, now);
                self.session.asked.under_way = Some(id);
                return Some(Effect::Fetch { id, request: Request::Session, lineage });
            }
            Asked::SignOut(marker) => {
                let id = self.flights.depart(Task::SignOut, now);
                self.session.ending.under_way = Some(id);
                return Some(Effect::Fetch {
                    id,
                    request: Request::SignOut(marker),
                    lineage: None,
                });
            }
            Asked::Document(key) => key,
        };
        let request = self.request_for(&key);
        if matches!(request, Request::Friends { pictures: Some(_), .. }) {
            self.note(CacheEvent::Requested);
        }
        let users = self.users_of(&key);
        let task = Task::Document { key: key.clone(), users: users.clone(), brings: None };
        let id = self.flights.depart(task, now);
        if let Some(doc) = self.document_mut(&key) {
            doc.under_way = Some(id);
        }
        for user in users {
            self.people.change_known(&user, |person| person.confirming = Some((id, now)));
        }
        Some(Effect::Fetch { id, request, lineage })
    }

    /// Whose pictures the answer will speak of.
    fn users_of(&self, key: &DocumentKey) -> Vec<UserId> {
        match key {
            DocumentKey::Friends(_) => self.friends.users(key),
            // What it says of pictures is a snapshot.
            DocumentKey::Feed(_) => Vec::new(),
            DocumentKey::Profile(user) => vec![user.clone()],
        }
    }

    /// A page that is shown is asked for by its name; one that is not, with its pictures.
    fn request_for(&self, key: &DocumentKey) -> Request {
        let lineage = self.lineage;
        let cursor = match key {
            DocumentKey::Profile(user) => return Request::Profile(user.clone()),
            DocumentKey::Feed(before) => return Request::Feed(before.clone()),
            DocumentKey::Friends(cursor) => cursor.clone(),
        };
        let viewed = self.friends.viewed().filter(|_| self.friends.is_empty(key));
        let pictures = viewed.and_then(|viewed| viewed.pictures);
        let current = self.document(key).filter(|doc| doc.is_current());
        let kept = current.and_then(|doc| doc.kept.as_ref());
        let kept = kept.filter(|kept| Some(kept.document.lineage) == lineage);
        Request::Friends {
            cursor,
            pictures,
            etag: kept.and_then(|kept| kept.document.etag.clone()),
        }
    }

    fn settle_documents(&mut self) {
        self.settle_session();
        if self.account.is_some() && self.friends.hand_out() {
            self.queue.push_back(Effect::Changed(Topic::Friends));
        }
        if self.account.is_some() && self.feed.hand_out(self.account.as_ref()) {
            self.queue.push_back(Effect::Changed(Topic::Feed));
        }
        for (user, profile) in self.profiles.iter_mut().filter(|(_, p)| p.viewers > 0) {
            let view = profile.view();
            if profile.handed.as_ref() != Some(&view) {
                profile.handed = Some(view);
                self.queue.push_back(Effect::Changed(Topic::Profile(user.clone())));
            }
        }
    }
}

/// A request to be made.
#[derive(Debug)]
enum Asked {
    Session,
    SignOut(Marker),
    Document(DocumentKey),
}
