//! Thousands of random histories: two documents on the same layers, a world in which everything
//! fails, and after each event a look whether the laws hold.

mod laws;
mod page;
mod steps;

use std::{collections::BTreeMap, time::Duration};

use miniature_api::UserId;
use proptest::{
    strategy::Strategy as _,
    test_runner::{Config, RngSeed, TestError, TestRunner},
};

use super::{
    Event,
    testing::{Fault, Outside, Store, Weather, World, user},
};
use crate::cache::policy::Policy;
use page::Page;
use steps::{KINDS, Step, USERS, history};

struct Simulation {
    world: World,
    policy: Policy,
    pages: Vec<Page>,
    documents_opened: usize,
    old_news: Vec<miniature_api::Record>,
    old_lineage: miniature_api::Lineage,
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
        policy.picture_cache.entries = 3;
        policy.batch_users = 3;
        policy.write_users = 2;
        policy.sync_ahead = policy.indexed_db_fresh_for - Duration::from_secs(60);
        let pages = (0..2).map(|nth| Page::open(&world, &policy, nth)).collect();
        let old_lineage = world.borrow().server.lineage();
        Self { world, policy, pages, documents_opened: 2, old_news: Vec::new(), old_lineage }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Change(..)
            | Step::Write(_)
            | Step::Create(_)
            | Step::Delete(_)
            | Step::Befriend(..)
            | Step::Unfriend(_)
            | Step::Weather(_)
            | Step::Delivery(_)
            | Step::Store(_)
            | Step::LocalFault(_)
            | Step::DurableFault(_)
            | Step::PicturesFault(_)
            | Step::BackUp
            | Step::Restore
            | Step::EndSessions
            | Step::OtherPort(_)
            | Step::Describe(..)
            | Step::KeepEvents(_)
            | Step::Jump(_) => self.world_step(step),
            Step::Wait(millis) => self.wait(Duration::from_millis(*millis)),
            Step::Late(millis) => {
                self.world.borrow_mut().advance(Duration::from_millis(*millis));
            }
            _ => self.page_step(step),
        }
        self.spread_changes();
        self.pages.iter_mut().for_each(Page::follow_epoch);
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
            Step::Write(index) if server.truth.contains_key(&user(*index)) => {
                server.write(&user(*index));
            }
            Step::Create(index) if *index < USERS => server.change(&user(*index), true),
            Step::Delete(index) => server.delete(&user(*index)),
            Step::Befriend(index, name) if server.truth.contains_key(&user(*index)) => {
                server.befriend(&user(*index), &format!("n{name:02}-{index}"));
            }
            Step::Unfriend(index) => server.friends.retain(|_, friend| *friend != user(*index)),
            Step::Weather(weather) => server.weather = *weather,
            Step::Delivery(hints_last) => server.hints_last = *hints_last,
            Step::Store(store) => server.store = *store,
            Step::LocalFault(fault) => world.local.fault = *fault,
            Step::DurableFault(fault) => world.durable.fault = *fault,
            Step::PicturesFault(fault) => world.pictures_fault = *fault,
            Step::Describe(index, words) => {
                server.describe(&user(*index), &format!("headline {words}"));
            }
            Step::KeepEvents(count) => server.events_kept = *count,
            Step::BackUp => server.back_up(),
            Step::Restore => server.restore(),
            Step::EndSessions => server.sessions.end_all(),
            Step::OtherPort(as_ada) => {
                world.sign_in(&account_named(*as_ada), world.jar.cookie);
            }
            Step::Jump(millis) => world.jump(*millis),
            _ => {}
        }
    }

    fn page_step(&mut self, step: &Step) {
        let (world, policy) = (self.world.clone(), self.policy.clone());
        match *step {
            Step::Reload(nth) => {
                self.documents_opened += 1;
                self.pages[nth].check_replay();
                self.pages[nth] = Page::open(&world, &policy, self.documents_opened as u64);
            }
            Step::Turn(nth) => self.turn(nth),
            Step::Storage(nth) => {
                let page = &mut self.pages[nth];
                if !page.inbox.is_empty() {
                    let change = page.inbox.remove(0);
                    page.hear(change);
                }
            }
            Step::SignIn(nth, as_ada) => {
                let user = account_named(as_ada);
                let (epoch, cookie) = (self.pages[nth].doc.core.epoch(), world.borrow().jar.cookie);
                // The page that asks for it shows while nobody is signed in.
                if self.pages[nth].doc.core.account().is_none() {
                    self.pages[nth].signing_in = Some((user, epoch, cookie));
                }
            }
            Step::SignOut(nth) => {
                let doc = &mut self.pages[nth].doc;
                if doc.core.account().is_some() {
                    doc.tell(Event::SignOut);
                }
            }
            Step::SignedIn(nth) => self.pages[nth].signed_in(&world),
            Step::Identity(nth) => self.pages[nth].doc.identify(),
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
            _ => {
                if let Some(nth) = page::page_of(step) {
                    self.pages[nth].gesture(step);
                }
            }
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
            self.pages.iter_mut().for_each(Page::follow_epoch);
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
            (world.server.weather, world.server.store) = (Weather::Fine, Store::Fine);
            (world.local.fault, world.durable.fault) = (Fault::None, Fault::None);
            world.pictures_fault = Fault::None;
        }
        for page in &mut self.pages {
            page.doc.tell(Event::WritesWait(false));
            page.doc.tell(Event::Frozen(false));
            page.doc.identify();
            page.doc.tell(Event::Visible(true));
            page.doc.tell(Event::Online(true));
            page.show_again();
        }
        // What was on its way from a server that was ill arrives, or is given up.
        let arrives = self.policy.silence * 2;
        self.pass(arrives);
        let free: Vec<bool> = self.pages.iter().map(|page| !page.is_held_off()).collect();
        self.pass(SOON);
        let free = self.pages.iter().zip(free).filter(|(_, free)| *free);
        free.for_each(|(page, _)| page.check_connection());
        self.pass(self.policy.longest_retry_after - arrives);
        for page in &self.pages {
            page.check_served();
        }
        // Everything known has been asked about since the last change.
        self.pass(self.policy.memory_fresh_for * 2 + Duration::from_secs(120));
        self.check_truth();
        self.check_accounts();
        self.check_live();
        self.pages.iter().for_each(Page::check_replay);
    }

    /// While a line is open, what changes is on screen in a moment.
    fn check_live(&mut self) {
        for page in &mut self.pages {
            page.doc.tell(Event::Painting { has_locks: page.has_locks });
        }
        self.pass(Duration::from_secs(120));
        let users: Vec<UserId> = self.world.borrow().server.truth.keys().cloned().collect();
        for user in users {
            self.world.borrow_mut().server.change(&user, true);
        }
        self.pass(Duration::from_secs(2));
        self.check_truth();
    }

    fn pass(&mut self, duration: Duration) {
        let until = self.world.borrow().now().running + duration;
        loop {
            for nth in 0..2 {
                let page = &mut self.pages[nth];
                page.doc.run();
                for change in std::mem::take(&mut page.inbox) {
                    page.hear(change);
                }
                page.doc.run();
                self.spread_changes();
            }
            self.pages.iter_mut().for_each(Page::follow_epoch);
            self.check();
            let now = self.world.borrow().now().running;
            if now >= until {
                return;
            }
            self.sleep(until - now);
            self.pages.iter_mut().for_each(|page| page.doc.breathe());
            for page in &mut self.pages {
                page.doc.overhear();
            }
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
            page.check_feed(world.server.posts());
            let end = page.doc.core.friends.viewed().map_or(0, |viewed| viewed.rows.end);
            let list = page.doc.list();
            let seen = list.friends.iter().map(|friend| friend.user_id.clone());
            let asks = page.doc.core.account().cloned();
            let list = asks.map_or(Vec::new(), |asks| world.server.list_of(&asks));
            let expected: Vec<UserId> = list.into_iter().take(end).collect();
            let seen: Vec<UserId> = seen.take(end).collect();
            assert_eq!(seen, expected, "the list never came to be right");
        }
    }
}

