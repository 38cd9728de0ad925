//! One document: a core, and the effects that wait to be answered.

use std::collections::BTreeMap;

use miniature_api::{Lineage, Size, UserId};

use super::{Blob, Fault, Token, World, account_of, live::Line, taped, wanted};
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
    replay::Tape,
};

/// An effect on its way.
#[derive(Clone, Debug)]
pub(in crate::cache::core) enum Under {
    Read(Source, Vec<Lookup>),
    Documents(Vec<DocumentKey>),
    Fetch(Request, Option<Lineage>),
    Decode(bool),
    Write(Source, Vec<Op<Blob>>, crate::cache::clock::Timestamp, Room),
    Measure(Source),
    Erase,
    Accounts,
    Lock {
        granted: bool,
    },
    Stream(Line),
    /// The world has answered; the answer is on its way.
    Answered(Box<Answer<Blob>>),
}

/// A document.
#[derive(Debug)]
pub(in crate::cache::core) struct Document {
    pub(in crate::cache::core) core: Core<Blob>,
    pub(in crate::cache::core) world: World,
    pub(in crate::cache::core) under_way: Vec<(EffectId, Under)>,
    pub(in crate::cache::core) events: Vec<CacheEvent>,
    pub(in crate::cache::core) changed: Vec<Topic>,
    /// What came of renewals: of how many people, and whether that were all.
    pub(in crate::cache::core) renewed: Vec<(usize, bool)>,
    /// Whether effects wait to be delivered one by one.
    pub(in crate::cache::core) slow: bool,
    pub(in crate::cache::core) list_announced: Option<bool>,
    /// What was to be written, by layer.
    pub(in crate::cache::core) ops: Vec<(Source, Op<Blob>)>,
    /// Whose storages are open.
    account: Option<UserId>,
    pub(in crate::cache::core) tape: Option<Tape>,
    /// With what each effect began.
    begun: BTreeMap<EffectId, Begun>,
    pub(super) number: usize,
    /// How many of the posts of other documents it has heard.
    pub(super) heard: usize,
}

impl Drop for Document {
    fn drop(&mut self) {
        if let Ok(mut world) = self.world.try_borrow_mut() {
            world.lines.leave(self.number);
        }
    }
}

impl Under {
    /// Whether it has more than one answer.
    pub(in crate::cache::core) fn goes_on(&self) -> bool {
        matches!(self, Self::Lock { .. } | Self::Stream(_))
    }
}

/// Whose storages an effect acts on, and the cookie that a request carries.
#[derive(Clone, Debug)]
struct Begun {
    account: UserId,
    cookie: Option<Token>,
    deletions: usize,
}

/// How often it is looked whether the server says something by itself.
const SPEAKS_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// More steps than any turn takes.
const RESTLESS: usize = 5_000;

pub(in crate::cache::core) fn account() -> UserId {
    "ada".parse().unwrap()
}

impl Document {
    /// A document in which ada's storages are open, whatever the session is.
    pub(in crate::cache::core) fn open(world: &World, policy: Policy, seed: u64) -> Self {
        let mut document = Self::blank(world, policy, seed);
        let start = world.borrow_mut().start(&account());
        document.tell(Event::Session(Some(Box::new(start))));
        document
    }

    /// A document that begins with what the browser holds of sessions.
    pub(in crate::cache::core) fn begin(world: &World, policy: Policy, seed: u64) -> Self {
        let mut document = Self::blank(world, policy, seed);
        document.identify();
        document
    }

    fn blank(world: &World, policy: Policy, seed: u64) -> Self {
        let now = world.borrow().now();
        let tape = taped::tape(&policy, seed, now);
        let (number, heard) = world.borrow_mut().lines.join();
        Self {
            core: Core::new(policy, seed, true, now),
            world: world.clone(),
            under_way: Vec::new(),
            events: Vec::new(),
            changed: Vec::new(),
            renewed: Vec::new(),
            slow: false,
            list_announced: None,
            ops: Vec::new(),
            account: None,
            tape,
            begun: BTreeMap::new(),
            number,
            heard,
        }
    }

