//! What follows from the facts: who needs what, and which trips bring it.

use miniature_api::{BatchUser, Size, UserId};

use super::{
    ConnectionView, Core, Effect, Kind, Request, Topic,
    flights::{Item, Task},
    layers::ASKED,
    person::Person,
    targets::{Fetching, Looked, Target},
};
use crate::cache::{
    clock::Moment,
    entry::Bytes,
    event::CacheEvent,
    key::{Lookup, Source, Wanted},
};

/// What is to be done for one user.
#[derive(Debug, Default)]
struct Needs {
    /// Sizes to look up, and in which layer.
    reads: Vec<(Source, Size)>,
    /// Sizes that wait for a request, and their places in the queue.
    queued: Vec<(Size, Option<(bool, u64)>)>,
    /// When something changes by itself.
    due: Option<Moment>,
}

impl Needs {
    fn wake(&mut self, moment: Moment) {
        self.due = Some(self.due.map_or(moment, |due| due.min(moment)));
    }
}

impl<B: Bytes> Core<B> {
    /// Compares what is wanted with what is held, in flight or resting, and queues what is
    /// missing: first what has changed for the page, then what is to be fetched and written.
    pub(super) fn plan(&mut self) {
        let now = self.time.now();
        while let Some(id) = self.flights.overdue(now, &self.policy) {
            self.timed_out(id);
        }
        self.plan_erasures();
        self.plan_survey();
        if self.live.has_begun() {
            self.plan_live();
        }
        let work = self.plan_documents();
        let mut lookups = Vec::new();
        for user in self.people.take_dirty(now) {
            self.settle(&user);
            self.end_prefetch(&user);
            self.plan_user(&user, &mut lookups);
        }
        self.queue.extend(work);
        self.look_up(lookups);
        while self.flights.requests() < self.policy.requests_at_once && self.request() {}
        let writes = &self.writes;
        self.people.trim(self.policy.memory, |user| writes.owes(user));
        self.settle_connection();
        self.plan_writes();
        self.plan_measure();
        self.plan_shedding();
        if self.renewal.is_some() {
            self.plan_renewal();
        }
    }

    /// Erases again what could not be erased.
    fn plan_erasures(&mut self) {
        let now = self.time.now();
        while let Some(at) = self.erase_again.iter().position(|(due, ..)| *due <= now) {
            let (_, account, layer) = self.erase_again.swap_remove(at);
            self.erase(account, layer);
        }
    }

    /// Hands out what has changed, to hidden pages too, and counts the loads that have ended.
    pub(super) fn settle(&mut self, user: &UserId) {
        let sizes = self.people.get(user).map_or(Vec::new(), |person| {
            person.targets.iter().filter(|t| t.has_viewers()).map(|t| t.size).collect::<Vec<_>>()
        });
        let mut changed = false;
        for size in sizes {
            changed |= self.settle_size(&Wanted { user: user.clone(), size });
        }
        if changed {
            self.queue.push_back(Effect::Changed(Topic::Picture(user.clone())));
        }
    }

    fn settle_size(&mut self, wanted: &Wanted) -> bool {
        let (now, view) = (self.time.now(), self.view_of(wanted));
        let Some(target) = self.people.get(&wanted.user).and_then(|p| p.target(wanted.size)) else {
            return false;
        };
        let handed = view.handed();
        let changed = target.handed.is_some_and(|before| before != handed);
        let (viewers, trail) = (target.viewers.clone(), target.trail.clone());
        let mut waiting = false;
        for id in viewers {
            let Some(viewer) = self.viewers.get_mut(&id) else {
                continue;
            };
            if let Some(load) = viewer.count(&view, &trail, now) {
                self.queue.push_back(Effect::Report(CacheEvent::Loaded(load)));
            }
            waiting |= viewer.load.as_ref().is_some_and(|load| !load.failed);
        }
        if changed || (!waiting && !trail.is_empty()) {
            self.people.set_handed(&wanted.user, wanted.size, handed, !waiting);
        }
        changed
    }

