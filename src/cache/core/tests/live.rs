//! The stream of events.

use super::*;
use crate::cache::core::{
    ListView, ProfileView, StreamEvent,
    testing::{Fault, Under, Weather},
};

/// A document that is painted, has an account whose storages are open, and listens.
pub(super) fn painted(world: &World, seed: u64) -> Document {
    let mut doc = Document::open(world, Policy::default(), seed);
    doc.tell(Event::Painting { has_locks: true });
    doc
}

impl Fixture {
    pub(super) fn live(count: usize) -> Self {
        let mut t = Self::with_users(count);
        t.doc.tell(Event::Painting { has_locks: true });
        t
    }

    pub(super) fn opened(&self) -> usize {
        self.world.borrow().lines.opened
    }
}

/// Lets time pass for two documents.
pub(super) fn wait(one: &mut Document, other: &mut Document, seconds: u64) {
    for _ in 0..seconds {
        one.wait(Duration::from_millis(980));
        other.wait(Duration::from_millis(20));
    }
}

pub(super) fn shows(doc: &Document, viewer: ViewerId, revision: u32) -> bool {
    let image = image_of(&user(0), 0, revision);
    doc.core.view(viewer).shown.is_some_and(|shown| shown.rendition.image() == image)
}

#[test]
fn a_change_is_on_screen_at_once_by_one_request() {
    let mut t = Fixture::live(2);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.doc.requests();
    t.change(0, true);
    t.change(1, true);
    t.doc.wait(Duration::from_millis(20));
    assert!(t.shows_revision(viewer, 0, 2));
    assert_eq!(t.picture_requests(), 1, "nothing off screen is fetched");
    assert_eq!(t.opened(), 1);
}

#[test]
fn a_picture_on_its_way_has_a_colour_until_it_is_here() {
    let mut t = Fixture::live(1);
    t.change(0, false);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    assert_eq!(t.view(viewer).tint, None, "there is no picture");
    t.doc.slow = true;
    t.change(0, true);
    t.doc.wait(Duration::from_millis(20));
    let view = t.view(viewer);
    assert!(view.shown.is_none() && view.tint.is_some(), "{view:?}");
    t.doc.slow = false;
    t.doc.run();
    let view = t.view(viewer);
    assert!(view.shown.is_some() && view.tint.is_none(), "{view:?}");
}

#[test]
fn what_a_layer_holds_comes_without_a_colour() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.reload();
    t.world.borrow_mut().local.rows.clear();
    t.doc.tell(Event::Painting { has_locks: true });
    let viewer = t.doc.look(wanted(0, Size::S64)).0;
    assert_eq!(t.view(viewer).tint, None);
    t.doc.run();
    assert!(t.view(viewer).shown.is_some());
}

#[test]
fn one_document_reads_and_the_others_hear_it() {
    let mut t = Fixture::live(1);
    let mut other = painted(&t.world, 7);
    let (viewer, _) = t.open(0);
    let (elsewhere, _) = other.show(0);
    wait(&mut t.doc, &mut other, 60);
    t.change(0, true);
    wait(&mut t.doc, &mut other, 1);
    assert!(t.shows_revision(viewer, 0, 2) && shows(&other, elsewhere, 2));
    assert_eq!(t.opened(), 1);
}

#[test]
fn an_event_that_the_server_tells_ahead_of_its_order_is_heard_and_not_resumed_after() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.change(0, true);
    let event = t.world.borrow().server.event_for_tests();
    t.doc.tell(Event::Overheard(Some(StreamEvent { id: None, ..event.clone() })));
    t.doc.wait(Duration::from_millis(20));
    assert!(t.shows_revision(viewer, 0, 2));
    t.doc.requests();
    t.doc.tell(Event::Overheard(Some(event)));
    t.doc.wait(Duration::from_millis(20));
    assert_eq!(t.picture_requests(), 0, "it is no news once it has its place");
}

