//! The stream of events. One document of the browser reads it and passes on what it hears.
//!
//! ```text
//! nobody signed in, nothing painted, in the page cache ─▶ nothing
//! else ─▶ wait for the lock ─▶ held: read the stream ─▶ it ended, or is dead: a pause, then again
//!   │      ├ visible, and nothing heard for 45 s: steal it
//!   │      └ held, hidden for 2 min, and a visible document waits: give it up
//!   └ without locks ─▶ each visible document reads
//! ```
//!
//! **Invariant:** what the reader noted as heard was written before: a document that resumes there
//! hears the rest anew.

use miniature_api::{Lineage, UserId};

use super::{
    Core, Effect, LiveNote, Refusal, StreamBody, StreamEvent, effect::EffectId, flights::Task,
    pause::Pause, pending::BOTH,
};
use crate::cache::{clock::Moment, entry::Bytes, layer::OriginError, policy::Policy};

/// The facts about the stream.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// Whether the first frame was painted, and what reads the stream is loaded.
    ready: bool,
    /// Whether the browser has locks. It has none in a page without a secure context.
    has_locks: bool,
    /// Whether the page is in the browser's page cache.
    frozen: bool,
    hidden_since: Option<Moment>,
    /// The request for the lock, for as long as it waits or holds.
    lock: Option<EffectId>,
    held: bool,
    stream: Option<EffectId>,
    pub(super) pause: Pause,
    /// The last event that was heard, here or by another document. Until something was: the earliest
    /// that an answer was made after.
    last: Option<LiveNote>,
    /// After which event this document has heard everything.
    began: Option<LiveNote>,
    /// When the line was first heard of.
    opened: Option<Moment>,
    /// What of that was noted for the next document.
    noted: Option<LiveNote>,
    /// When the line was last heard of, or the wait for the lock began.
    heard_at: Moment,
    /// A visible document waits for the lock that is held here.
    is_awaited: bool,
    /// The reader may not know that a visible document waits.
    unannounced: bool,
    /// Events that were not taken in yet, since when.
    pub(super) heard: Vec<(Lineage, StreamBody)>,
    pub(super) since: Option<Moment>,
}

impl Live {
    pub(super) fn new(visible: bool, now: Moment) -> Self {
        Self {
            ready: false,
            has_locks: true,
            frozen: false,
            hidden_since: (!visible).then_some(now),
            lock: None,
            held: false,
            stream: None,
            pause: Pause::default(),
            last: None,
            began: None,
            opened: None,
            noted: None,
            heard_at: now,
            is_awaited: false,
            unannounced: false,
            heard: Vec::new(),
            since: None,
        }
    }

    /// Of an account that begins now: what it heard last.
    pub(super) fn begin(&mut self, last: Option<LiveNote>) {
        (self.noted, self.last) = (last.clone(), last);
    }

    /// Nothing of an account stays but how the page is.
    pub(super) fn forget(&mut self, now: Moment) {
        let (ready, has_locks, frozen) = (self.ready, self.has_locks, self.frozen);
        let hidden_since = self.hidden_since;
        *self = Self { ready, has_locks, frozen, hidden_since, ..Self::new(true, now) };
    }

    pub(super) fn set_visible(&mut self, visible: bool, now: Moment) {
        self.hidden_since = if visible { None } else { self.hidden_since.or(Some(now)) };
        // A wait begins that may end with taking the lock.
        self.heard_at = now;
        self.unannounced = visible;
    }

    /// Whether the line may be open, or something was heard.
    pub(super) fn has_begun(&self) -> bool {
        self.ready || self.since.is_some()
    }

    /// Takes the end of an effect out of the facts.
    pub(super) fn release(&mut self, id: EffectId) {
        if self.lock == Some(id) {
            (self.lock, self.held, self.is_awaited) = (None, false, false);
        }
        self.stream.take_if(|stream| *stream == id);
    }

    /// Whether this document reads the stream, or is to.
    pub(super) fn reads(&self) -> bool {
        if self.has_locks { self.held } else { self.hidden_since.is_none() }
    }

    fn is_waiting(&self) -> bool {
        self.lock.is_some() && !self.held && self.hidden_since.is_none()
    }

