//! Where a picture is looked for, in what order, and what is done with what is found.
//!
//! ```text
//! open ─▶ memory ─▶ LocalStorage          within the call: the first frame
//!   └─ all that still lacks, once a turn of the event loop:
//!        IndexedDB, one transaction ─▶ API, one request per 50 users ─▶ backfill
//! ```
//!
//! A pipeline belongs to one account. Signing out closes it; whatever arrives then is dropped.
//!
//! **Invariants:** one load a picture and size, however many ask. A newer revision is never
//! replaced by an older one. After [`Pipeline::close`] nothing is stored and nothing is shown.

mod backfill;
mod fetch;
mod guard;
mod lookup;
#[cfg(test)]
mod tests;
mod viewer;

use std::{cell::RefCell, collections::HashSet, rc::Rc, time::Duration};

use futures_util::future::LocalBoxFuture;
use miniature_api::{BatchEntry, Record, Size, UserId};

use super::{
    clock::Clock,
    entry::Found,
    event::{Answer, CacheEvent, Load, Outcome, Step},
    eviction::Usage,
    inflight::{Inflight, Job, Waiting},
    key::{Key, RenditionKey, Source, Wanted},
    layer::{self, BatchAnswer, CacheLayer, InstantLayer, LayerError, Origin, OriginError},
    memory::{Memory, Need, Status, View},
    policy::Policy,
};
use guard::Guard;
pub use viewer::Viewer;