    /// What was loaded ahead and is there is wanted no more. A request that nobody wants anything
    /// of any more is cancelled.
    fn end_prefetch(&mut self, user: &UserId) {
        let Some(person) = self.people.get(user) else {
            return;
        };
        let done = |target: &&Target| target.prefetch && person.answers(target.size);
        let done: Vec<Size> = person.targets.iter().filter(done).map(|t| t.size).collect();
        let unwanted = person.targets.iter().any(|target| !target.is_wanted());
        for size in &done {
            self.people.end_prefetch(user, *size);
        }
        if unwanted || !done.is_empty() {
            self.cancel_unwanted(Some(user));
        }
    }

    fn plan_user(&mut self, user: &UserId, lookups: &mut Vec<(Source, Lookup)>) {
        let Some(person) = self.people.get(user) else {
            return;
        };
        let needs = self.needs(person);
        let image = person.image();
        for (layer, size) in needs.reads {
            lookups.push((layer, Lookup { wanted: Wanted { user: user.clone(), size }, image }));
        }
        for (size, place) in needs.queued {
            self.people.set_queued(user, size, place);
        }
        self.people.set_due(user, needs.due);
    }

    fn needs(&self, person: &Person<B>) -> Needs {
        let mut needs = Needs::default();
        let mut lacking = false;
        for target in &person.targets {
            let place = match target.is_wanted() && !person.answers(target.size) {
                true => {
                    lacking |= target.is_viewed();
                    self.place_of(person, target, &mut needs)
                }
                false => None,
            };
            needs.queued.push((target.size, place));
        }
        if !lacking {
            self.confirm(person, &mut needs);
        }
        needs
    }

    /// Where a size that lacks bytes stands in the queue for requests; none if something else
    /// comes first.
    fn place_of(
        &self,
        person: &Person<B>,
        target: &Target,
        needs: &mut Needs,
    ) -> Option<(bool, u64)> {
        let now = self.time.now();
        if target.reading.is_some() || person.is_fetching(target.size) {
            return None;
        }
        let unasked = |layer: &Source| target.looked(*layer) == Looked::No;
        for layer in ASKED.into_iter().filter(unasked).filter(|layer| self.may_have(*layer, person))
        {
            let state = self.layers.of(layer);
            if state.allows(now) {
                needs.reads.push((layer, target.size));
                return None;
            }
            let resumes = state.resumes().filter(|resumes| *resumes > now);
            resumes.into_iter().for_each(|resumes| needs.wake(resumes));
        }
        // A hidden page asks for what it never had, once.
        let has_something = !person.held.is_empty() || target.failure.is_some();
        if !self.visible && has_something {
            return None;
        }
        if target.pause.ends() > now {
            needs.wake(target.pause.ends());
            return None;
        }
        Some((!target.is_viewed(), target.wanted))
    }

    /// The cache of pictures knows images, and nobody who has one; what reads it comes with what writes.
    fn may_have(&self, layer: Source, person: &Person<B>) -> bool {
        let has_cache = self.has_picture_cache && !self.writes_wait;
        layer == Source::IndexedDb || (has_cache && person.image().is_some())
    }

    /// Someone who is looked at and of whom all is there is asked about once that is not fresh any
    /// more: at the smallest size, however many are looked at.
    fn confirm(&self, person: &Person<B>, needs: &mut Needs) {
        let now = self.time.now();
        let Some(target) = person.targets.iter().find(|target| target.is_viewed()) else {
            return;
        };
        match person.fresh_until(self.lineage) {
            Some(until) if until > now => needs.wake(until),
            _ if person.is_confirming() || !self.visible => {}
            _ if target.pause.ends() > now => needs.wake(target.pause.ends()),
            _ => {
                let queued = needs.queued.iter_mut().find(|(size, _)| *size == target.size);
                let place = Some((false, target.wanted));
                queued.into_iter().for_each(|(_, queued)| *queued = place);
            }
        }
    }