    /// When a visible document that waits takes the lock.
    fn steals_at(&self, policy: &Policy) -> Option<Moment> {
        self.is_waiting().then(|| self.heard_at + policy.steal_after)
    }

    /// When a hidden document gives the lock to one that waits.
    fn yields_at(&self, policy: &Policy) -> Option<Moment> {
        let since = self.hidden_since.filter(|_| self.held && self.is_awaited)?;
        Some(since + policy.yield_after)
    }

    fn takes_in_at(&self, policy: &Policy) -> Option<Moment> {
        let frame = match self.hidden_since {
            None => policy.live_frame,
            Some(_) => policy.live_frame_hidden,
        };
        Some(self.since? + frame)
    }

    fn hear(&mut self, event: StreamEvent, now: Moment) {
        let StreamEvent { lineage, id, body } = event;
        self.heard_at = now;
        self.opened.get_or_insert(now);
        let before = self.last.clone();
        self.last = id.map(|id| LiveNote { lineage, id }).or(before.clone());
        self.began = self.began.take().or(before).or_else(|| self.last.clone());
        if body != StreamBody::UpTo {
            self.heard.push((lineage, body));
            self.since.get_or_insert(now);
        }
    }
}

impl<B: Bytes> Core<B> {
    /// The first frame was painted: the line may be opened.
    pub(super) fn live_ready(&mut self, has_locks: bool) {
        (self.live.ready, self.live.has_locks) = (true, has_locks);
    }

    /// The page goes into the browser's page cache, or comes back.
    pub(super) fn set_frozen(&mut self, frozen: bool) {
        self.live.frozen = frozen;
        if !frozen {
            self.live.pause.end_by(self.time.now() + self.jitter.up_to(self.policy.soon));
        }
    }

    /// The browser gave the lock.
    pub(super) fn lock_granted(&mut self, id: EffectId) {
        if self.live.lock == Some(id) {
            self.live.held = true;
        }
    }

    /// The stream of this document says something.
    #[inline(never)]
    pub(super) fn streamed(&mut self, id: EffectId, account: &UserId, event: StreamEvent) {
        let now = self.time.now();
        if self.live.stream != Some(id) {
            return;
        }
        let since = self.flights.since(id).unwrap_or(now);
        if self.account.as_ref() != Some(account) {
            self.cancel(id);
            return self.stream_ended(since, OriginError::SignedOut.into());
        }
        self.flights.progress(id, 0, now, &self.policy);
        self.live.pause.succeed(since);
        let knew_nothing = self.live.last.is_none();
        self.hear_event(event);
        if knew_nothing {
            self.doubt_what_was_answered(now);
        }
    }

    /// Another document passes on what it read, or that the line lives.
    #[inline(never)]
    pub(super) fn overheard(&mut self, event: Option<StreamEvent>) {
        let now = self.time.now();
        self.live.heard_at = now;
        // The reader may be another than the one that was told of the wait.
        self.live.unannounced = true;
        event.into_iter().for_each(|event| self.hear_event(event));
    }

    fn hear_event(&mut self, event: StreamEvent) {
        if self.lineage.is_none_or(|latest| event.lineage >= latest) {
            self.see_lineage(event.lineage);
            self.live.hear(event, self.time.now());
        }
    }

    /// A visible document waits for the lock.
    pub(super) fn lock_awaited(&mut self) {
        self.live.is_awaited = self.live.held;
    }

    /// The lock was taken away, or the browser gives none.
    pub(super) fn lock_lost(&mut self, has_locks: bool) {
        self.live.has_locks = has_locks;
    }

    /// The stream has ended.
    #[inline(never)]
    pub(super) fn stream_ended(&mut self, sent: Moment, refusal: Refusal) {
        let (now, policy) = (self.time.now(), &self.policy);
        self.live.pause.fail(sent, now, refusal.retry_after, policy, &mut self.jitter);
        if refusal.error == OriginError::SignedOut {
            self.session.want();
        }
    }

