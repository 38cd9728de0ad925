//! The pipeline in single sentences. Histories of many steps are the simulation's.

use std::{rc::Rc, time::Duration};

use futures_executor::LocalPool;
use miniature_api::{Size, UserId};

use super::{Pipeline, Viewer};
use crate::cache::{
    event::CacheEvent,
    key::{Source, Wanted},
    layer::{BatchAnswer, Origin, OriginError},
    memory::Status,
    policy::Policy,
    testing::{Fault, Weather, World, image_of},
};

struct Fixture {
    pool: LocalPool,
    world: World,
    policy: Policy,
    cache: Rc<Pipeline<World>>,
}

impl Fixture {
    /// The server knows so many users, each with a first picture.
    fn with_users(count: usize) -> Self {
        let pool = LocalPool::new();
        let world = World::new(&pool);
        (0..count).for_each(|index| world.origin.change(&user(index), true));
        let policy = Policy::default();
        let cache = world.pipeline(&policy);
        Self { pool, world, policy, cache }
    }

    /// What is seen in the first frame, and then a turn of the event loop.
    fn open(&mut self, index: usize) -> (Viewer<World>, Option<Source>) {
        let viewer = self.cache.open(wanted(index, Size::S64));
        let first_frame = source(&viewer);
        self.run();
        (viewer, first_frame)
    }

    fn run(&mut self) {
        self.pool.run_until_stalled();
    }

    /// A new document on the same shelves.
    fn reload(&mut self) {
        self.run();
        self.cache = self.world.pipeline(&self.policy);
    }

    fn requests(&self) -> usize {
        self.world.origin.requests.replace(0)
    }

    fn count(&self, event: &CacheEvent) -> usize {
        self.world.events.borrow().iter().filter(|happened| *happened == event).count()
    }
}

fn user(index: usize) -> UserId {
    format!("user{index}").parse().unwrap()
}

fn wanted(index: usize, size: Size) -> Wanted {
    Wanted { user: user(index), size }
}

fn source(viewer: &Viewer<World>) -> Option<Source> {
    viewer.view().shown.map(|shown| shown.source)
}

fn shows_revision(viewer: &Viewer<World>, index: usize, revision: u32) -> bool {
    viewer
        .view()
        .shown
        .is_some_and(|shown| shown.rendition.image() == image_of(&user(index), revision))
}

#[test]
fn each_layer_answers_once_the_nearer_ones_have_nothing() {
    let mut t = Fixture::with_users(1);
    let (viewer, first_frame) = t.open(0);
    assert_eq!((first_frame, source(&viewer)), (None, Some(Source::Network)));
    assert_eq!(t.open(0).1, Some(Source::Memory));
    t.reload();
    assert_eq!(t.open(0).1, Some(Source::LocalStorage));
    t.world.instant.users.borrow_mut().clear();
    t.reload();
    let (viewer, first_frame) = t.open(0);
    assert_eq!((first_frame, source(&viewer)), (None, Some(Source::IndexedDb)));
    t.reload();
    assert_eq!(t.open(0).1, Some(Source::LocalStorage), "IndexedDB fills LocalStorage again");
    assert_eq!(t.requests(), 1);
}

#[test]
fn an_old_picture_is_shown_at_once_and_replaced_in_the_background() {
    let mut t = Fixture::with_users(1);
    drop(t.open(0));
    t.world.origin.change(&user(0), true);
    t.world.clock.advance(t.policy.memory_fresh_for);
    let viewer = t.cache.open(wanted(0, Size::S64));
    assert!(shows_revision(&viewer, 0, 1));
    t.run();
    assert!(shows_revision(&viewer, 0, 2));
    assert_eq!(t.requests(), 2);
}

#[test]
fn a_confirmation_carries_no_bytes() {
    let mut t = Fixture::with_users(1);
    drop(t.open(0));
    t.world.origin.sent_bytes.set(0);
    t.world.clock.advance(t.policy.local_storage_fresh_for);
    t.reload();
    let (viewer, first_frame) = t.open(0);
    assert_eq!((first_frame, t.requests()), (Some(Source::LocalStorage), 2));
    assert_eq!((t.world.origin.sent_bytes.get(), viewer.view().status), (0, Status::Settled));
}

#[test]
fn a_list_is_one_transaction_and_a_request_per_fifty() {
    let mut t = Fixture::with_users(120);
    let viewers: Vec<_> = (0..120).map(|index| t.cache.open(wanted(index, Size::S64))).collect();
    t.run();
    assert_eq!((t.requests(), t.world.durable.reads.get()), (3, 1));
    assert!(viewers.iter().all(|viewer| viewer.view().status == Status::Settled));
}

