//! Accounts: nothing of one is seen, asked for or kept under another.

use super::*;
use crate::cache::core::{
    Effect, ListView, SessionView, Start,
    testing::{Fault, Under, Weather},
};

fn start(account: &str) -> Event<Blob> {
    Event::Session(Some(Start {
        account: account.parse().unwrap(),
        lineage: None,
        believe_from: crate::cache::clock::Timestamp(0),
        friends: None,
    }))
}

#[test]
fn signing_out_shows_nothing_any_more_and_erases_every_layer() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    let (viewer, _) = t.open(0);
    t.doc.changed.clear();
    t.doc.tell(Event::Session(None));
    t.doc.run();
    assert!(t.view(viewer).shown.is_none());
    assert!(!t.doc.changed.is_empty(), "the page is told");
    let world = t.world.borrow();
    assert!(world.local.rows.is_empty() && world.durable.records.is_empty());
    assert!(world.durable.renditions.is_empty());
}

#[test]
fn an_answer_to_what_was_asked_in_another_session_changes_nothing() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    t.open(0);
    let asked = t.doc.under_way.clone();
    assert_eq!(asked.len(), 1);
    t.doc.tell(start("grace"));
    t.doc.run();
    t.doc.under_way.extend(asked);
    let (viewer, _) = t.doc.look(wanted(0, Size::S64));
    while !t.doc.under_way.is_empty() && t.doc.deliver(0) {}
    assert!(t.view(viewer).shown.is_none(), "not before it was asked for anew");
    t.doc.slow = false;
    t.doc.run();
    assert!(t.view(viewer).shown.is_some());
}

#[test]
fn a_list_of_another_session_is_nobodys() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.befriend(&user(0), "a");
    t.doc.tell(Event::FriendsViewed(ListView { rows: 0..4, pictures: None }));
    t.doc.run();
    assert_eq!(t.doc.list().friends.len(), 1);
    t.doc.tell(start("grace"));
    assert_eq!(t.doc.list().friends.len(), 0);
}

#[test]
fn a_sign_in_during_the_erasure_of_the_same_account_waits_for_it() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.tell(Event::Session(None));
    t.doc.run();
    t.doc.tell(start("ada"));
    let (viewer, first_frame) = t.open(0);
    assert_eq!(first_frame, None);
    t.doc.wait(secs(5));
    assert!(t.view(viewer).shown.is_some(), "the page shows without the layer");
    let used = |(_, under): &(_, Under)| matches!(under, Under::Read(_) | Under::Write(..));
    assert!(!t.doc.under_way.iter().any(used), "neither read nor written before it is erased");
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(1));
    assert!(t.world.borrow().durable.records.contains_key(&user(0)), "and written after it");
}

#[test]
fn without_an_account_nothing_is_asked_but_who_is_signed_in() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::Session(None));
    t.doc.run();
    t.doc.requests();
    t.doc.look(wanted(0, Size::S64));
    t.doc.tell(Event::Prefetch(vec![user(0)], Size::S64));
    t.doc.tell(Event::AskSession);
    t.doc.wait(minutes(5));
    assert_eq!(t.doc.requests(), [Request::Session]);
    assert_eq!(t.doc.core.session(), SessionView::Answered(None));
}

#[test]
fn asking_who_is_signed_in_by_hand_does_not_wait_for_a_pause() {
    let mut t = Fixture::with_users(0);
    t.world.borrow_mut().server.weather = Weather::Busy(600);
    t.doc.tell(Event::AskSession);
    t.doc.run();
    assert!(matches!(t.doc.core.session(), SessionView::Failed(_)));
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.tell(Event::AskSession);
    t.doc.run();
    assert_eq!(t.doc.core.session(), SessionView::Answered(None));
}

#[test]
fn a_request_refused_because_nobody_is_signed_in_asks_who_is() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    t.open(0);
    t.world.borrow_mut().server.weather = Weather::SignedOut;
    t.doc.deliver(0);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.requests();
    t.doc.turn();
    assert_eq!(t.doc.requests(), [Request::Session]);
    assert_eq!(t.doc.core.session(), SessionView::Asking, "a refusal alone says nothing");
    t.doc.slow = false;
    t.doc.run();
    assert_eq!(t.doc.core.session(), SessionView::Answered(None));
    assert!(t.doc.changed.contains(&crate::cache::core::Topic::Session));
}

#[test]
fn an_erasure_that_failed_is_made_again_until_it_succeeds() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.tell(Event::Session(None));
    t.doc.wait(minutes(2));
    assert!(!t.world.borrow().durable.records.is_empty());
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(1));
    assert!(t.world.borrow().durable.records.is_empty());
}

#[test]
fn what_was_queued_for_one_account_is_not_carried_out_for_another() {
    let mut t = Fixture::with_users(2);
    t.open(0);
    t.world.borrow_mut().advance(secs(1));
    t.change(0, true);
    let (records, lineage) = {
        let server = &t.world.borrow().server;
        (server.truth.values().cloned().collect(), server.lineage())
    };
    t.doc.tell(Event::News(records, lineage));
    let first = t.doc.core.poll(t.doc.now());
    assert!(matches!(first, Some(Effect::Changed(_))), "a request follows in the same turn");
    t.doc.tell(start("grace"));
    let rest: Vec<_> = std::iter::from_fn(|| t.doc.core.poll(t.doc.now())).collect();
    let touches = |effect: &&Effect<Blob>| {
        matches!(effect, Effect::Read { .. } | Effect::Write { .. } | Effect::Fetch { .. })
    };
    assert_eq!(rest.iter().find(touches), None);
}
