//! Accounts: nothing of one is seen, asked for or kept under another.

use std::collections::BTreeSet;

use super::*;
use crate::cache::core::{
    Effect, Farewell, Identity, ListView, SessionState,
    testing::{Fault, Under, Weather, account_of},
};

/// A page that knows so many users, and that ada is signed in.
pub(super) fn page(users: usize) -> Fixture {
    let mut t = Fixture::with_users(users);
    t.doc = Document::begin(&t.world, t.policy.clone(), 1);
    t
}

#[test]
fn signing_out_shows_nothing_any_more_and_erases_every_layer() {
    let mut t = page(1);
    t.visit(0);
    let (viewer, _) = t.open(0);
    t.doc.changed.clear();
    t.doc.tell(Event::SignOut);
    t.doc.run();
    assert!(t.view(viewer).shown.is_none());
    assert!(!t.doc.changed.is_empty(), "the page is told");
    let world = t.world.borrow();
    assert!(world.local.rows.is_empty() && world.durable.records.is_empty());
    assert!(world.durable.renditions.is_empty());
}

#[test]
fn an_answer_to_what_was_asked_in_another_session_changes_nothing() {
    let mut t = page(1);
    t.doc.slow = true;
    t.open(0);
    let asked = t.doc.under_way.clone();
    assert_eq!(asked.len(), 2, "who is signed in, and the picture");
    t.doc.sign_in("grace");
    t.doc.run();
    t.doc.under_way.extend(asked);
    let (viewer, _) = t.doc.look(wanted(0, Size::S64));
    while !t.doc.under_way.is_empty() && t.doc.deliver(0) {}
    assert!(t.view(viewer).shown.is_none(), "not before it was asked for anew");
    t.doc.slow = false;
    t.doc.run();
    assert!(t.view(viewer).shown.is_some());
}

/// What is carried out in a turn, before and after the session's end as its `nth` effect.
fn carried_out(t: &mut Fixture, nth: usize) -> [BTreeSet<&'static str>; 2] {
    let name = |effect: Effect<Blob>| match effect {
        Effect::Fetch { request: Request::SignOut(_), .. } => "sign out",
        Effect::Fetch { .. } | Effect::Read { .. } | Effect::ReadDocuments { .. } => "ask",
        Effect::Cancel(_) => "cancel",
        Effect::Changed(_) => "tell",
        Effect::Erase { .. } => "erase",
        Effect::Note(_) => "note",
        Effect::Report(_) => "report",
        Effect::AnnounceList(false) => "announce",
        _ => "more",
    };
    let now = t.doc.now();
    let core = &mut t.doc.core;
    let before = (0..nth).map_while(|_| core.poll(now)).map(name).collect();
    core.handle(Event::Session(None), now);
    [before, std::iter::from_fn(|| core.poll(now)).map(name).collect()]
}

#[test]
fn what_is_queued_when_a_session_ends_is_carried_out_if_it_is_no_business_of_its_account() {
    for nth in 0..12 {
        let mut t = page(2);
        t.doc.slow = true;
        t.open(0);
        t.doc.core.handle(Event::SignOut, t.doc.now());
        let [before, after] = carried_out(&mut t, nth);
        for name in ["sign out", "cancel", "tell", "erase", "note", "announce"] {
            assert!(before.contains(name) || after.contains(name), "{nth}, {name}: {after:?}");
        }
        assert!(!(before.contains("sign out") && after.contains("cancel")), "{nth}: {after:?}");
        let mut t = page(2);
        t.visit(0);
        t.doc.look(wanted(0, Size::S64));
        t.doc.look(wanted(1, Size::S64));
        t.doc.tell(Event::FriendsViewed(ListView { rows: 0..4, pictures: None, ahead: 0 }));
        t.doc.tell(Event::ProfileViewed(user(1)));
        let [before, after] = carried_out(&mut t, nth);
        assert!(before.contains("report") || after.contains("report"), "{nth}: {after:?}");
        assert!(!after.contains("ask"), "{nth}: {after:?}");
    }
}

#[test]
fn what_is_shown_goes_the_moment_another_account_has_signed_in() {
    for (name, stays) in [("ada", true), ("grace", false)] {
        let mut t = page(1);
        t.visit(0);
        let (viewer, _) = t.open(0);
        let (epoch, account) = (t.doc.core.epoch(), account_of(&name.parse().unwrap()));
        let marker = {
            let world = &mut *t.world.borrow_mut();
            world.sign_in(&account.user_id, world.jar.cookie)
        };
        t.doc.core.handle(Event::SignedIn { epoch, account, marker }, t.doc.now());
        assert_eq!(t.view(viewer).shown.is_some(), stays, "{name}");
        assert_eq!(t.doc.core.epoch() == epoch, stays, "{name}");
    }
}

