//! Renditions that the store has, and where: presigned delivery.

use std::time::Duration;

use miniature_api::{Hint, ImageId, Size, UserId};

use super::{
    Core, Effect, Fetched, Reply, Request,
    flights::{Flight, Task},
    person::Person,
    targets::Fetching,
};
use crate::cache::{
    clock::Moment, entry::Bytes, event::CacheEvent, key::RenditionKey, layer::OriginError,
    policy::Policy,
};

/// Where the bytes of an image are said to be.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    image: ImageId,
    url: Box<str>,
    /// Later another one is asked for.
    until: Moment,
}

impl Lead {
    /// What was asked for at `sent` says so. A hint with little time left is used at once, or not at all.
    fn new(image: ImageId, hint: Hint, sent: Moment, policy: &Policy) -> Self {
        let lasts = hint.expires_in_s.map_or(Duration::MAX, Duration::from_secs);
        let spared = lasts.saturating_sub(policy.hint_spare);
        let until = sent + spared.max(policy.hint_used_within).min(lasts).min(policy.longest_hint);
        Self { image, url: hint.url.into(), until }
    }
}

impl<B: Bytes> Person<B> {
    /// Where the bytes are that this size lacks.
    pub(super) fn lead(&self, size: Size, now: Moment) -> Option<&Lead> {
        let lead = self.target(size)?.lead.as_ref()?;
        let leads = Some(lead.image) == self.image() && now < lead.until;
        (leads && !self.answers(size)).then_some(lead)
    }
}

impl<B: Bytes> Core<B> {
    /// Notes where the bytes of an image are, if they did not come with its record. Returns whether it is
    /// known.
    pub(super) fn learn_lead(
        &mut self,
        user: &UserId,
        key: RenditionKey,
        hint: Option<Box<Hint>>,
        sent: Moment,
    ) -> bool {
        let lead = hint.map(|hint| Lead::new(key.image, *hint, sent, &self.policy));
        self.people.change_known(user, |person| {
            if let Some(target) = person.target_mut(key.size) {
                target.lead = lead;
            }
        });
        let person = self.people.get(user);
        person.is_some_and(|person| person.lead(key.size, self.time.now()).is_some())
    }

    /// Asks the store for the first in the queue, if it is known to have it.
    pub(super) fn follow_lead(&mut self) -> bool {
        let (sent, lineage) = (self.time.now(), self.lineage);
        let Some((user, size)) = self.people.first_waiting() else {
            return false;
        };
        let person = self.people.get(&user);
        let Some((lead, known)) =
            person.and_then(|person| Some((person.lead(size, sent)?.clone(), person.version())))
        else {
            return false;
        };
        let key = RenditionKey { image: lead.image, size };
        let id = self.flights.depart(Task::Rendition { user: user.clone(), key }, sent);
        self.people.set_queued(&user, size, None);
        let fetching = Fetching { id, known, sent };
        self.people.adjust(&user, size, |target| target.fetching = Some(fetching));
        self.settle(&user);
        self.note(CacheEvent::Requested);
        let request = Request::Rendition { url: lead.url, key };
        self.queue.push_back(Effect::Fetch { id, request, lineage });
        true
    }

    /// The store has answered, or whatever stands at that URL. It says nothing of the API.
    pub(super) fn rendition_answer(
        &mut self,
        flight: &Flight,
        (user, key): (&UserId, RenditionKey),
        fetched: Fetched<B>,
    ) {
        let answer = match fetched.outcome {
            Ok(Reply::Rendition(checked)) => self.received(vec![checked]).pop(),
            Ok(_) => None,
            Err(refusal) => return self.misled(flight, user, key.size, refusal.error),
        };
        match answer {
            Some((image, Some(content))) if image == key.image => {
                self.people.change_known(user, |person| {
                    if let Some(target) = person.target_mut(key.size) {
                        target.forgive();
                    }
                });
                self.keep_bytes(user, key, content);
                self.end_load(user, key.size, flight);
            }
            _ => self.misled(flight, user, key.size, OriginError::Malformed),
        }
    }

    /// A hint led nowhere: the server is asked for another one at once, but not twice in a row.
    fn misled(&mut self, flight: &Flight, user: &UserId, size: Size, error: OriginError) {
        let (sent, now) = (flight.since, self.time.now());
        let (policy, jitter) = (&self.policy, &mut self.jitter);
        let mut again = true;
        self.people.change_known(user, |person| {
            let Some(target) = person.target_mut(size) else { return };
            target.lead = None;
            again = !std::mem::replace(&mut target.misled, true);
            match error {
                _ if again => {}
                OriginError::Unreachable | OriginError::Status(429 | 500..) => {
                    target.failure = Some(error);
                    target.pause.fail(sent, now, None, policy, jitter);
                }
                _ => target.refuse(sent, now, policy, jitter),
            }
        });
        if !again {
            self.note(CacheEvent::OriginFailed(error));
            self.end_load(user, size, flight);
        }
    }
}