    /// An answer to what was sent then was made after this event. What came next may be news to it.
    pub(super) fn made_after(&mut self, sent: Moment, event: Option<LiveNote>) {
        if self.live.opened.is_some() {
            self.compare_with_heard(sent, event);
        } else if let Some(event) = event
            && self.live.last.as_ref().is_none_or(|last| event.is_before(last))
        {
            self.live.last = Some(event);
        }
    }

    #[inline(never)]
    fn compare_with_heard(&mut self, sent: Moment, event: Option<LiveNote>) {
        let Some(event) = event else {
            // It does not say: it may have been made before the line was open.
            if self.live.opened.is_some_and(|opened| sent < opened) {
                self.doubt(self.time.now(), false);
            }
            return;
        };
        match &self.live.began {
            Some(began) if event.is_before(began) => self.doubt(self.time.now(), false),
            Some(_) => {}
            None if self.live.last.as_ref().is_none_or(|last| event.is_before(last)) => {
                self.live.last = Some(event);
            }
            None => {}
        }
    }

    /// When something is to be done about the stream.
    pub(super) fn live_due(&self) -> Option<Moment> {
        if self.live.has_begun() { self.next_of_live() } else { None }
    }

    #[inline(never)]
    fn next_of_live(&self) -> Option<Moment> {
        let (live, policy) = (&self.live, &self.policy);
        let opens = Some(live.pause.ends()).filter(|_| live.stream.is_none() && self.reads());
        let opens = opens.filter(|at| *at > self.time.now());
        let dues =
            [opens, live.takes_in_at(policy), live.steals_at(policy), live.yields_at(policy)];
        dues.into_iter().flatten().min()
    }

    /// Whether something may come without being asked for.
    #[cfg(test)]
    pub(super) fn wants_line(&self) -> bool {
        self.listens()
    }

    fn listens(&self) -> bool {
        self.account.is_some() && self.live.ready && !self.live.frozen
    }

    /// Whether this document reads the stream, or is to: it does what one document does for all.
    pub fn reads(&self) -> bool {
        self.listens() && self.live.reads()
    }

    /// Waits for the lock, takes it or gives it up; opens the stream or closes it.
    #[inline(never)]
    pub(super) fn plan_live(&mut self) {
        let now = self.time.now();
        let is_over = |due: Option<Moment>| due.is_some_and(|due| due <= now);
        if is_over(self.live.takes_in_at(&self.policy)) {
            self.take_in_events();
        }
        let steals = is_over(self.live.steals_at(&self.policy));
        let yields = is_over(self.live.yields_at(&self.policy));
        let keeps = self.listens() && self.live.has_locks && !steals && !yields;
        if let Some(lock) = self.live.lock.filter(|_| !keeps) {
            self.cancel(lock);
        }
        if let Some(stream) = self.live.stream.filter(|_| !self.reads()) {
            self.cancel(stream);
        }
        if self.listens() && self.live.has_locks && self.live.lock.is_none() {
            let id = self.flights.depart(Task::Lock, now);
            (self.live.lock, self.live.heard_at) = (Some(id), now);
            self.queue.push_back(Effect::Lock { id, steal: steals });
        }
        if self.live.is_waiting() && std::mem::take(&mut self.live.unannounced) {
            self.queue.push_back(Effect::AnnounceWait);
        }
        if self.reads() && self.live.stream.is_none() && self.live.pause.ends() <= now {
            let id = self.flights.depart(Task::Stream, now);
            self.live.stream = Some(id);
            let (lineage, last) = (self.lineage, self.live.last.clone().map(|last| last.id));
            self.queue.push_back(Effect::Listen { id, lineage, last });
        }
    }

    /// Notes the last event once all that follows from it is written.
    pub(super) fn note_what_was_heard(&mut self) {
        let owes_nobody = BOTH.into_iter().all(|layer| self.writes.of(layer).users.is_empty());
        let is_written = self.live.heard.is_empty() && owes_nobody;
        let is_new = self.live.last != self.live.noted;
        if self.reads() && is_new && is_written && self.layers.durable.writing.is_none() {
            self.live.noted = self.live.last.clone();
            let now = self.time.now();
            self.live.noted.iter().for_each(|note| self.writes.note_live(note.clone(), now));
        }
    }
}
