//! Carries out what the core wants, and tells it what came of it.
//!
//! A turn is one task of the event loop. Its first event queues a microtask, in which the core is
//! polled until it wants nothing more; what comes later in the same task waits for the next one.
//!
//! **Invariants:** nothing is decided here. No borrow of the core outlives the call that needs it:
//! whoever hears of a change may begin and stop looking within the call.

use std::cell::{Cell, RefCell};

use futures_util::future::{AbortHandle, abortable};
use miniature_api::{Lineage, UserId};

use super::{
    counters::Counters,
    effects, identity,
    lines::Lines,
    record,
    shelves::Shelves,
    signals::Signals,
    simulate::{self, Simulation},
    surroundings::{self, Listeners},
    sync, writes,
};
use crate::{
    browser::{clock, later, origin::Api, random, schedule, visibility},
    cache::{
        core::{Answer, Core, Effect, EffectId, Event, Request, View, ViewerId, Wake},
        entry::Content,
        key::{Source, Wanted},
        policy::Policy,
    },
};

thread_local! {
    static DRIVER: &'static Driver = Box::leak(Box::new(Driver::start()));
}

/// The driver of this document, for as long as that lives.
pub(super) fn driver() -> &'static Driver {
    DRIVER.with(|driver| *driver)
}

/// The one core of the document, and handles to all that it acts on.
pub(super) struct Driver {
    core: RefCell<Core<Content>>,
    pub(super) api: Api,
    pub(super) signals: Signals,
    pub(super) counters: Counters,
    pub(super) shelves: Shelves,
    pub(super) lines: Lines,
    pub(super) simulation: Simulation,
    /// What is under way: requests, the stream, the lock.
    requests: RefCell<Vec<(EffectId, AbortHandle)>>,
    turn: Cell<Turn>,
    timer: RefCell<Option<schedule::Timer>>,
    /// Whether it is noted what the core is told.
    records: bool,
    /// Whether cookies and storage say who is signed in. Otherwise the app around us does.
    pub(super) follows_session: Cell<bool>,
    _listeners: Listeners,
}

/// How far a turn has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing has happened.
    Quiet,
    /// Something has: the core is about to be polled, or is being polled.
    Polling,
    /// The core was polled in this task.
    Over,
    /// It was, and something has happened since.
    Again,
}

impl Driver {
    fn start() -> Self {
        effects::bring_the_rest();
        let (seed, visible, now) = (random::seed(), visibility::is_visible(), clock::now());
        let records = record::is_asked_for();
        let policy = if records { record::begin(seed, visible, now) } else { Policy::default() };
        let mut core = Core::new(policy, seed, visible, now);
        let all_is_here = later::is_here();
        if !all_is_here {
            let event = Event::WritesWait(true);
            if records {
                record::told(&event, now);
            }
            core.handle(event, now);
        }
        Self {
            core: RefCell::new(core),
            api: Api::default(),
            signals: Signals::default(),
            counters: Counters::new(),
            shelves: Shelves::default(),
            lines: Lines::new(all_is_here),
            simulation: Simulation::default(),
            requests: RefCell::default(),
            turn: Cell::new(Turn::Quiet),
            timer: RefCell::default(),
            records,
            follows_session: Cell::new(false),
            _listeners: surroundings::listen(),
        }
    }