#[test]
fn a_list_of_another_session_is_nobodys() {
    let mut t = page(1);
    t.world.borrow_mut().server.befriend(&user(0), "a");
    t.doc.tell(Event::FriendsViewed(ListView { rows: 0..4, pictures: None, ahead: 0 }));
    t.doc.run();
    assert_eq!(t.doc.list().friends.len(), 1);
    t.doc.sign_in("grace");
    assert_eq!(t.doc.list().friends.len(), 0);
}

#[test]
fn a_sign_in_during_the_erasure_of_the_same_account_waits_for_it() {
    let mut t = page(1);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.tell(Event::SignOut);
    t.doc.run();
    t.doc.sign_in("ada");
    let (viewer, first_frame) = t.open(0);
    assert_eq!(first_frame, None);
    t.doc.wait(secs(5));
    assert!(t.view(viewer).shown.is_some(), "the page shows without the layer");
    let used = |(_, under): &(_, Under)| matches!(under, Under::Read(..) | Under::Write(..));
    assert!(!t.doc.under_way.iter().any(used), "neither read nor written before it is erased");
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(1));
    assert!(t.world.borrow().durable.records.contains_key(&user(0)), "and written after it");
}

#[test]
fn without_an_account_nothing_is_asked_but_who_is_signed_in() {
    let mut t = page(1);
    t.doc.tell(Event::SignOut);
    t.doc.run();
    t.doc.requests();
    t.doc.look(wanted(0, Size::S64));
    t.doc.tell(Event::Prefetch(vec![user(0)], Size::S64));
    t.doc.tell(Event::AskSession);
    t.doc.wait(minutes(5));
    assert_eq!(t.doc.requests(), [Request::Session]);
    assert_eq!(t.doc.core.session().state, SessionState::SignedOut(None));
}

pub(super) fn state(t: &Fixture) -> SessionState {
    t.doc.core.session().state
}

pub(super) fn signed_in(name: &str) -> SessionState {
    SessionState::SignedIn(name.parse().unwrap())
}

#[test]
fn a_request_refused_because_nobody_is_signed_in_asks_who_is() {
    let mut t = page(1);
    t.visit(0);
    t.world.borrow_mut().server.sessions.end_all();
    t.doc.slow = true;
    t.doc.tell(Event::Invalidate(user(0)));
    t.open(0);
    t.doc.requests();
    t.doc.deliver(0);
    t.doc.turn();
    assert_eq!(t.doc.requests(), [Request::Session]);
    assert_eq!(state(&t), signed_in("ada"), "a refusal alone says nothing");
    assert!(!t.world.borrow().durable.records.is_empty(), "and erases nothing");
    t.doc.slow = false;
    t.doc.run();
    assert_eq!(state(&t), SessionState::SignedOut(Some(Farewell::Expired)));
    assert!(t.world.borrow().durable.records.is_empty());
    assert!(t.doc.changed.contains(&crate::cache::core::Topic::Session));
}

pub(super) const LIST: fn() -> Event<Blob> =
    || Event::FriendsViewed(ListView { rows: 0..4, pictures: Some(Size::S64), ahead: 0 });

#[test]
fn signed_out_without_a_network_nothing_of_the_account_is_asked_for_or_shown() {
    let mut t = page(1);
    t.world.borrow_mut().server.befriend(&user(0), "of ada");
    t.doc.tell(LIST());
    t.visit(0);
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.doc.tell(Event::SignOut);
    t.doc.wait(secs(30));
    assert_eq!(t.world.borrow().jar.identity.marker, None, "boot.js asks for nothing");
    t.doc.requests();
    t.doc = Document::begin(&t.world, t.policy.clone(), 2);
    assert_eq!(state(&t), SessionState::SignedOut(None), "in the first frame");
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.tell(LIST());
    t.doc.look(wanted(0, Size::S64));
    t.doc.wait(minutes(2));
    let asked = t.doc.requests();
    let ends = |request: &Request| matches!(request, Request::SignOut(marker) if marker.as_str() == "ada.00000000");
    assert!(!asked.is_empty() && asked.iter().all(ends), "{asked:?}");
    let world = t.world.borrow();
    assert_eq!(world.server.sessions.user_of(world.jar.cookie), None, "ended at the server");
    assert_eq!(world.jar.identity, Identity::default(), "and not owed any more");
    assert!(world.accounts().is_empty());
    drop(world);
    assert_eq!(state(&t), SessionState::SignedOut(None));
}

