//! What another tab, another port or the server says of who is signed in.

use super::{
    sessions::{LIST, page, signed_in, state},
    *,
};
use crate::cache::core::{
    Farewell, SessionState,
    testing::{Fault, Under, Weather, account_of},
};

fn names(t: &Fixture) -> Vec<String> {
    t.doc.list().friends.iter().map(|friend| friend.name.clone()).collect()
}

#[test]
fn the_list_of_another_account_is_never_kept_under_this_one() {
    for told in [false, true] {
        let mut t = page(1);
        t.world.borrow_mut().server.befriend(&user(0), "of ada");
        t.world.borrow_mut().sign_in(&"grace".parse().unwrap(), None);
        t.doc.slow = true;
        t.doc.tell(LIST());
        t.doc.run();
        let list =
            |(_, under): &(_, Under)| matches!(under, Under::Fetch(Request::Friends { .. }, _));
        let nth = t.doc.under_way.iter().position(list).unwrap();
        t.doc.deliver(nth);
        t.doc.turn();
        assert!(names(&t).is_empty(), "grace's list was shown");
        if told {
            t.doc.identify();
        }
        t.doc.slow = false;
        t.doc.wait(minutes(1));
        assert_eq!(state(&t), signed_in("grace"), "the server says so");
        t.doc.tell(LIST());
        t.doc.wait(minutes(1));
        assert_eq!(names(&t), ["grace/user00"]);
        let world = t.world.borrow();
        assert!(world.local.first.is_empty() && world.durable.documents.is_empty(), "under ada");
        assert!(world.others[&"grace".parse().unwrap()].0.first.len() == 1);
    }
}

#[test]
fn what_another_tab_does_counts_before_anything_is_asked_or_shown() {
    let (out, elsewhere) = (SessionState::SignedOut(None), Some(Farewell::Elsewhere));
    let elsewhere = SessionState::SignedOut(elsewhere);
    type Case = (&'static str, fn(&mut Document), SessionState, SessionState);
    let other_tab: [Case; 5] = [
        ("nothing", |_| {}, signed_in("ada"), signed_in("ada")),
        ("out", |tab| tab.tell(Event::SignOut), elsewhere.clone(), elsewhere),
        (
            "in as someone else",
            |tab| tab.sign_in("grace"),
            SessionState::Unknown,
            signed_in("grace"),
        ),
        ("in again", |tab| tab.sign_in("ada"), SessionState::Unknown, signed_in("ada")),
        ("out here before", |_| {}, out.clone(), out),
    ];
    for (name, act, at_once, later) in other_tab {
        let mut t = page(1);
        let (viewer, _) = t.open(0);
        if name == "out here before" {
            t.doc.tell(Event::SignOut);
            t.doc.run();
        }
        let mut tab = Document::begin(&t.world, t.policy.clone(), 7);
        act(&mut tab);
        tab.run();
        t.doc.requests();
        t.doc.slow = true;
        t.doc.identify();
        t.doc.run();
        assert_eq!(state(&t), at_once, "{name}");
        assert_eq!(t.view(viewer).shown.is_some(), name == "nothing", "{name}");
        let asked = t.doc.requests();
        assert!(asked.iter().all(|request| *request == Request::Session), "{name}: {asked:?}");
        t.doc.slow = false;
        t.doc.wait(minutes(1));
        assert_eq!(state(&t), later, "{name}");
        assert_eq!(t.view(viewer).shown.is_some(), name == "nothing", "{name}: opened before");
    }
}

#[test]
fn a_sign_in_that_another_tab_overtook_is_not_taken_for_granted() {
    let mut t = page(1);
    t.doc.tell(Event::SignOut);
    t.doc.run();
    let epoch = t.doc.core.epoch();
    let mut tab = Document::begin(&t.world, t.policy.clone(), 7);
    tab.sign_in("grace");
    tab.run();
    t.doc.identify();
    let marker = t.world.borrow().jar.identity.marker.clone().unwrap();
    let account = account_of(&"ada".parse().unwrap());
    t.doc.tell(Event::SignedIn { epoch, account, marker });
    assert_eq!(state(&t), SessionState::Unknown);
    t.doc.run();
    assert_eq!(state(&t), signed_in("grace"), "the cookie is hers");
}

#[test]
fn no_marker_and_an_account_is_for_the_server_to_say() {
    let mut t = page(1);
    t.visit(0);
    t.world.borrow_mut().jar.identity.marker = None;
    for opened in [false, true] {
        if opened {
            t.doc = Document::begin(&t.world, t.policy.clone(), 2);
        }
        t.world.borrow_mut().server.weather = Weather::Unreachable;
        t.doc.identify();
        t.doc.run();
        assert_eq!(state(&t), SessionState::Unreachable);
        assert!(!t.world.borrow().durable.records.is_empty(), "nothing is erased");
    }
    t.world.borrow_mut().jar.cookie = None;
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(minutes(2));
    assert_eq!(state(&t), SessionState::SignedOut(None));
    assert!(t.world.borrow().accounts().is_empty());
    assert_eq!(t.doc.list_announced, Some(false), "nor does a cookie name anybody");
}

#[test]
fn what_was_left_of_other_accounts_is_erased_once_it_is_known_who_is_signed_in() {
    let mut t = page(1);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.tell(Event::SignOut);
    t.doc.sign_in("grace");
    t.doc.run();
    assert!(!t.world.borrow().durable.records.is_empty(), "the erasure fails");
    // The next document knows nothing of it.
    t.world.borrow_mut().durable.fault = Fault::None;
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.doc = Document::begin(&t.world, t.policy.clone(), 2);
    t.doc.wait(minutes(1));
    assert!(!t.world.borrow().durable.records.is_empty(), "nobody has confirmed grace");
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(minutes(2));
    assert!(t.world.borrow().durable.records.is_empty());
}

#[test]
fn an_erasure_of_one_layer_leaves_the_other_to_be_looked_through() {
    let mut t = page(1);
    t.doc.run();
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.tell(Event::Clear);
    t.doc.run();
    t.open(0);
    t.doc.wait(secs(10));
    assert!(!t.world.borrow().local.rows.is_empty());
    t.world.borrow_mut().sign_in(&"grace".parse().unwrap(), None);
    t.doc.identify();
    t.doc.wait(secs(10));
    assert_eq!(state(&t), signed_in("grace"));
    assert!(t.world.borrow().local.rows.is_empty(), "while IndexedDB cannot be emptied");
}

#[test]
fn a_look_between_the_steps_of_another_tabs_sign_out_brings_nobody_back() {
    let mut t = page(1);
    t.doc.run();
    let marker = t.world.borrow_mut().jar.identity.marker.take();
    t.doc.identify();
    t.doc.run();
    assert_eq!(state(&t), signed_in("ada"), "the server has not heard of it");
    t.world.borrow_mut().jar.identity.owed = marker;
    t.doc.identify();
    assert_eq!(state(&t), SessionState::SignedOut(Some(Farewell::Elsewhere)));
    t.doc.run();
    assert!(t.world.borrow().accounts().is_empty());
}