    /// What the core says.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Core<Content>) -> T) -> T {
        read(&self.core.borrow())
    }

    /// Begins an account, unless it has begun.
    pub(super) fn begin(&self, account: &UserId) {
        if self.read(|core| core.account() != Some(account)) {
            let start = self.shelves.begin(account);
            self.handle(Event::Session(Some(Box::new(start))));
        }
    }

    /// Ends the account that has begun.
    pub(super) fn end(&self) {
        self.shelves.end();
        self.handle(Event::Session(None));
    }

    /// Starts watching a picture. The view is for the first frame.
    pub(super) fn open(&self, wanted: Wanted) -> (ViewerId, View<Content>) {
        let looks = self.read(|core| core.looks(&wanted.user));
        let found = looks.then(|| {
            let read = || self.shelves.on_local(|shelf| shelf.found(&wanted.user));
            if self.simulation.is_on() { simulate::found(&read) } else { read() }
        });
        let now = clock::now();
        if self.records {
            record::opened(&wanted, found.as_ref(), now);
        }
        let opened = self.core.borrow_mut().open(wanted, found, now);
        self.rouse();
        opened
    }

    /// Tells the core what happened.
    pub(super) fn handle(&self, event: Event<Content>) {
        self.tell(event);
        if let Some(account) = self.read(|core| core.to_begin().cloned()) {
            self.begin(&account);
        } else if self.read(|core| core.account().is_none()) {
            self.shelves.end();
        }
        self.lines.follow(self.read(|core| core.account().cloned()).as_ref());
        self.rouse();
    }

    fn tell(&self, event: Event<Content>) {
        let now = clock::now();
        if self.records {
            record::told(&event, now);
        }
        self.core.borrow_mut().handle(event, now);
    }

    pub(super) fn answer(&self, id: EffectId, answer: Answer<Content>) {
        let answer = if self.simulation.is_on() { simulate::answered(id, answer) } else { answer };
        self.counters.hear(&answer);
        self.handle(Event::Answer(id, answer));
    }

    /// A sign of life: nothing is to be done about it.
    pub(super) fn progressed(&self, id: EffectId, bytes: u64) {
        self.tell(Event::Progressed(id, bytes));
    }

    fn rouse(&self) {
        match self.turn.get() {
            Turn::Quiet => {
                self.turn.set(Turn::Polling);
                schedule::microtask(|| driver().poll());
            }
            Turn::Over => self.turn.set(Turn::Again),
            Turn::Polling | Turn::Again => {}
        }
    }

    fn poll(&self) {
        while let Some(effect) = self.next_effect() {
            self.carry_out(effect);
        }
        self.set_timer();
        self.turn.set(Turn::Over);
        schedule::next_task(|| driver().end_turn());
    }

    fn end_turn(&self) {
        if self.turn.replace(Turn::Quiet) == Turn::Again {
            self.turn.set(Turn::Polling);
            self.poll();
        }
    }

    /// The core is free again when this returns.
    fn next_effect(&self) -> Option<Effect<Content>> {
        let now = clock::now();
        if self.records {
            record::polled(now);
        }
        self.core.borrow_mut().poll(now)
    }

    fn set_timer(&self) {
        let Wake { at, idle } = self.read(Core::wake);
        let ring = move || {
            if idle {
                let within = driver().read(|core| core.policy().idle_within);
                schedule::on_idle(|| driver().rouse(), within);
            } else {
                driver().rouse();
            }
        };
        let delay = at.saturating_sub(clock::now().running);
        self.timer.replace(schedule::Timer::set(delay, ring));
    }

    fn carry_out(&self, effect: Effect<Content>) {
        if self.simulation.is_on() { simulate::carry_out(effect) } else { self.act(effect) }
    }

    pub(super) fn act(&self, effect: Effect<Content>) {
        match effect {
            Effect::Fetch { id, request, lineage } => self.fetch(id, request, lineage),
            Effect::Cancel(id) => self.end_request(id),
            Effect::Erase { id, account, layer: Source::LocalStorage } => {
                self.answer(id, Answer::Erased(self.shelves.erase_local(&account)));
            }
            Effect::Erase { id, account, layer: Source::ServiceWorker } => {
                writes::erase_pictures(id, account);
            }
            Effect::Erase { id, account, .. } => {
                writes::erase_durable(id, self.shelves.durable_of(&account));
            }
            // The core wants none of these before all of the program is here.
            Effect::Read { layer: Source::ServiceWorker, .. }
            | Effect::Write { .. }
            | Effect::Measure { .. }
            | Effect::Count { .. }
            | Effect::Decode { .. }
            | Effect::ListAccounts { .. }
            | Effect::Lock { .. }
            | Effect::Listen { .. }
            | Effect::AnnounceWait => writes::begin(self, effect),
            // Once nobody is signed in, nobody waits for an answer.
            Effect::Read { .. } | Effect::ReadDocuments { .. } => {
                if let Some(shelf) = self.shelves.durable() {
                    schedule::spawn(effects::carry_out(shelf, effect));
                }
            }
            Effect::Note(note) => identity::keep(&note),
            Effect::AnnounceList(held) => self.read(|core| identity::announce_list(core, held)),
            Effect::Changed(topic) => self.signals.changed(&topic),
            Effect::Renewed { people, complete } => sync::ended(people, complete),
            Effect::Report(event) => self.counters.count(event),
        }
    }

    fn fetch(&self, id: EffectId, request: Request, lineage: Option<Lineage>) {
        let (answer, abort) = abortable(effects::send(id, request, lineage));
        self.begin_request(id, abort);
        schedule::spawn(async move {
            if let Ok(fetched) = answer.await {
                let driver = driver();
                driver.end_request(id);
                driver.answer(id, Answer::Fetched(fetched));
            }
        });
    }

    pub(super) fn begin_request(&self, id: EffectId, abort: AbortHandle) {
        self.requests.borrow_mut().push((id, abort));
    }

    /// Ends a request, unless it has ended by itself.
    pub(super) fn end_request(&self, id: EffectId) {
        self.requests.borrow_mut().retain(|(other, request)| {
            let is_it = *other == id;
            if is_it {
                request.abort();
            }
            !is_it
        });
    }
}
