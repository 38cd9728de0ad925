//! Thousands of random histories: two documents on the same layers, a world in which everything
//! fails, and after each event a look whether the laws hold.

mod laws;
mod steps;

use std::{collections::BTreeMap, time::Duration};

use miniature_api::{Size, UserId};
use proptest::{
    strategy::Strategy as _,
    test_runner::{Config, RngSeed, TestError, TestRunner},
};

use super::{
    Event, ListView, Status, StorageChange, ViewerId,
    testing::{Blob, Document, Fault, Outside, Weather, World, user, wanted},
};
use crate::cache::{
    core::view::ProfileView,
    entry::{Rendition, Version},
    key::Wanted,
    layer::OriginError,
    policy::Policy,
};
use steps::{KINDS, Step, USERS, history};

/// The most viewers a document has, so that histories stay readable.
const VIEWERS: usize = 8;

/// A document and what was seen in it.
struct Page {
    doc: Document,
    viewers: Vec<Seen>,
    profiles: Vec<UserId>,
    /// What other documents did, in order.
    inbox: Vec<StorageChange>,
    visible: bool,
}

/// A viewer, and what it saw last.
struct Seen {
    id: ViewerId,
    wanted: Wanted,
    version: Option<Version>,
    shown: Option<Rendition<Blob>>,
    shown_at: Option<Version>,
    broken: bool,
}

