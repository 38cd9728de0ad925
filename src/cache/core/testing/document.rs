//! One document: a core, and the effects that wait to be answered.

use miniature_api::{Lineage, Size, UserId};

use super::{Blob, Fault, World, wanted};
use crate::cache::{
    clock::Now,
    core::{
        Answer, Core, Effect, EffectId, Event, FriendsView, Op, Request, Room, StorageChange,
        Topic, View, ViewerId,
    },
    document::DocumentKey,
    event::CacheEvent,
    key::{Lookup, Source, Wanted},
    policy::Policy,
};

/// An effect on its way.
#[derive(Clone, Debug)]
pub(in crate::cache::core) enum Under {
    Read(Vec<Lookup>),
    Documents(Vec<DocumentKey>),
    Fetch(Request, Option<Lineage>),
    Decode(bool),
    Write(Vec<Op<Blob>>, crate::cache::clock::Timestamp, Room),
    Measure,
    Erase,
    /// The world has answered; the answer is on its way.
    Answered(Box<Answer<Blob>>),
}

/// A document.
#[derive(Debug)]
pub(in crate::cache::core) struct Document {
    pub(in crate::cache::core) core: Core<Blob>,
    world: World,
    pub(in crate::cache::core) under_way: Vec<(EffectId, Under)>,
    pub(in crate::cache::core) events: Vec<CacheEvent>,
    pub(in crate::cache::core) changed: Vec<Topic>,
    /// Whether effects wait to be delivered one by one.
    pub(in crate::cache::core) slow: bool,
    pub(in crate::cache::core) list_announced: Option<bool>,
}

/// More steps than any turn takes.
const RESTLESS: usize = 5_000;

pub(in crate::cache::core) fn account() -> UserId {
    "ada".parse().unwrap()
}

impl Document {
    pub(in crate::cache::core) fn open(world: &World, policy: Policy, seed: u64) -> Self {
        let now = world.borrow().now();
        let mut core = Core::new(policy, seed, true, now);
        let start = world.borrow().local.start(account());
        core.handle(Event::Session(Some(start)), now);
        Self {
            core,
            world: world.clone(),
            under_way: Vec::new(),
            events: Vec::new(),
            changed: Vec::new(),
            slow: false,
            list_announced: None,
        }
    }

    pub(in crate::cache::core) fn now(&self) -> Now {
        self.world.borrow().now()
    }

    /// What is seen in the first frame.
    pub(in crate::cache::core) fn look(&mut self, wanted: Wanted) -> (ViewerId, View<Blob>) {
        let looks = self.core.looks(&wanted.user);
        let found = looks.then(|| self.world.borrow().local.found(&wanted.user));
        self.core.open(wanted, found, self.now())
    }

    /// What is seen in the first frame, and then all that follows.
    pub(in crate::cache::core) fn show(&mut self, index: usize) -> (ViewerId, Option<Source>) {
        let (viewer, view) = self.look(wanted(index, Size::S64));
        self.run();
        (viewer, view.shown.map(|shown| shown.source))
    }

    pub(in crate::cache::core) fn tell(&mut self, event: Event<Blob>) {
        self.core.handle(event, self.now());
    }

    pub(in crate::cache::core) fn leave(&mut self, viewer: ViewerId) {
        self.tell(Event::Left(viewer));
    }

    /// One turn: carries out what the core wants done now. Returns whether there was anything.
    pub(in crate::cache::core) fn turn(&mut self) -> bool {
        for nth in 0..RESTLESS {
            match self.core.poll(self.now()) {
                Some(effect) => self.carry_out(effect),
                None => return nth > 0,
            }
        }
        panic!("a turn that never ends");
    }

