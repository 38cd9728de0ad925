//! What the first look at a picture finds, and what is counted of it.

use super::*;
use crate::cache::core::{ListView, testing::Fault};

impl Fixture {
    fn count(&self, event: &CacheEvent) -> usize {
        self.doc.events.iter().filter(|other| *other == event).count()
    }
}

#[test]
fn local_storage_is_read_once_a_user_while_someone_is_signed_in() {
    let mut t = Fixture::with_users(2);
    assert!(t.doc.core.looks(&user(0)));
    t.open(0);
    assert!(!t.doc.core.looks(&user(0)), "it was read");
    assert!(t.doc.core.looks(&user(1)));
    t.doc.tell(Event::SignOut);
    assert!(!t.doc.core.looks(&user(1)), "nobody is signed in");
}

#[test]
fn a_denied_local_storage_is_read_no_more() {
    let mut t = Fixture::with_users(2);
    t.world.borrow_mut().local.fault = Fault::Denied;
    t.open(0);
    assert!(!t.doc.core.looks(&user(1)));
}

#[test]
fn those_who_join_a_load_are_counted() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    t.open(0);
    assert_eq!(t.count(&CacheEvent::Coalesced), 0);
    t.open(0);
    t.open(0);
    assert_eq!(t.count(&CacheEvent::Coalesced), 2);
    t.doc.slow = false;
    t.doc.run();
    t.open(0);
    assert_eq!(t.count(&CacheEvent::Coalesced), 2, "memory answers");
}

#[test]
fn nobody_joins_a_load_that_has_ended() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.slow = true;
    t.change(0, true);
    t.hear();
    t.open(0);
    assert_eq!(t.count(&CacheEvent::Coalesced), 0, "the first one's load ended before the news");
}

#[test]
fn what_is_shown_past_its_lifetime_is_counted() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.open(0);
    assert_eq!(t.count(&CacheEvent::Stale), 0);
    t.reload();
    t.world.borrow_mut().advance(minutes(60));
    t.doc = Document::open(&t.world, t.policy.clone(), 3);
    assert_eq!(t.open(0).1, Some(Source::LocalStorage));
    assert_eq!(t.count(&CacheEvent::Stale), 1);
}

#[test]
fn a_picture_that_came_with_its_page_took_as_long_as_the_page() {
    let mut t = Fixture::with_users(2);
    t.world.borrow_mut().server.befriend(&user(1), "b");
    t.doc.slow = true;
    t.doc.tell(Event::FriendsViewed(ListView { rows: 0..20, pictures: Some(Size::S64), ahead: 0 }));
    t.doc.wait(Duration::from_millis(250));
    t.doc.slow = false;
    t.doc.run();
    t.open(1);
    let [load] = &t.loads()[..] else { panic!("one load") };
    assert_eq!((load.outcome, load.took_ms), (Outcome::Shown(Source::Network), 250.0));
    t.open(1);
    let again = t.loads().remove(1);
    assert_eq!((again.outcome, again.took_ms), (Outcome::Shown(Source::Memory), 0.0));
}

#[test]
fn a_storage_that_fails_now_and_then_goes_on_being_asked() {
    let mut t = Fixture::with_users(12);
    for index in 0..12 {
        let fails = index % 3 != 2;
        t.world.borrow_mut().durable.fault = if fails { Fault::Failing } else { Fault::None };
        let before = t.doc.events.len();
        t.doc.look(wanted(index, Size::S64));
        t.doc.run();
        let read = |event: &CacheEvent| matches!(event, CacheEvent::LayerFailed(..));
        let failed = t.doc.events[before..].iter().filter(|event| read(event)).count();
        assert_eq!(failed, usize::from(fails), "{index}: it was asked");
    }
}