    /// All that lack bytes are looked up in one transaction of a layer.
    fn look_up(&mut self, lookups: Vec<(Source, Lookup)>) {
        for layer in ASKED {
            let of_layer = lookups.iter().filter(|(asked, _)| *asked == layer);
            let lookups: Vec<Lookup> = of_layer.map(|(_, lookup)| lookup.clone()).collect();
            if lookups.is_empty() {
                continue;
            }
            let id = self.flights.depart(Task::Read(layer, lookups.clone()), self.time.now());
            for Lookup { wanted, .. } in &lookups {
                self.people.adjust(&wanted.user, wanted.size, |target| target.reading = Some(id));
                self.settle(&wanted.user);
            }
            self.queue.push_back(Effect::Read { id, layer, lookups });
        }
    }

    /// Makes one request for pictures, if any is to be made.
    fn request(&mut self) -> bool {
        let now = self.time.now();
        if self.pause_of(Kind::Pictures) > now || self.account.is_none() {
            return false;
        }
        if self.follow_lead() {
            return true;
        }
        let Some((size, users)) = self.people.next_batch(self.policy.batch_users, now) else {
            return false;
        };
        let lineage = self.lineage;
        let mut items = Vec::with_capacity(users.len());
        let mut asked = Vec::with_capacity(users.len());
        for user in users {
            let Some(person) = self.people.get(&user) else {
                continue;
            };
            let (held, known) = (person.revision_held(size, lineage), person.version());
            asked.push(BatchUser { user_id: user.clone(), held });
            items.push((Item { user, held: held.is_some() }, known));
        }
        let flight = items.iter().map(|(item, _)| item.clone()).collect();
        let id = self.flights.depart(Task::Pictures { size, items: flight }, now);
        for (Item { user, .. }, known) in items {
            self.people.set_queued(&user, size, None);
            let fetching = Fetching { id, known, sent: now };
            self.people.adjust(&user, size, |target| target.fetching = Some(fetching));
            // What is shown of a failure ends with the next attempt.
            self.settle(&user);
        }
        self.note(CacheEvent::Requested);
        let request = Request::Pictures { size, users: asked };
        self.queue.push_back(Effect::Fetch { id, request, lineage });
        true
    }

    /// Where nothing is asked, nothing is said of the server: what was said would stay.
    fn settle_connection(&mut self) {
        let asks = self.people.is_waiting() || self.documents_rest || self.flights.requests() > 0;
        let connection = match self.offline {
            _ if !asks => ConnectionView::Reachable,
            None if self.outdated => ConnectionView::Outdated,
            None if !self.server.is_failing() => ConnectionView::Reachable,
            _ => ConnectionView::Unreachable,
        };
        if self.connection != connection {
            self.connection = connection;
            self.queue.push_back(Effect::Changed(Topic::Connection));
        }
    }

    /// Asks how much layers hold, if somebody wants to know and it is not known.
    fn plan_measure(&mut self) {
        if !self.writes_wait && std::mem::take(&mut self.measure) && self.account.is_some() {
            self.measure_layers();
        }
    }

    #[inline(never)]
    pub(super) fn measure_layers(&mut self) {
        let now = self.time.now();
        for layer in ASKED {
            let state = self.layers.of(layer);
            if state.usage.is_none() && state.allows(now) {
                let id = self.flights.depart(Task::Measure(layer), now);
                self.queue.push_back(Effect::Measure { id, layer });
            }
        }
        let ledger = &self.layers.ledger;
        if !ledger.counted && ledger.counting.is_none() && self.layers.local.allows(now) {
            let id = self.flights.depart(Task::Count, now);
            self.layers.ledger.counting = Some(id);
            self.queue.push_back(Effect::Count { id });
        }
    }
}
