//! Who is signed in, before the server says so.

use super::{
    sessions::{page, signed_in, state},
    *,
};
use crate::cache::core::{
    Effect, SessionState,
    testing::{Weather, account_of},
};

/// The page of a browser that has ada's session, and storage that knows `account`.
fn with_storage_of(account: Option<&str>) -> Fixture {
    let mut t = page(1);
    let account = account.map(|name| account_of(&name.parse().unwrap()));
    t.world.borrow_mut().jar.identity.account = account;
    t.doc = Document::begin(&t.world, t.policy.clone(), 2);
    t
}

#[test]
fn who_is_signed_in_is_learnt_once_an_outage_is_over() {
    for weather in [Weather::Unreachable, Weather::Silent, Weather::Status(500), Weather::Busy(9)] {
        let mut t = with_storage_of(Some("grace"));
        t.world.borrow_mut().server.weather = weather;
        assert_eq!(state(&t), SessionState::Unknown);
        t.doc.wait(secs(16));
        assert_eq!(state(&t), SessionState::Unreachable, "{weather:?}: a button in time");
        t.world.borrow_mut().server.weather = Weather::Fine;
        t.doc.wait(minutes(2));
        assert_eq!(state(&t), signed_in("ada"), "{weather:?}");
    }
}

#[test]
fn who_the_marker_names_is_expected_where_no_other_account_is_known() {
    let mut t = with_storage_of(None);
    assert_eq!(state(&t), signed_in("ada"), "before any answer");
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    t.doc.turn();
    let asked = t.doc.requests();
    assert!(asked.contains(&Request::Session) && asked.len() > 1, "{asked:?}");
    assert_eq!(t.world.borrow().jar.identity.account, None, "not noted: the server has to say so");
    t.doc.slow = false;
    t.doc.run();
    assert!(t.view(viewer).shown.is_some());
    let noted = t.world.borrow().jar.identity.account.clone();
    assert_eq!(noted.map(|account| account.name), Some("ada".to_owned()));
}

#[test]
fn of_an_account_that_was_only_expected_nothing_stays() {
    let mut t = with_storage_of(None);
    t.world.borrow_mut().server.sessions.end_all();
    t.open(0);
    t.doc.run();
    assert_eq!(state(&t), SessionState::SignedOut(None), "nobody has seen themselves signed in");
    let world = t.world.borrow();
    assert!(world.local.rows.is_empty() && world.durable.records.is_empty());
}

#[test]
fn asking_who_is_signed_in_by_hand_does_not_wait_for_a_pause() {
    let mut t = with_storage_of(Some("grace"));
    t.world.borrow_mut().server.weather = Weather::Busy(600);
    t.doc.run();
    assert_eq!(state(&t), SessionState::Unreachable);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.tell(Event::AskSession);
    t.doc.run();
    assert_eq!(state(&t), signed_in("ada"));
}

#[test]
fn what_storage_says_already_is_not_noted_again() {
    let mut t = page(1);
    let effects: Vec<_> = std::iter::from_fn(|| t.doc.core.poll(t.doc.now())).collect();
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Note(_))), "{effects:?}");
    t.doc = Document::begin(&t.world, t.policy.clone(), 3);
    t.doc.run();
    t.world.borrow_mut().jar.identity.account = None;
    t.doc.identify();
    t.doc.run();
    assert!(t.world.borrow().jar.identity.account.is_some(), "storage that was emptied is mended");
}