#[test]
fn signed_out_without_a_network_and_in_again_one_stays_in() {
    for same_page in [true, false] {
        let mut t = page(1);
        t.world.borrow_mut().server.weather = Weather::Silent;
        t.doc.tell(Event::SignOut);
        t.doc.run();
        let late = t.doc.under_way.clone();
        assert_eq!(late.len(), 1, "the sign-out");
        if !same_page {
            t.doc = Document::begin(&t.world, t.policy.clone(), 2);
        }
        t.world.borrow_mut().server.weather = Weather::Fine;
        t.doc.sign_in("ada");
        t.doc.under_way.extend(late);
        t.doc.wait(minutes(2));
        assert_eq!(state(&t), signed_in("ada"));
        let world = t.world.borrow();
        assert!(world.server.sessions.user_of(world.jar.cookie).is_some());
        assert_eq!(world.jar.identity.owed, None);
    }
}

#[test]
fn an_answer_of_the_session_before_changes_nothing() {
    // A 401, and a session that says ada, after signing out; and after signing in as someone else.
    for (ends, next) in [(true, None), (false, None), (true, Some("grace")), (false, Some("grace"))]
    {
        let mut t = page(1);
        t.doc.slow = true;
        t.doc.tell(Event::AskSession);
        t.open(0);
        if ends {
            t.world.borrow_mut().server.sessions.end_all();
        }
        (0..t.doc.under_way.len()).for_each(|nth| t.doc.delay(nth));
        let late = t.doc.under_way.clone();
        t.doc.tell(Event::SignOut);
        next.into_iter().for_each(|next| t.doc.sign_in(next));
        t.doc.slow = false;
        t.doc.run();
        let before = state(&t);
        t.doc.under_way.extend(late);
        t.doc.wait(minutes(1));
        assert_eq!(state(&t), before, "{ends} {next:?}");
        assert_eq!(before, next.map_or(SessionState::SignedOut(None), signed_in));
    }
}

#[test]
fn a_sign_out_where_storage_is_denied_removes_the_marker_all_the_same() {
    let mut t = page(1);
    t.world.borrow_mut().local.fault = Fault::Denied;
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.doc.tell(Event::SignOut);
    t.doc.run();
    assert_eq!(t.world.borrow().jar.identity.marker, None);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(minutes(2));
    let world = t.world.borrow();
    assert_eq!(world.server.sessions.user_of(world.jar.cookie), None);
}

#[test]
fn an_erasure_that_failed_is_made_again_until_it_succeeds() {
    let mut t = page(1);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.tell(Event::SignOut);
    t.doc.wait(minutes(2));
    assert!(!t.world.borrow().durable.records.is_empty());
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(1));
    assert!(t.world.borrow().durable.records.is_empty());
}

#[test]
fn what_was_queued_for_one_account_is_not_carried_out_for_another() {
    let mut t = page(2);
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
    t.doc.sign_in("grace");
    let rest: Vec<_> = std::iter::from_fn(|| t.doc.core.poll(t.doc.now())).collect();
    let touches = |effect: &&Effect<Blob>| {
        matches!(effect, Effect::Read { .. } | Effect::Write { .. } | Effect::Fetch { .. })
    };
    assert_eq!(rest.iter().find(touches), None);
}

#[test]
fn a_sign_out_is_sent_though_another_tab_signs_in_before_it_is() {
    let mut t = page(1);
    t.doc.run();
    t.doc.tell(Event::SignOut);
    let first = t.doc.core.poll(t.doc.now());
    assert!(first.is_some() && !matches!(first, Some(Effect::Fetch { .. })), "{first:?}");
    t.world.borrow_mut().sign_in(&"grace".parse().unwrap(), None);
    t.doc.identify();
    let rest: Vec<_> = std::iter::from_fn(|| t.doc.core.poll(t.doc.now())).collect();
    let is_sign_out = |effect: &&Effect<Blob>| {
        matches!(effect, Effect::Fetch { request: Request::SignOut(_), .. })
    };
    assert_eq!(rest.iter().filter(is_sign_out).count(), 1, "{rest:?}");
}