impl Seen {
    /// How each image of this user begins, as [`super::testing::image_of`] makes them.
    fn prefix(&self) -> String {
        self.wanted.user.as_str().bytes().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

struct Simulation {
    world: World,
    policy: Policy,
    pages: Vec<Page>,
    documents_opened: usize,
    old_news: Vec<miniature_api::Record>,
    old_lineage: miniature_api::Lineage,
}

impl Page {
    fn open(world: &World, policy: &Policy, seed: u64) -> Self {
        Self {
            doc: Document::open(world, policy.clone(), seed),
            viewers: Vec::new(),
            profiles: Vec::new(),
            inbox: Vec::new(),
            visible: true,
        }
    }

    fn look(&mut self, index: usize, size: Size) {
        if self.viewers.len() >= VIEWERS {
            return;
        }
        let wanted = wanted(index, size);
        let (id, view) = self.doc.look(wanted.clone());
        let version =
            self.doc.core.people.get(&wanted.user).and_then(super::person::Person::version);
        let shown = view.shown.map(|shown| shown.rendition);
        let (shown_at, broken) = (version, false);
        self.viewers.push(Seen { id, wanted, version, shown, shown_at, broken });
    }

    fn break_one(&mut self, nth: usize) {
        let Some(nth) = nth.checked_rem(self.viewers.len()) else { return };
        let user = self.viewers[nth].wanted.user.clone();
        if let Some(key) = self.viewers[nth].shown.as_ref().map(|shown| shown.key) {
            for seen in self.viewers.iter_mut().filter(|seen| seen.wanted.user == user) {
                seen.broken = true;
            }
            self.doc.tell(Event::Broken(user, key));
        }
    }
}

impl Simulation {
    fn new() -> Self {
        let world = Outside::with_users(USERS - 1);
        world.borrow_mut().server.page_size = 2;
        (0..3).for_each(|index| {
            world.borrow_mut().server.befriend(&user(index), &format!("n{index}"))
        });
        let mut policy = Policy::default();
        policy.memory.entries = 5;
        policy.memory.trim_entries_to = 3;
        policy.local_storage.entries = 4;
        policy.local_storage.trim_entries_to = 3;
        policy.batch_users = 3;
        let pages = (0..2).map(|nth| Page::open(&world, &policy, nth)).collect();
        let old_lineage = world.borrow().server.lineage();
        Self { world, policy, pages, documents_opened: 2, old_news: Vec::new(), old_lineage }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Change(..)
            | Step::Create(_)
            | Step::Delete(_)
            | Step::Befriend(..)
            | Step::Unfriend(_)
            | Step::Weather(_)
            | Step::LocalFault(_)
            | Step::DurableFault(_)
            | Step::BackUp
            | Step::Restore
            | Step::Jump(_) => self.world_step(step),
            Step::Wait(millis) => self.wait(Duration::from_millis(*millis)),
            Step::Late(millis) => {
                self.world.borrow_mut().advance(Duration::from_millis(*millis));
            }
            _ => self.page_step(step),
        }
        self.spread_changes();
        self.check();
    }

    fn world_step(&mut self, step: &Step) {
        let world = &mut *self.world.borrow_mut();
        let server = &mut world.server;
        match step {
            Step::Change(index, picture) if server.truth.contains_key(&user(*index)) => {
                self.old_news = server.truth.values().cloned().collect();
                self.old_lineage = server.lineage();
                server.change(&user(*index), *picture);
            }
            Step::Create(index) if *index < USERS => server.change(&user(*index), true),
            Step::Delete(index) => server.delete(&user(*index)),
            Step::Befriend(index, name) if server.truth.contains_key(&user(*index)) => {
                server.befriend(&user(*index), &format!("n{name:02}-{index}"));
            }
            Step::Unfriend(index) => server.friends.retain(|_, friend| *friend != user(*index)),
            Step::Weather(weather) => server.weather = *weather,
            Step::LocalFault(fault) => world.local.fault = *fault,
            Step::DurableFault(fault) => world.durable.fault = *fault,
            Step::BackUp => server.back_up(),
            Step::Restore => server.restore(),
            Step::Jump(millis) => world.jump(*millis),
            _ => {}
        }
    }

    fn page_step(&mut self, step: &Step) {
        let (world, policy) = (self.world.clone(), self.policy.clone());
        match *step {
            Step::Reload(nth) => {
                self.documents_opened += 1;
                self.pages[nth] = Page::open(&world, &policy, self.documents_opened as u64);
            }
            Step::Turn(nth) => self.turn(nth),
            Step::Storage(nth) => {
                let page = &mut self.pages[nth];
                if !page.inbox.is_empty() {
                    let change = page.inbox.remove(0);
                    page.doc.tell(Event::StorageChanged(change));
                }
            }
            Step::News(nth) => {
                let (records, lineage) = {
                    let world = world.borrow();
                    (world.server.truth.values().cloned().collect(), world.server.lineage())
                };
                self.pages[nth].doc.tell(Event::News(records, lineage));
            }
            Step::OldNews(nth) => {
                let (records, lineage) = (self.old_news.clone(), self.old_lineage);
                self.pages[nth].doc.tell(Event::News(records, lineage));
            }
            _ => self.gesture(step),
        }
    }

    fn gesture(&mut self, step: &Step) {
        let Some(nth) = page_of(step) else { return };
        let page = &mut self.pages[nth];
        let under_way = page.doc.under_way.len();
        match *step {
            Step::Open(_, index, size) => page.look(index, size),
            Step::Leave(_, which) => {
                if let Some(which) = which.checked_rem(page.viewers.len()) {
                    let seen = page.viewers.swap_remove(which);
                    page.doc.leave(seen.id);
                    self.turn(nth);
                }
            }
            Step::Prefetch(_, index, size) => {
                page.doc.tell(Event::Prefetch(vec![user(index)], size));
            }
            Step::Invalidate(_, index) => page.doc.tell(Event::Invalidate(user(index))),
            Step::Broken(_, which) => page.break_one(which),
            Step::Retry(_) => page.doc.tell(Event::Retry),
            Step::Clear(_) => page.doc.tell(Event::Clear),
            Step::Visible(_, visible) => {
                page.visible = visible;
                page.doc.tell(Event::Visible(visible));
            }
            Step::Online(_, online) => page.doc.tell(Event::Online(online)),
            Step::ViewList(_, from) => {
                let view = ListView { rows: 0..from + 3, pictures: Some(Size::S64) };
                page.doc.tell(Event::FriendsViewed(view));
            }
            Step::ViewProfile(_, index) if page.profiles.len() < 2 => {
                page.profiles.push(user(index));
                page.doc.tell(Event::ProfileViewed(user(index)));
            }
            Step::LeaveProfile(_) => {
                if let Some(user) = page.profiles.pop() {
                    page.doc.tell(Event::ProfileLeft(user));
                }
            }
            Step::Painted(_) => page.doc.tell(Event::Painted),
            Step::Progress(_, bytes) => {
                if let Some((id, _)) = page.doc.under_way.first() {
                    let id = *id;
                    page.doc.tell(Event::Progressed(id, bytes));
                }
            }
            Step::Deliver(_, which) => {
                which.checked_rem(under_way).map(|which| page.doc.deliver(which));
            }
            Step::DeliverTwice(_, which) => {
                if let Some(which) = which.checked_rem(under_way) {
                    let twice = page.doc.under_way[which].clone();
                    page.doc.under_way.push(twice);
                    page.doc.deliver(which);
                }
            }
            Step::Delay(_, which) => {
                which.checked_rem(under_way).map(|which| page.doc.delay(which));
            }
            _ => {}
        }
    }

    fn turn(&mut self, nth: usize) {
        self.pages[nth].doc.turn();
        self.spread_changes();
        self.check_settled(nth);
    }

    /// What a document wrote into LocalStorage the other one hears of, at some time.
    fn spread_changes(&mut self) {
        let changes = self.pages[0].doc.take_changes();
        self.pages.iter_mut().for_each(|page| page.inbox.extend(changes.iter().cloned()));
    }

    /// Time passes, and each document is woken when it asks to be.
    fn wait(&mut self, duration: Duration) {
        let until = self.world.borrow().now().running + duration;
        loop {
            (0..2).for_each(|nth| self.turn(nth));
            self.check();
            let now = self.world.borrow().now().running;
            if now >= until {
                return;
            }
            self.sleep(until - now);
        }
    }

    /// Until the first document asks to be woken, for `longest` at most.
    fn sleep(&mut self, longest: Duration) {
        let now = self.world.borrow().now().running;
        let wake = self.pages.iter().map(|page| page.doc.core.wake().at.saturating_sub(now)).min();
        let step = wake.unwrap_or(longest).max(Duration::from_millis(1)).min(longest);
        self.world.borrow_mut().advance(step);
    }

    /// The faults are over. Nothing helps but the clock, moved to when the documents ask to be
    /// woken: within two minutes of the latest `Retry-After` all that is wanted is there.
    fn calm(&mut self) {
        {
            let world = &mut *self.world.borrow_mut();
            world.server.weather = Weather::Fine;
            (world.local.fault, world.durable.fault) = (Fault::None, Fault::None);
        }
        for page in &mut self.pages {
            page.doc.tell(Event::Visible(true));
            page.doc.tell(Event::Online(true));
        }
        self.pass(self.policy.longest_retry_after + Duration::from_secs(120));
        for page in &self.pages {
            page.check_served();
        }
        // Everything known has been asked about since the last change.
        self.pass(self.policy.memory_fresh_for * 2 + Duration::from_secs(120));
        self.check_truth();
    }

    fn pass(&mut self, duration: Duration) {
        let until = self.world.borrow().now().running + duration;
        loop {
            for nth in 0..2 {
                let page = &mut self.pages[nth];
                page.doc.run();
                for change in std::mem::take(&mut page.inbox) {
                    page.doc.tell(Event::StorageChanged(change));
                }
                page.doc.run();
                self.spread_changes();
            }
            self.check();
            let now = self.world.borrow().now().running;
            if now >= until {
                return;
            }
            self.sleep(until - now);
        }
    }

    /// What is seen is what is so.
    fn check_truth(&self) {
        let world = self.world.borrow();
        for page in &self.pages {
            for seen in &page.viewers {
                let truth = world.server.truth.get(&seen.wanted.user);
                let image = truth.and_then(|record| record.image_id);
                let shown = page.doc.core.view(seen.id).shown.map(|shown| shown.rendition.image());
                assert_eq!(shown, image, "{} never came to be right", seen.wanted.user);
            }
            let end = page.doc.core.friends.viewed.as_ref().map_or(0, |viewed| viewed.rows.end);
            let seen = page.doc.list().friends.into_iter().map(|friend| friend.user_id);
            let list = world.server.list();
            let expected: Vec<UserId> = list.into_iter().take(end).collect();
            let seen: Vec<UserId> = seen.take(end).collect();
            assert_eq!(seen, expected, "the list never came to be right");
        }
    }
}

impl Page {
    /// All that is wanted is there, but for what came to an end of its own.
    fn check_served(&self) {
        for seen in &self.viewers {
            let view = self.doc.core.view(seen.id);
            let ended = view.status == Status::Failed(OriginError::Malformed);
            assert!(
                view.status == Status::Settled || ended,
                "liveness: {:?} never came: {view:?}",
                seen.wanted
            );
        }
        for user in &self.profiles {
            let view = self.doc.core.profile(user);
            assert!(view != ProfileView::Loading, "liveness: the profile of {user} never came");
        }
    }
}

fn page_of(step: &Step) -> Option<usize> {
    match step {
        Step::Open(nth, ..)
        | Step::Leave(nth, _)
        | Step::Prefetch(nth, ..)
        | Step::Invalidate(nth, _)
        | Step::Broken(nth, _)
        | Step::Retry(nth)
        | Step::Clear(nth)
        | Step::Visible(nth, _)
        | Step::Online(nth, _)
        | Step::ViewList(nth, _)
        | Step::ViewProfile(nth, _)
        | Step::LeaveProfile(nth)
        | Step::Painted(nth)
        | Step::Progress(nth, _)
        | Step::Deliver(nth, _)
        | Step::DeliverTwice(nth, _)
        | Step::Delay(nth, _) => Some(*nth),
        _ => None,
    }
}

fn cases_of_ci() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000)
}