/// What a pipeline stands on: the shelves, the API, time, and those who listen.
pub trait Environment: 'static {
    /// LocalStorage, or a fake.
    type Instant: InstantLayer;
    /// IndexedDB, or a fake.
    type Durable: CacheLayer;
    /// The API, or a script.
    type Origin: Origin;
    /// The browser's clock, or one that a test moves.
    type Clock: Clock;

    /// The shelf that answers within the call.
    fn instant(&self) -> &Self::Instant;
    /// The shelf that holds renditions.
    fn durable(&self) -> &Self::Durable;
    /// The truth.
    fn origin(&self) -> &Self::Origin;
    /// Time.
    fn clock(&self) -> &Self::Clock;
    /// Runs the task after the present turn of the event loop's own work.
    fn spawn(&self, task: LocalBoxFuture<'static, ()>);
    /// Runs the task when the page has nothing better to do.
    fn spawn_idle(&self, task: LocalBoxFuture<'static, ()>);
    /// What is to be shown of the user has changed.
    fn changed(&self, user: &UserId);
    /// Something happened.
    fn happened(&self, event: CacheEvent);
}

/// The cache of one account.
#[derive(Debug)]
pub struct Pipeline<E> {
    env: E,
    policy: Policy,
    state: RefCell<State>,
    instant: Guard,
    durable: Guard,
}

#[derive(Debug, Default)]
struct State {
    memory: Memory,
    inflight: Inflight,
    /// Begun in this turn of the event loop.
    pending: Vec<Rc<Job>>,
    /// Uses noted in this document, and those of them that no layer was told of yet.
    touched: HashSet<Key>,
    uses: Vec<Key>,
    /// Renditions that did not decode, and have been asked for anew.
    broken: HashSet<RenditionKey>,
    closed: bool,
}

impl<E: Environment> Pipeline<E> {
    /// A cache that stands on `env`.
    pub fn new(env: E, policy: Policy) -> Rc<Self> {
        Rc::new(Self {
            env,
            policy,
            state: RefCell::default(),
            instant: Guard::new(E::Instant::SOURCE),
            durable: Guard::new(E::Durable::SOURCE),
        })
    }

    /// What the pipeline stands on.
    pub fn env(&self) -> &E {
        &self.env
    }

    /// The limits in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Asks for a picture, until the viewer is dropped. What memory or LocalStorage holds can be
    /// shown when this returns.
    pub fn open(self: &Rc<Self>, wanted: Wanted) -> Viewer<E> {
        let since = self.env.clock().elapsed();
        let now = self.env.clock().now();
        {
            let mut state = self.state.borrow_mut();
            state.memory.enter(&wanted.user, now);
            state.inflight.enter(&wanted);
        }
        let mut path = Vec::new();
        let opened = self.look_now(&wanted, since, &mut path);
        let settled = self.is_settled(&wanted);
        if settled {
            self.note_use(&wanted);
        }
        let waiting = (!settled).then_some(Waiting { since, path });
        self.follow_up(&wanted, waiting);
        Viewer::new(self.clone(), wanted, opened)
    }

    /// What is to be shown of `wanted`.
    pub fn view(&self, wanted: &Wanted) -> View {
        self.state.borrow().memory.view(wanted)
    }

    /// Loads pictures that nobody looks at yet.
    pub fn prefetch(self: &Rc<Self>, users: &[UserId], size: Size) {
        for user in users {
            let wanted = Wanted { user: user.clone(), size };
            if self.state.borrow().memory.record(user).is_none() {
                self.peek(&wanted);
            }
            if self.need(&wanted) != Need::Nothing {
                self.enqueue(&wanted, None).prefetch.set(true);
            }
        }
        self.state.borrow_mut().memory.trim(self.policy.memory);
    }

    /// Asks the server anew about a user, if anyone looks at them; otherwise whoever looks next
    /// does.
    pub fn invalidate(self: &Rc<Self>, user: &UserId) {
        self.state.borrow_mut().memory.expire(user);
        let viewed = self.state.borrow().inflight.viewed_of(user);
        viewed.iter().for_each(|wanted| self.follow_up(wanted, None));
    }

    /// Asks again for all that is looked at and could not be had.
    pub fn retry(self: &Rc<Self>) {
        let viewed = self.state.borrow().inflight.viewed();
        viewed.iter().for_each(|wanted| self.follow_up(wanted, None));
    }

    /// Takes in pictures that came with a page, which took `took`.
    pub fn admit(
        self: &Rc<Self>,
        records: Vec<Record>,
        answer: BatchAnswer,
        size: Size,
        took: Duration,
    ) {
        if self.is_closed() {
            return;
        }
        self.env.happened(CacheEvent::Requested);
        let users: Vec<UserId> = records.iter().map(|record| record.user_id.clone()).collect();
        let entries = records.into_iter().map(BatchEntry::Found).collect();
        let accepted = self.accept(BatchAnswer { entries, ..answer }, size, |_| true);
        for user in &users {
            self.state.borrow_mut().memory.mark_unseen(user, took.as_secs_f64() * 1e3);
        }
        self.backfill(accepted);
    }

    /// Takes in records that came without their pictures, and loads the newer ones that are
    /// looked at.
    pub fn observe(self: &Rc<Self>, records: Vec<Record>) {
        if self.is_closed() {
            return;
        }
        let users: Vec<UserId> = records.iter().map(|record| record.user_id.clone()).collect();
        let news = |record: &Record| {
            let state = self.state.borrow();
            state.memory.record(&record.user_id).is_none_or(|known| known.record != *record)
        };
        let new: HashSet<UserId> =
            records.iter().filter(|record| news(record)).map(|r| r.user_id.clone()).collect();
        let entries = records.into_iter().map(BatchEntry::Found).collect();
        let mut accepted =
            self.accept(BatchAnswer { entries, ..Default::default() }, Size::S64, |_| true);
        accepted.entries.retain(|entry| new.contains(&entry.record.record.user_id));
        self.backfill(accepted);
        for user in &users {
            let viewed = self.state.borrow().inflight.viewed_of(user);
            viewed.iter().for_each(|wanted| self.follow_up(wanted, None));
        }
    }

    /// Takes back a rendition that the browser could not paint: it goes from every layer, and is
    /// asked for anew, once.
    pub fn broken(self: &Rc<Self>, user: &UserId, key: RenditionKey) {
        let first = {
            let mut state = self.state.borrow_mut();
            state.memory.discard(user, key);
            state.broken.insert(key)
        };
        if !first {
            self.state.borrow_mut().memory.fail(user, OriginError::Malformed);
        }
        self.env.changed(user);
        let (pipeline, user) = (self.clone(), user.clone());
        self.env.spawn(Box::pin(async move {
            pipeline.remove_everywhere(&user, key).await;
            if first {
                pipeline.invalidate(&user);
            }
        }));
    }

    /// Empties every layer. What is on screen stays there.
    pub async fn clear(&self) {
        self.state.borrow_mut().memory.clear_off_screen();
        self.erase().await;
    }

    /// Ends the cache of this account: erases every layer, shows nothing any more, and drops what
    /// is still under way.
    pub async fn close(&self) {
        let on_screen = {
            let mut state = self.state.borrow_mut();
            state.closed = true;
            state.pending.clear();
            state.inflight.cancel_all();
            state.memory.clear()
        };
        on_screen.iter().for_each(|user| self.env.changed(user));
        self.erase().await;
    }

    /// What memory holds.
    pub fn memory_usage(&self) -> Usage {
        Usage::of(&self.state.borrow().memory.inventory())
    }

    /// What a layer holds, or why it cannot say.
    ///
    /// # Errors
    ///
    /// [`LayerError`] of the layer.
    pub async fn durable_usage(&self) -> Result<Usage, LayerError> {
        Ok(Usage::of(&self.env.durable().inventory().await?))
    }

    /// What LocalStorage holds, or why it cannot say.
    ///
    /// # Errors
    ///
    /// [`LayerError`] of the layer.
    pub async fn instant_usage(&self) -> Result<Usage, LayerError> {
        Ok(Usage::of(&self.env.instant().inventory().await?))
    }

    /// Calls the durable layer for something that is kept beside the pictures, with the same care:
    /// a time limit, and none while the layer is left alone. None if it failed, or was not asked.
    pub async fn ask_durable<T>(
        &self,
        call: impl AsyncFn(&E::Durable) -> Result<T, LayerError>,
    ) -> Option<T> {
        if self.is_closed() {
            return None;
        }
        let ask = || -> layer::Answer<'_, T> { Box::pin(call(self.env.durable())) };
        self.guarded(&self.durable, &ask).await?.ok()
    }

    /// Whether the account has signed out: nothing of it may be stored any more.
    pub fn is_closed(&self) -> bool {
        self.state.borrow().closed
    }

    fn need(&self, wanted: &Wanted) -> Need {
        self.state.borrow().memory.need(wanted, self.env.clock().now())
    }

    fn is_settled(&self, wanted: &Wanted) -> bool {
        self.view(wanted).status == Status::Settled
    }

    /// The fast path: memory, then LocalStorage. Returns what is shown, and the layer it is from.
    fn look_now(
        &self,
        wanted: &Wanted,
        since: Duration,
        path: &mut Vec<Step>,
    ) -> Option<(RenditionKey, Source)> {
        let in_memory = self.is_settled(wanted);
        path.push(self.step(Source::Memory, in_memory, since));
        let mut from = Source::Memory;
        if !in_memory && self.state.borrow().memory.image(&wanted.user).is_none() {
            let asked = self.env.clock().elapsed();
            self.peek(wanted);
            path.push(self.step(E::Instant::SOURCE, self.is_settled(wanted), asked));
            from = E::Instant::SOURCE;
        }
        let view = self.view(wanted);
        let Some(shown) = view.shown else {
            self.report_negative(wanted, &view, from, since, path);
            return None;
        };
        let key = shown.rendition.key;
        let (first, page_took) = self.state.borrow_mut().memory.first_look(&wanted.user, key);
        let source = if from == Source::Memory { first } else { from };
        if view.status == Status::Settled {
            let took_ms = page_took.unwrap_or_else(|| self.millis_since(since));
            let bytes = shown.rendition.content.len() as u64;
            self.report(wanted, Outcome::Shown(source), took_ms, bytes, path);
        }
        Some((key, source))
    }

    fn report_negative(
        &self,
        wanted: &Wanted,
        view: &View,
        from: Source,
        since: Duration,
        path: &[Step],
    ) {
        if view.status == Status::Settled {
            self.report(wanted, Outcome::Negative(from), self.millis_since(since), 0, path);
        }
    }

    /// Takes what LocalStorage holds of the user into memory.
    fn peek(&self, wanted: &Wanted) {
        if !self.instant.allows(self.env.clock().elapsed()) {
            return;
        }
        match self.env.instant().peek(&wanted.user) {
            Ok(found) => {
                self.instant.succeeded();
                self.take_in(&wanted.user, found, E::Instant::SOURCE);
            }
            Err(error) => self.layer_failed(&self.instant, error),
        }
    }

    /// Takes what a layer found into memory.
    fn take_in(&self, user: &UserId, found: Found, source: Source) {
        let fresh_for = self.policy.fresh_for(source);
        let mut state = self.state.borrow_mut();
        if let Some(record) = found.record.filter(|checked| checked.record.user_id == *user) {
            state.memory.learn(record, source, fresh_for);
        }
        if let Some(rendition) = found.rendition {
            let key = rendition.key;
            state.memory.keep(user, rendition, source);
            state.memory.confirm(user, key);
        }
    }

    /// Loads what is lacking, if anything is.
    fn follow_up(self: &Rc<Self>, wanted: &Wanted, waiting: Option<Waiting>) {
        match self.need(wanted) {
            Need::Nothing => {}
            Need::Bytes => drop(self.enqueue(wanted, waiting)),
            Need::Confirmation(_) => {
                self.env.happened(CacheEvent::Stale);
                self.enqueue(wanted, waiting);
            }
        }
    }

    fn enqueue(self: &Rc<Self>, wanted: &Wanted, waiting: Option<Waiting>) -> Rc<Job> {
        let (job, begun) = self.state.borrow_mut().inflight.join(wanted);
        if waiting.is_some() && !begun {
            self.env.happened(CacheEvent::Coalesced);
        }
        job.waiting.borrow_mut().extend(waiting);
        if begun {
            self.schedule(job.clone());
        }
        job
    }

    /// One run a turn of the event loop takes all that was asked for in it.
    fn schedule(self: &Rc<Self>, job: Rc<Job>) {
        let mut state = self.state.borrow_mut();
        let first = state.pending.is_empty();
        if !state.closed {
            state.pending.push(job);
        }
        drop(state);
        if first {
            self.env.spawn(Box::pin(self.clone().run()));
        }
    }

    /// The slow path.
    async fn run(self: Rc<Self>) {
        let jobs = std::mem::take(&mut self.state.borrow_mut().pending);
        let (jobs, abandoned): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| self.state.borrow().inflight.is_awaited(job));
        self.end(&abandoned);
        self.search_durable(&jobs).await;
        if !self.is_closed() {
            self.ask_origin(&jobs).await;
        }
        if !self.is_closed() {
            self.state.borrow_mut().memory.trim(self.policy.memory);
        }
        self.end(&jobs);
    }

    fn end(&self, jobs: &[Rc<Job>]) {
        jobs.iter().for_each(|job| self.state.borrow_mut().inflight.end(job));
    }

    /// Reports the requests that wait for the job, if it has come to an answer.
    fn settle(self: &Rc<Self>, job: &Job) {
        let view = self.view(&job.wanted);
        if view.status == Status::Settled {
            self.note_use(&job.wanted);
        }
        let (outcome, bytes) = match (view.status, view.shown) {
            (Status::Loading, _) => return,
            (Status::Settled, Some(shown)) => {
                (Outcome::Shown(shown.source), shown.rendition.content.len() as u64)
            }
            (Status::Settled, None) => {
                let path = job.path.borrow();
                (Outcome::Negative(path.last().map_or(Source::Network, |step| step.layer)), 0)
            }
            (Status::Failed(_), _) => (Outcome::Failed, 0),
        };
        for waiting in job.waiting.take() {
            let path = [&waiting.path[..], &job.path.borrow()[..]].concat();
            self.report(&job.wanted, outcome, self.millis_since(waiting.since), bytes, &path);
        }
    }

    fn report(&self, wanted: &Wanted, outcome: Outcome, took_ms: f64, bytes: u64, path: &[Step]) {
        let Wanted { user, size } = wanted.clone();
        let path = path.to_vec();
        self.env.happened(CacheEvent::Loaded(Load { user, size, outcome, took_ms, bytes, path }));
    }

    fn step(&self, layer: Source, hit: bool, since: Duration) -> Step {
        let answer = if hit { Answer::Hit } else { Answer::Miss };
        Step { layer, answer, took_ms: self.millis_since(since) }
    }

    fn millis_since(&self, since: Duration) -> f64 {
        self.env.clock().elapsed().saturating_sub(since).as_secs_f64() * 1e3
    }
}