    fn carry_out(&mut self, effect: Effect<Blob>) {
        let under = match effect {
            Effect::Read { id, lookups } => (id, Under::Read(lookups)),
            Effect::ReadDocuments { id, keys } => (id, Under::Documents(keys)),
            Effect::Fetch { id, request, lineage } => {
                self.world.borrow_mut().server.requests.push(request.clone());
                (id, Under::Fetch(request, lineage))
            }
            Effect::Decode { id, rendition } => (id, Under::Decode(rendition.content.decodes)),
            Effect::Write { id, layer: Source::LocalStorage, ops, now, .. } => {
                let written = self.world.borrow_mut().local.apply(&ops, now);
                return self.tell(Event::Answer(id, Answer::Written(written)));
            }
            Effect::Write { id, ops, now, room, .. } => (id, Under::Write(ops, now, room)),
            Effect::Count { id } => {
                let lines = self.world.borrow().local.count();
                return self.tell(Event::Answer(id, Answer::Counted(lines)));
            }
            Effect::Measure { id } => (id, Under::Measure),
            Effect::Erase { id, layer: Source::LocalStorage, .. } => {
                let erased = self.world.borrow_mut().local.clear();
                return self.tell(Event::Answer(id, Answer::Erased(erased)));
            }
            Effect::Erase { id, .. } => (id, Under::Erase),
            Effect::AnnounceList(held) => {
                self.list_announced = Some(held);
                return;
            }
            Effect::Cancel(cancelled) => {
                // A write is carried out whoever waits for it.
                let stays = |under: &Under| matches!(under, Under::Write(..));
                self.under_way.retain(|(id, under)| *id != cancelled || stays(under));
                return;
            }
            Effect::Changed(topic) => return self.changed.push(topic),
            Effect::Report(event) => return self.events.push(event),
        };
        self.under_way.push(under);
    }

    /// Ends the `nth` effect under way, as the world is now. False if it cannot end yet.
    pub(in crate::cache::core) fn deliver(&mut self, nth: usize) -> bool {
        let Some((id, _)) = self.under_way.get(nth) else {
            return false;
        };
        let id = *id;
        let Some(answer) = self.answer(nth) else {
            return false;
        };
        self.under_way.remove(nth);
        self.tell(Event::Answer(id, answer));
        true
    }

    /// Lets the world answer the `nth` effect now, and the answer be late.
    pub(in crate::cache::core) fn delay(&mut self, nth: usize) {
        if let Some(answer) = self.answer(nth) {
            self.under_way[nth].1 = Under::Answered(Box::new(answer));
        }
    }

    /// What the world says to the `nth` effect now; none if it says nothing.
    fn answer(&mut self, nth: usize) -> Option<Answer<Blob>> {
        let (_, under) = self.under_way.get(nth).cloned()?;
        {
            let world = &mut *self.world.borrow_mut();
            let hangs = world.durable.fault == Fault::Hanging;
            match under {
                Under::Answered(answer) => Some(*answer),
                Under::Fetch(request, lineage) => {
                    world.server.answer(&request, lineage).map(Answer::Fetched)
                }
                Under::Decode(decodes) => Some(Answer::Decoded(decodes)),
                _ if hangs => None,
                Under::Read(lookups) => Some(Answer::Read(world.durable.get_many(&lookups))),
                Under::Documents(keys) => Some(Answer::Documents(world.durable.read(&keys))),
                Under::Write(ops, now, room) => {
                    Some(Answer::Written(world.durable.apply(&ops, now, room)))
                }
                Under::Measure => Some(Answer::Measured(world.durable.usage())),
                Under::Erase => Some(Answer::Erased(world.durable.clear())),
            }
        }
    }

    /// The changes that this document made to LocalStorage, for the others.
    pub(in crate::cache::core) fn take_changes(&mut self) -> Vec<StorageChange> {
        std::mem::take(&mut self.world.borrow_mut().local.changes)
    }

    /// Turns and deliveries until nothing more follows without time passing. Where the document is
    /// slow, requests wait.
    pub(in crate::cache::core) fn run(&mut self) {
        for _ in 0..RESTLESS {
            let acted = self.turn();
            let slow = self.slow;
            let ready =
                |(_, under): &(EffectId, Under)| !(slow && matches!(under, Under::Fetch(..)));
            let nth: Vec<usize> =
                (0..self.under_way.len()).filter(|nth| ready(&self.under_way[*nth])).collect();
            let delivered = nth.into_iter().any(|nth| self.deliver(nth));
            if !acted && !delivered {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Lets time pass as far as `until`, called whenever the core asks for it.
    pub(in crate::cache::core) fn wait(&mut self, duration: std::time::Duration) {
        let until = self.now().running + duration;
        loop {
            self.run();
            let now = self.now().running;
            if now >= until {
                return;
            }
            let wake = self.core.wake().at.clamp(now, until);
            let step = (wake - now).max(std::time::Duration::from_millis(1)).min(until - now);
            self.world.borrow_mut().advance(step);
        }
    }

    pub(in crate::cache::core) fn list(&self) -> FriendsView {
        self.core.friends()
    }

    /// The requests for pictures, and for anything else, since the last call.
    pub(in crate::cache::core) fn requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.world.borrow_mut().server.requests)
    }
}