/// In which all is there again, once the faults are over and no `Retry-After` holds it up.
const SOON: Duration = Duration::from_secs(120);

fn account_named(as_ada: bool) -> UserId {
    if as_ada { "ada" } else { "grace" }.parse().unwrap()
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

/// In how many parts the histories are walked: the tests run beside each other.
const PARTS: u32 = 4;

#[test]
fn the_laws_hold_in_every_history_of_the_first_part() {
    walk_part(0);
}

#[test]
fn the_laws_hold_in_every_history_of_the_second_part() {
    walk_part(1);
}

#[test]
fn the_laws_hold_in_every_history_of_the_third_part() {
    walk_part(2);
}

#[test]
fn the_laws_hold_in_every_history_of_the_fourth_part() {
    walk_part(3);
}

/// The same histories each time, so that a change is judged by what it changed. Others, or more:
/// `PROPTEST_RNG_SEED` and `PROPTEST_CASES` in the environment.
fn walk_part(part: u32) {
    let first = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => 1,
    };
    let cases = cases_of_ci().div_ceil(PARTS);
    let counts = walk_all(first + u64::from(part), cases);
    for (kind, count) in &counts {
        println!("{kind:<24} in {count} of {cases} histories");
        assert!(count * 20 >= cases, "{kind} is too rare");
    }
    assert_eq!(counts.len(), KINDS, "a kind of event never happens");
}

/// How many of the histories have each kind of event.
type Counts = BTreeMap<&'static str, u32>;

fn walk_all(seed: u64, cases: u32) -> Counts {
    let defaults = Config::default();
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: defaults.max_shrink_iters.min(3_000),
        ..defaults
    };
    let counts = std::cell::RefCell::new(Counts::new());
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
        Ok(()) => counts.into_inner(),
        Err(TestError::Fail(why, steps)) => panic!("{why}\nin {steps:?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}
