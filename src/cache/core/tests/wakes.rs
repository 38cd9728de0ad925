//! When the core is to be called again.

use super::*;
use crate::cache::core::{
    Wake,
    testing::{Fault, Weather},
};

impl Fixture {
    /// How long until the core is to be called, and whether in idle time.
    fn sleeps(&self) -> (Duration, bool) {
        let Wake { at, idle } = self.doc.core.wake();
        (at - self.doc.now().running, idle)
    }
}

#[test]
fn layers_are_written_in_idle_time() {
    let mut t = Fixture::with_users(2);
    assert_eq!(t.sleeps(), (secs(60), false), "nothing is to be done");
    t.open(0);
    t.doc.slow = true;
    t.open(1);
    assert_eq!(t.sleeps(), (Duration::from_millis(100), true), "pictures are to be decoded");
    t.doc.wait(Duration::from_millis(100));
    assert_eq!(t.sleeps(), (Duration::from_millis(400), true), "a request has 15 s");
}

#[test]
fn what_is_due_when_layers_are_written_does_not_wait_for_idle_time() {
    let mut t = Fixture::with_users(1);
    (t.policy.write_after, t.policy.write_at_most) = (t.policy.silence, t.policy.silence);
    t.doc = Document::open(&t.world, t.policy.clone(), 1);
    t.doc.slow = true;
    t.open(0);
    t.doc.wait(secs(1));
    assert_eq!(t.sleeps(), (t.policy.silence - secs(1), false));
}

#[test]
fn a_hidden_page_has_no_idle_time() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.world.borrow_mut().local.fault = Fault::Failing;
    t.open(0);
    t.doc.tell(Event::Visible(false));
    t.doc.run();
    let (sleeps, idle) = t.sleeps();
    assert!(sleeps < secs(60) && !idle, "writes are tried again in {sleeps:?}");
}

#[test]
fn a_denied_layer_is_not_written_again_and_again() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().durable.fault = Fault::Denied;
    t.world.borrow_mut().local.fault = Fault::Denied;
    t.open(0);
    t.doc.wait(secs(10));
    assert_eq!(t.sleeps(), (secs(60), false));
}

#[test]
fn what_waits_behind_requests_is_no_reason_to_wake() {
    let mut t = Fixture::with_users(200);
    t.world.borrow_mut().server.weather = Weather::Busy(20);
    t.look_at(0..200);
    t.doc.run();
    t.world.borrow_mut().advance(secs(20));
    t.doc.slow = true;
    t.doc.run();
    assert_eq!(t.doc.under_way.len(), 3);
    let (sleeps, _) = t.sleeps();
    assert!(sleeps > Duration::ZERO, "the pause ends now, and there is no place");
}

#[test]
fn the_core_says_whose_data_it_holds_and_by_what_rules() {
    let mut t = Fixture::with_users(1);
    t.policy.pages = 7;
    t.doc = Document::open(&t.world, t.policy.clone(), 1);
    assert_eq!(t.doc.core.policy(), &t.policy);
    assert_eq!(t.doc.core.account(), Some(&"ada".parse().unwrap()));
    t.doc.tell(Event::SignOut);
    assert_eq!(t.doc.core.account(), None);
}