#[test]
fn many_callers_share_one_load() {
    let mut t = Fixture::with_users(1);
    let viewers: Vec<_> = (0..9).map(|_| t.cache.open(wanted(0, Size::S64))).collect();
    t.run();
    assert_eq!((t.requests(), t.count(&CacheEvent::Coalesced)), (1, 8));
    assert!(viewers.iter().all(|viewer| source(viewer) == Some(Source::Network)));
}

#[test]
fn a_load_is_cancelled_when_its_last_waiter_leaves() {
    let mut t = Fixture::with_users(1);
    t.world.origin.slow.set(true);
    let (first, _) = t.open(0);
    let (second, _) = t.open(0);
    drop(first);
    t.run();
    t.world.origin.forget_cancelled();
    assert_eq!(t.world.origin.calls.borrow().len(), 1, "someone still waits");
    drop(second);
    t.run();
    t.world.origin.forget_cancelled();
    assert_eq!(t.world.origin.calls.borrow().len(), 0);
}

#[test]
fn what_arrives_after_a_sign_out_is_dropped() {
    let mut t = Fixture::with_users(1);
    t.world.origin.slow.set(true);
    let (viewer, _) = t.open(0);
    let cache = t.cache.clone();
    t.pool.run_until(async move { cache.close().await });
    t.world.origin.release(0);
    t.run();
    assert!(viewer.view().shown.is_none());
    assert!(t.world.instant.is_empty() && t.world.durable.is_empty());
}

#[test]
fn with_every_layer_broken_pictures_come_from_the_network() {
    for fault in [Fault::Denied, Fault::Failing, Fault::Disconnected, Fault::Hanging, Fault::Full] {
        let mut t = Fixture::with_users(1);
        t.world.instant.fault.set(fault);
        t.world.durable.fault.set(fault);
        let (viewer, _) = t.open(0);
        t.world.clock.advance(t.policy.layer_timeout);
        t.run();
        assert_eq!(source(&viewer), Some(Source::Network), "{fault:?}");
    }
}

#[test]
fn a_server_out_of_reach_fails_until_it_is_back() {
    let mut t = Fixture::with_users(1);
    t.world.origin.weather.set(Weather::Unreachable);
    let (viewer, _) = t.open(0);
    assert_eq!(viewer.view().status, Status::Failed(OriginError::Unreachable));
    t.world.origin.weather.set(Weather::Fine);
    t.cache.retry();
    t.run();
    assert_eq!(viewer.view().status, Status::Settled);
}

#[test]
fn a_page_brings_its_pictures_and_they_count_as_the_networks_once() {
    let mut t = Fixture::with_users(3);
    let users: Vec<_> = (0..3).map(user).collect();
    let asked: Vec<_> = users
        .iter()
        .map(|user| miniature_api::BatchUser { user_id: user.clone(), held: None })
        .collect();
    let page = futures_executor::block_on(t.world.origin.batch(Size::S64, &asked)).unwrap();
    let records = t.world.origin.truth.borrow().values().cloned().collect();
    let answer = BatchAnswer { entries: Vec::new(), renditions: page.renditions };
    t.cache.admit(records, answer, Size::S64, Duration::from_millis(300));
    assert_eq!(t.open(0).1, Some(Source::Network));
    assert_eq!(t.open(0).1, Some(Source::Memory));
    assert_eq!(t.requests(), 1, "only the page's own");
}

#[test]
fn the_small_picture_is_shown_until_the_large_one_is_there() {
    let mut t = Fixture::with_users(1);
    drop(t.open(0));
    let modal = t.cache.open(wanted(0, Size::S256));
    let view = modal.view();
    assert_eq!(view.status, Status::Loading);
    assert_eq!(view.shown.map(|shown| shown.rendition.size()), Some(Size::S64));
    t.run();
    assert_eq!(modal.view().shown.map(|shown| shown.rendition.size()), Some(Size::S256));
}

#[test]
fn what_the_browser_cannot_paint_is_asked_for_anew_once() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    let shown = |viewer: &Viewer<World>| viewer.view().shown.map(|shown| shown.rendition.key);
    for (times, requests) in [(1, 2), (2, 2)] {
        t.cache.broken(&user(0), shown(&viewer).unwrap());
        t.run();
        assert_eq!(t.world.origin.requests.get(), requests, "broken {times} times");
    }
    assert!(t.world.durable.renditions.borrow().is_empty());
}