    /// The account whose storages are open.
    pub(super) fn own_account(&self) -> UserId {
        self.account.clone().unwrap_or_else(account)
    }

    /// The cookie that a request carries.
    pub(super) fn cookie_of(&self, id: EffectId) -> Option<Token> {
        self.begun.get(&id)?.cookie
    }

    /// Looks at what the browser holds of sessions.
    pub(in crate::cache::core) fn identify(&mut self) {
        let held = self.world.borrow().jar.identity.clone();
        self.tell(Event::Identity(held));
    }

    /// Someone signs in, in this document or another.
    pub(in crate::cache::core) fn sign_in(&mut self, user: &str) {
        let user: UserId = user.parse().unwrap();
        let marker = {
            let world = &mut *self.world.borrow_mut();
            world.sign_in(&user, world.jar.cookie)
        };
        let epoch = self.core.epoch();
        self.tell(Event::SignedIn { epoch, account: account_of(&user), marker });
    }

    /// Opens the storages of who is signed in, and closes those of who is not any more.
    fn follow_session(&mut self) {
        if let Some(account) = self.core.to_begin().cloned() {
            let start = self.world.borrow_mut().start(&account);
            self.handle(Event::Session(Some(Box::new(start))));
        }
        self.account = self.core.account().cloned();
    }

    pub(in crate::cache::core) fn now(&self) -> Now {
        self.world.borrow().now()
    }

    /// What is seen in the first frame.
    pub(in crate::cache::core) fn look(&mut self, wanted: Wanted) -> (ViewerId, View<Blob>) {
        let looks = self.core.looks(&wanted.user);
        let account = self.account.clone().filter(|_| looks);
        let found =
            account.map(|account| self.world.borrow_mut().layers(&account).0.found(&wanted.user));
        self.open_in_core(wanted, found)
    }

    /// What is seen in the first frame, and then all that follows.
    pub(in crate::cache::core) fn show(&mut self, index: usize) -> (ViewerId, Option<Source>) {
        let (viewer, view) = self.look(wanted(index, Size::S64));
        self.run();
        (viewer, view.shown.map(|shown| shown.source))
    }

    pub(in crate::cache::core) fn tell(&mut self, event: Event<Blob>) {
        self.handle(event);
        self.follow_session();
    }

    pub(in crate::cache::core) fn leave(&mut self, viewer: ViewerId) {
        self.tell(Event::Left(viewer));
    }

    /// One turn: carries out what the core wants done now. Returns whether there was anything.
    pub(in crate::cache::core) fn turn(&mut self) -> bool {
        for nth in 0..RESTLESS {
            match self.poll() {
                Some(effect) => self.carry_out(effect),
                None => return nth > 0,
            }
        }
        panic!("a turn that never ends");
    }

    /// What the first half of the program cannot carry out is never wanted before the rest is here.
    fn check_is_possible(&self, effect: &Effect<Blob>) {
        let needs_all = match effect {
            Effect::Read { layer, .. } => *layer == Source::ServiceWorker,
            Effect::Write { .. }
            | Effect::Measure { .. }
            | Effect::Count { .. }
            | Effect::Decode { .. }
            | Effect::ListAccounts { .. }
            | Effect::Lock { .. }
            | Effect::Listen { .. }
            | Effect::AnnounceWait => true,
            _ => false,
        };
        assert!(!(needs_all && self.core.writes_wait), "too early: {effect:?}");
    }