#[test]
fn only_the_reader_writes() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    let mut reader = painted(&t.world, 7);
    reader.show(0);
    reader.wait(secs(5));
    t.doc.tell(Event::Painting { has_locks: true });
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.doc.leave(viewer);
    t.doc.ops.clear();
    reader.ops.clear();
    t.change(0, true);
    wait(&mut reader, &mut t.doc, 10);
    let records = |doc: &Document| {
        let ops =
            doc.ops.iter().filter(|(_, op)| matches!(op, crate::cache::core::Op::Record { .. }));
        ops.count()
    };
    assert_eq!((records(&reader), records(&t.doc)), (2, 0), "a row in each layer, once");
}

#[test]
fn what_happened_before_the_line_was_open_is_heard() {
    for names_events in [true, false] {
        let mut t = Fixture::with_users(1);
        t.world.borrow_mut().server.names_events = names_events;
        let (viewer, _) = t.open(0);
        t.change(0, true);
        t.world.borrow_mut().advance(Duration::from_millis(30));
        t.doc.tell(Event::Painting { has_locks: true });
        t.doc.wait(secs(1));
        assert!(t.shows_revision(viewer, 0, 2), "answers name events: {names_events}");
    }
}

#[test]
fn an_answer_on_its_way_while_the_line_opens_is_believed_if_it_says_that_it_knows_everything() {
    for (names_events, changes, requests) in [(true, false, 1), (true, true, 2), (false, false, 2)]
    {
        let mut t = Fixture::with_users(1);
        t.world.borrow_mut().server.names_events = names_events;
        t.doc.slow = true;
        let (viewer, _) = t.open(0);
        let fetch = |(_, under): &(_, Under)| matches!(under, Under::Fetch(..));
        let nth = t.doc.under_way.iter().position(fetch).unwrap();
        if changes {
            t.doc.delay(nth);
            t.change(0, true);
        }
        t.world.borrow_mut().advance(Duration::from_millis(30));
        t.doc.tell(Event::Painting { has_locks: true });
        t.doc.slow = false;
        t.doc.wait(secs(1));
        let name = format!("names events: {names_events}, changes: {changes}");
        assert_eq!(t.picture_requests(), requests, "{name}");
        assert!(t.shows_revision(viewer, 0, if changes { 2 } else { 1 }), "{name}");
    }
}

