//! Sequences that end wrong where decisions are remembered instead of derived.

use super::*;
use crate::cache::core::testing::{Fault, Weather};

#[test]
fn coming_back_while_a_neighbour_is_slow_gets_an_answer() {
    let mut t = Fixture::with_users(2);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.slow = true;
    let (_neighbour, _) = t.doc.look(wanted(1, Size::S64));
    let (gone, _) = t.doc.look(wanted(0, Size::S64));
    t.doc.run();
    t.doc.leave(gone);
    t.doc.wait(t.policy.layer_timeout);
    let (back, _) = t.doc.look(wanted(0, Size::S64));
    t.doc.run();
    t.doc.slow = false;
    t.doc.run();
    assert_eq!(t.view(back).status, Status::Settled);
}

#[test]
fn news_of_a_picture_just_served_is_loaded_while_a_neighbour_is_slow() {
    let mut t = Fixture::with_users(2);
    t.visit(0);
    t.world.borrow_mut().local.rows.clear();
    t.reload();
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    let (_neighbour, _) = t.open(1);
    assert!(t.shows_revision(viewer, 0, 1), "IndexedDB has it");
    t.change(0, true);
    t.hear();
    t.doc.slow = false;
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn an_answer_overtaken_by_news_is_no_failure() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    let late = t.doc.under_way.clone();
    let first = t.world.borrow_mut().server.truth.clone();
    t.world.borrow_mut().advance(secs(1));
    t.change(0, true);
    t.hear();
    assert_eq!(t.doc.under_way.len(), late.len() + 1, "another request is sent at once");
    let second = std::mem::replace(&mut t.world.borrow_mut().server.truth, first);
    assert!(t.doc.deliver(0), "revision 1, asked for before");
    t.world.borrow_mut().server.truth = second;
    assert_eq!(t.view(viewer).error, None);
    t.doc.slow = false;
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 2));
    assert_eq!(t.picture_requests(), 2);
}

#[test]
fn an_invalidated_user_who_is_not_in_memory_is_asked_about_at_the_next_look() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.reload();
    t.change(0, true);
    t.doc.tell(Event::Invalidate(user(0)));
    let (viewer, first_frame) = t.open(0);
    assert_eq!(first_frame, Some(Source::LocalStorage), "the old picture is shown meanwhile");
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn an_invalidation_outlives_the_document() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.doc.tell(Event::Invalidate(user(0)));
    t.reload();
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.open(0);
    assert_eq!(t.picture_requests(), 1);
}

#[test]
fn an_invalidation_during_a_request_is_asked_about_by_another() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().advance(secs(1));
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.run();
    assert_eq!(t.picture_requests(), 2);
    t.doc.slow = false;
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn a_picture_is_kept_until_the_newer_one_is_there() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.reload();
    t.change(0, true);
    t.hear();
    t.reload();
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    let (viewer, first_frame) = t.open(0);
    assert_eq!(first_frame, Some(Source::LocalStorage));
    assert!(t.shows_revision(viewer, 0, 1));
    t.world.borrow_mut().local.rows.clear();
    t.doc = Document::open(&t.world, t.policy.clone(), 3);
    let (viewer, _) = t.open(0);
    assert!(t.shows_revision(viewer, 0, 1), "IndexedDB keeps it as well");
}

#[test]
fn what_local_storage_holds_is_in_the_first_frame_after_a_list_too() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.reload();
    t.hear();
    assert_eq!(t.open(0).1, Some(Source::LocalStorage));
}

#[test]
fn a_second_attempt_is_counted_for_what_came_of_it() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.weather = Weather::Status(500);
    let (viewer, _) = t.open(0);
    t.doc.leave(viewer);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.events.clear();
    t.open(0);
    t.doc.wait(secs(2));
    assert_eq!(t.outcomes(), [Outcome::Shown(Source::Network)]);
}

#[test]
fn the_same_viewer_counts_its_failure_and_then_what_the_next_attempt_brought() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.weather = Weather::Status(500);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(20));
    assert_eq!(t.outcomes(), [Outcome::Failed], "once, however often it is tried");
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(secs(60));
    assert_eq!(t.outcomes(), [Outcome::Failed, Outcome::Shown(Source::Network)]);
    assert_eq!(t.view(viewer).error, None);
}

#[test]
fn a_failure_is_not_shown_while_the_next_attempt_runs() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    let (viewer, _) = t.open(0);
    assert!(matches!(t.view(viewer).status, Status::Failed(_)));
    t.doc.slow = true;
    t.doc.wait(secs(2));
    let view = t.view(viewer);
    assert_eq!((view.status, view.error), (Status::Loading, None));
}

#[test]
fn a_newer_picture_that_cannot_be_had_is_an_error_beside_the_older_one() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.change(0, true);
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.hear();
    let view = t.view(viewer);
    assert!(view.error.is_some());
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn a_second_size_outlives_the_failure_and_the_leaving_of_the_first() {
    for fails in [false, true] {
        let mut t = Fixture::with_users(2);
        t.doc.slow = true;
        let (small, _) = t.doc.look(wanted(0, Size::S64));
        let (large, _) = t.doc.look(wanted(0, Size::S256));
        t.doc.run();
        if fails {
            t.world.borrow_mut().server.weather = Weather::Status(500);
            assert!(t.doc.deliver(0));
            t.world.borrow_mut().server.weather = Weather::Fine;
        } else {
            t.doc.leave(small);
        }
        t.doc.slow = false;
        t.doc.wait(secs(3));
        assert_eq!(t.view(large).status, Status::Settled, "fails: {fails}");
    }
}

#[test]
fn a_retry_by_hand_while_another_request_is_on_its_way_asks_at_once() {
    let mut t = Fixture::with_users(2);
    t.world.borrow_mut().server.weather = Weather::Busy(300);
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.slow = true;
    t.open(1);
    t.doc.tell(Event::Retry);
    t.doc.run();
    t.doc.slow = false;
    t.doc.run();
    assert_eq!(t.view(viewer).status, Status::Settled);
}