    fn carry_out(&mut self, effect: Effect<Blob>) {
        self.check_is_possible(&effect);
        let account = self.account.clone().unwrap_or_else(account);
        let cookie = self.world.borrow().jar.cookie;
        let mut begun = Begun { account, cookie, deletions: 0 };
        if let Effect::Write { layer, ops, .. } = &effect {
            self.ops.extend(ops.iter().map(|op| (*layer, op.clone())));
        }
        if let Some((id, answer)) = self.answer_at_once(&effect, &begun.account) {
            return self.tell(Event::Answer(id, answer));
        }
        let under = match effect {
            Effect::Read { id, layer, lookups } => (id, Under::Read(layer, lookups)),
            Effect::ReadDocuments { id, keys } => (id, Under::Documents(keys)),
            Effect::Fetch { id, request, lineage } => {
                self.world.borrow_mut().server.requests.push(request.clone());
                (id, Under::Fetch(request, lineage))
            }
            Effect::Decode { id, rendition } => (id, Under::Decode(rendition.content.decodes)),
            Effect::Write { id, layer, ops, now, room } => {
                begun.deletions = self.deletions(&begun.account, layer);
                (id, Under::Write(layer, ops, now, room))
            }
            Effect::Count { .. } => return,
            Effect::Measure { id, layer } => (id, Under::Measure(layer)),
            Effect::Erase { id, account, .. } => {
                begun.account = account;
                (id, Under::Erase)
            }
            Effect::ListAccounts { id } => (id, Under::Accounts),
            Effect::Lock { id, steal } => {
                self.ask_for_lock(id, steal);
                (id, Under::Lock { granted: false })
            }
            Effect::Listen { id, last, .. } => (id, Under::Stream(Line::after(last))),
            Effect::AnnounceWait => return self.announce_wait(),
            Effect::Note(note) => return self.world.borrow_mut().note(note),
            Effect::AnnounceList(held) => {
                self.list_announced = Some(held);
                return;
            }
            Effect::Cancel(cancelled) => {
                // A write is carried out whoever waits for it.
                let stays = |under: &Under| matches!(under, Under::Write(..));
                self.under_way.retain(|(id, under)| *id != cancelled || stays(under));
                self.world.borrow_mut().lines.release(cancelled, self.number);
                return;
            }
            Effect::Changed(topic) => {
                self.follow_session();
                return self.changed.push(topic);
            }
            Effect::Renewed { people, complete } => return self.renewed.push((people, complete)),
            Effect::Report(event) => return self.events.push(event),
        };
        self.begun.insert(under.0, begun);
        self.under_way.push(under);
    }

    /// Ends the `nth` effect under way, as the world is now. False if it cannot end yet.
    pub(in crate::cache::core) fn deliver(&mut self, nth: usize) -> bool {
        let Some((id, under)) = self.under_way.get(nth).cloned() else {
            return false;
        };
        match under {
            Under::Lock { granted } => return self.deliver_lock(nth, id, granted),
            Under::Stream(line) => return self.deliver_stream(nth, id, line),
            _ => {}
        }
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
        let (id, under) = self.under_way.get(nth).cloned()?;
        let Begun { account, cookie, deletions } = self.begun.get(&id)?;
        {
            let world = &mut *self.world.borrow_mut();
            let hangs = world.durable.fault == Fault::Hanging;
            let accounts = world.accounts();
            if let Under::Fetch(request, lineage) = under {
                return world.server.answer(&request, lineage, *cookie).map(Answer::Fetched);
            }
            if let Some(answer) = world.pictures(account).answer(&under, *deletions) {
                return answer;
            }
            let (_, durable) = world.layers(account);
            match under {
                Under::Answered(answer) => Some(*answer),
                Under::Fetch(..) | Under::Lock { .. } | Under::Stream(_) => None,
                Under::Decode(decodes) => Some(Answer::Decoded(decodes)),
                _ if hangs => None,
                Under::Read(_, lookups) => Some(Answer::Read(durable.get_many(&lookups))),
                Under::Documents(keys) => Some(Answer::Documents(durable.read(&keys))),
                Under::Write(..) if *deletions < durable.deletions => {
                    Some(Answer::Written(Ok(crate::cache::core::Written::default())))
                }
                Under::Write(_, ops, now, room) => {
                    Some(Answer::Written(durable.apply(&ops, now, room)))
                }
                Under::Measure(_) => Some(Answer::Measured(durable.usage())),
                Under::Accounts => Some(Answer::Accounts(Ok(accounts))),
                Under::Erase => Some(Answer::Erased(durable.clear())),
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
            let overheard = self.overhear();
            if !acted && !delivered && !overheard {
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
            // The server speaks by itself, too.
            let step = if self.core.wants_line() { step.min(SPEAKS_WITHIN) } else { step };
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