#[test]
fn the_next_document_hears_what_happened_meanwhile() {
    let mut t = Fixture::live(1);
    t.visit(0);
    t.change(0, true);
    t.doc = Document::open(&t.world, t.policy.clone(), 2);
    t.doc.requests();
    let (viewer, source) = t.open(0);
    assert_eq!(source, Some(Source::LocalStorage), "the old one at once");
    assert_eq!(t.picture_requests(), 0);
    t.doc.tell(Event::Painting { has_locks: true });
    t.doc.wait(secs(1));
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn a_reload_with_nothing_new_asks_for_nothing() {
    let mut t = Fixture::live(1);
    t.visit(0);
    t.reload();
    let (viewer, _) = t.open(0);
    t.doc.tell(Event::Painting { has_locks: true });
    t.doc.wait(minutes(1));
    assert_eq!(t.picture_requests(), 0);
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn an_event_that_was_not_written_is_not_noted_as_heard() {
    let mut t = Fixture::live(1);
    t.visit(0);
    t.open(0);
    t.doc.wait(secs(5));
    let before = t.world.borrow().local.live.clone();
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.change(0, true);
    t.doc.wait(secs(20));
    assert_eq!(t.world.borrow().local.live, before);
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(2));
    assert_eq!(t.world.borrow().local.live, Some(t.world.borrow().server.last_event()));
}

#[test]
fn a_replay_that_is_too_old_has_everything_asked_anew_everywhere() {
    let mut t = Fixture::live(3);
    t.visit(2);
    let (viewer, _) = t.open(0);
    let mut other = painted(&t.world, 7);
    let (elsewhere, _) = other.show(0);
    wait(&mut t.doc, &mut other, 5);
    t.world.borrow_mut().server.events_kept = 0;
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.doc.wait(secs(40));
    (0..3).for_each(|index| t.change(index, true));
    t.world.borrow_mut().server.weather = Weather::Fine;
    wait(&mut t.doc, &mut other, 65);
    assert!(t.shows_revision(viewer, 0, 2), "the reader");
    assert!(shows(&other, elsewhere, 2), "who overhears");

    t.doc = Document::open(&t.world, t.policy.clone(), 4);
    let (off_screen, _) = t.open(2);
    t.doc.wait(secs(1));
    assert!(t.shows_revision(off_screen, 2, 2), "a row that nobody looked at");
}

#[test]
fn an_event_of_another_session_changes_nothing() {
    let mut t = Fixture::live(1);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.change(0, true);
    let stream =
        t.doc.under_way.iter().position(|(_, under)| format!("{under:?}").starts_with("Stream"));
    let (id, _) = t.doc.under_way[stream.unwrap()].clone();
    let event = t.world.borrow().server.event_for_tests();
    t.doc.tell(Event::Streamed(id, user(9), event));
    t.world.borrow_mut().advance(secs(1));
    t.doc.turn();
    assert!(!t.shows_revision(viewer, 0, 2));
    assert!(t.doc.requests().contains(&Request::Session), "the server says whose it is");
}

#[test]
fn what_someone_says_of_themself_changes_wherever_it_stands() {
    let mut t = Fixture::live(2);
    (0..2)
        .for_each(|index| t.world.borrow_mut().server.befriend(&user(index), &format!("n{index}")));
    t.doc.tell(Event::FriendsViewed(ListView { rows: 0..2, pictures: None, ahead: 0 }));
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.wait(secs(5));
    t.doc.requests();
    t.world.borrow_mut().server.describe(&user(0), "new");
    t.doc.wait(secs(5));
    assert_eq!(t.doc.list().friends.get(0).unwrap().headline, "new");
    let ProfileView::Known(profile) = t.doc.core.profile(&user(0)) else { panic!("it was known") };
    assert_eq!(profile.headline, "new");
    assert_eq!(t.doc.requests(), [], "nothing is asked for");

    t.doc = Document::open(&t.world, t.policy.clone(), 2);
    t.doc.tell(Event::FriendsViewed(ListView { rows: 0..2, pictures: None, ahead: 0 }));
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.doc.wait(secs(1));
    assert_eq!(t.doc.list().friends.get(0).unwrap().headline, "new", "the next visit");
}

#[test]
fn a_thousand_events_of_one_frame_are_one_change() {
    let mut t = Fixture::live(1);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.doc.requests();
    (0..1_000).for_each(|_| t.change(0, true));
    t.doc.run();
    assert_eq!(t.picture_requests(), 0, "they are gathered");
    t.doc.wait(Duration::from_millis(20));
    assert_eq!(t.picture_requests(), 1);

    t.doc.tell(Event::Visible(false));
    t.change(0, true);
    t.doc.wait(Duration::from_millis(200));
    assert_eq!(t.view(viewer).revision, Some(miniature_api::Revision(1_001)));
    t.doc.wait(Duration::from_millis(60));
    assert_eq!(t.view(viewer).revision, Some(miniature_api::Revision(1_002)));
}

#[test]
fn an_answer_that_is_older_than_what_was_heard_is_asked_for_again() {
    let mut t = Fixture::live(2);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.doc.slow = true;
    let (late, _) = t.doc.look(wanted(1, Size::S64));
    t.doc.run();
    let nth =
        t.doc.under_way.iter().position(|(_, under)| format!("{under:?}").starts_with("Fetch"));
    t.doc.delay(nth.unwrap());
    t.change(1, true);
    t.doc.slow = false;
    t.doc.wait(secs(1));
    assert!(
        t.view(late)
            .shown
            .is_some_and(|shown| { shown.rendition.image() == image_of(&user(1), 0, 2) })
    );
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn a_restored_server_resets_everybody_and_is_believed() {
    let mut t = Fixture::live(1);
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().server.back_up();
    t.doc.wait(secs(5));
    t.change(0, true);
    t.doc.wait(secs(5));
    assert!(t.shows_revision(viewer, 0, 2));
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.doc.wait(secs(20));
    t.world.borrow_mut().server.restore();
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(secs(60));
    let image = image_of(&user(0), 0, 1);
    assert!(t.view(viewer).shown.is_some_and(|shown| shown.rendition.image() == image));
}
