//! Which document reads the stream, and when it is opened again.

use super::{
    live::{painted, shows, wait},
    *,
};
use crate::cache::core::testing::Weather;

#[test]
fn a_line_that_is_silent_is_dead() {
    let mut t = Fixture::live(1);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.world.borrow_mut().server.weather = Weather::Silent;
    t.change(0, true);
    t.doc.wait(secs(40));
    assert!(!t.shows_revision(viewer, 0, 2));
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(secs(5));
    assert!(t.shows_revision(viewer, 0, 2));
    assert_eq!(t.opened(), 2);
}

#[test]
fn a_line_with_heartbeats_stays_open() {
    let mut t = Fixture::live(1);
    t.doc.wait(minutes(30));
    assert_eq!(t.opened(), 1);
}

#[test]
fn after_a_refusal_it_is_opened_again_and_not_at_once_where_the_server_says_when() {
    for (weather, soonest, latest) in [(Weather::Status(500), 0, 1), (Weather::Busy(20), 19, 21)] {
        let mut t = Fixture::live(1);
        t.world.borrow_mut().server.weather = weather;
        t.doc.run();
        t.world.borrow_mut().server.weather = Weather::Fine;
        t.doc.wait(secs(soonest));
        assert_eq!(t.opened(), 0, "{weather:?}");
        t.doc.wait(secs(latest - soonest));
        assert_eq!(t.opened(), 1, "{weather:?}");
    }
}

#[test]
fn a_frozen_reader_is_robbed_after_45_seconds() {
    let mut frozen = Fixture::live(1);
    frozen.doc.run();
    let mut t = Fixture {
        world: frozen.world.clone(),
        doc: painted(&frozen.world, 8),
        policy: Policy::default(),
    };
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(44));
    assert_eq!(t.opened(), 1);
    t.change(0, true);
    t.doc.wait(secs(2));
    assert_eq!(t.opened(), 2);
    assert!(t.shows_revision(viewer, 0, 2));
    frozen.doc.run();
    let open =
        frozen.doc.under_way.iter().filter(|(_, under)| format!("{under:?}").starts_with("Stream"));
    assert_eq!(open.count(), 0, "it reads no longer");
}

#[test]
fn a_hidden_document_that_waits_robs_nobody() {
    let mut frozen = Fixture::live(1);
    frozen.doc.run();
    let mut other = painted(&frozen.world, 8);
    other.tell(Event::Visible(false));
    other.wait(minutes(5));
    assert_eq!(frozen.opened(), 1);
}

#[test]
fn a_hidden_reader_gives_way_to_a_visible_document_after_two_minutes() {
    for visible in [true, false] {
        let mut t = Fixture::live(1);
        t.doc.run();
        let mut other = painted(&t.world, 8);
        other.tell(Event::Visible(visible));
        wait(&mut t.doc, &mut other, 5);
        t.doc.tell(Event::Visible(false));
        wait(&mut t.doc, &mut other, 119);
        assert_eq!(t.opened(), 1);
        wait(&mut t.doc, &mut other, 3);
        assert_eq!(t.opened(), if visible { 2 } else { 1 }, "one waits and is visible: {visible}");
        wait(&mut t.doc, &mut other, 600);
        assert_eq!(t.opened(), if visible { 2 } else { 1 }, "and that is that");
    }
}

#[test]
fn a_reader_that_follows_a_visible_one_hears_who_waits() {
    let mut t = Fixture::live(1);
    t.doc.run();
    let mut hidden = painted(&t.world, 8);
    hidden.tell(Event::Visible(false));
    hidden.run();
    let mut visible = painted(&t.world, 9);
    visible.run();
    t.doc = painted(&t.world, 10);
    t.doc.tell(Event::Visible(false));
    for _ in 0..140 {
        wait(&mut hidden, &mut visible, 1);
    }
    assert_eq!(t.opened(), 3, "the first, the hidden one, and the visible one");
}

#[test]
fn without_locks_each_visible_document_reads() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::Painting { has_locks: false });
    t.doc.run();
    let mut other = Document::open(&t.world, Policy::default(), 8);
    other.tell(Event::Painting { has_locks: false });
    other.run();
    assert_eq!(t.opened(), 2);
    t.doc.tell(Event::Visible(false));
    t.doc.run();
    assert!(t.doc.under_way.is_empty(), "{:?}", t.doc.under_way);
    t.doc.tell(Event::Visible(true));
    t.doc.run();
    assert_eq!(t.opened(), 3);
}

#[test]
fn a_browser_that_refuses_locks_has_none() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().lines.without_locks = true;
    t.doc.tell(Event::Painting { has_locks: true });
    t.doc.run();
    assert_eq!(t.opened(), 1);
}

#[test]
fn a_page_in_the_page_cache_holds_neither_line_nor_lock() {
    let mut t = Fixture::live(1);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.doc.tell(Event::Frozen(true));
    t.doc.turn();
    assert!(t.doc.under_way.is_empty(), "{:?}", t.doc.under_way);
    t.change(0, true);
    t.doc.tell(Event::Frozen(false));
    t.doc.wait(secs(1));
    assert!(t.shows_revision(viewer, 0, 2), "what happened meanwhile");
}

#[test]
fn a_reader_that_dies_is_followed_by_the_next_which_misses_nothing() {
    let mut t = Fixture::live(1);
    let (viewer, _) = t.open(0);
    let mut reader = painted(&t.world, 7);
    std::mem::swap(&mut reader, &mut t.doc);
    let (viewer, mut other) = (viewer, reader);
    let mut doomed = std::mem::replace(&mut t.doc, painted(&t.world, 8));
    doomed.run();
    wait(&mut other, &mut doomed, 5);
    drop(doomed);
    t.change(0, true);
    other.wait(secs(2));
    assert!(shows(&other, viewer, 2));
}

#[test]
fn no_line_is_opened_before_the_first_frame_nor_for_nobody() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.wait(secs(100));
    assert_eq!(t.opened(), 0, "not painted");
    t.doc.tell(Event::Painting { has_locks: true });
    t.doc.run();
    assert_eq!(t.opened(), 1);
    t.doc.tell(Event::Session(None));
    t.doc.run();
    assert!(t.doc.under_way.is_empty(), "{:?}", t.doc.under_way);
}