fn walk(steps: &[Step]) {
    let mut simulation = Simulation::new();
    for step in steps {
        simulation.take(step);
    }
    simulation.calm();
}

/// The same histories each time, so that a change is judged by what it changed. Others, or more:
/// `PROPTEST_RNG_SEED` and `PROPTEST_CASES` in the environment.
#[test]
fn the_laws_hold_in_every_history() {
    let config = Config {
        cases: cases_of_ci(),
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        max_shrink_iters: 3_000,
        ..Config::default()
    };
    let cases = config.cases as usize;
    let counts = std::cell::RefCell::new(BTreeMap::<&str, usize>::new());
    let histories = history().prop_map(|steps| {
        let kinds: std::collections::BTreeSet<&str> = steps.iter().map(Step::kind).collect();
        kinds.into_iter().for_each(|kind| *counts.borrow_mut().entry(kind).or_default() += 1);
        steps
    });
    let outcome = TestRunner::new(config).run(&histories, |steps| {
        walk(&steps);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => panic!("{why}\nin {steps:?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
    let counts = counts.into_inner();
    for (kind, count) in &counts {
        println!("{kind:<24} in {count} of {cases} histories");
        assert!(count * 20 >= cases, "{kind} is too rare");
    }
    assert_eq!(counts.len(), KINDS, "a kind of event never happens");
}
