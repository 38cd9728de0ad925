//! What comes late, or to a layer that failed meanwhile.

use super::*;
use crate::cache::{
    clock::Timestamp,
    core::{
        ListView, ProfileView,
        testing::{Fault, Under, Weather},
    },
    document::Body,
};

fn view(t: &mut Fixture, rows: std::ops::Range<usize>) {
    t.doc.tell(Event::FriendsViewed(ListView { rows, pictures: Some(Size::S64), ahead: 0 }));
    t.doc.run();
}

fn befriend_all(t: &Fixture, count: usize) {
    let server = &mut t.world.borrow_mut().server;
    (0..count).for_each(|i| server.befriend(&user(i), &format!("n{i:04}")));
}

#[test]
fn a_late_read_brings_no_profile_back_that_is_gone() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    t.doc.tell(Event::ProfileLeft(user(0)));
    t.reload();
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.world.borrow_mut().server.delete(&user(0));
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.wait(secs(2));
    assert_eq!(t.doc.core.profile(&user(0)), ProfileView::NotFound);
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.changed.clear();
    t.doc.run();
    assert_eq!(t.doc.changed, [], "not for a moment");
    assert_eq!(t.doc.core.profile(&user(0)), ProfileView::NotFound, "after the late read");
}

#[test]
fn a_late_read_brings_no_older_profile_back() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.reload();
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.change(0, true);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.wait(secs(2));
    let ProfileView::Known(newer) = t.doc.core.profile(&user(0)) else { panic!("from the server") };
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.changed.clear();
    t.doc.run();
    assert_eq!(t.doc.core.profile(&user(0)), ProfileView::Known(newer));
    assert_eq!(t.doc.changed, [], "not for a moment");
}

#[test]
fn no_request_is_given_more_time_than_a_sleep_took() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    t.world.borrow_mut().server.weather = Weather::Silent;
    t.open(0);
    t.doc.requests();
    let (id, _) = t
        .doc
        .under_way
        .iter()
        .find(|(_, under)| matches!(under, Under::Fetch(..)))
        .cloned()
        .unwrap();
    // the machine sleeps; its running clock does not
    t.world.borrow_mut().advance(minutes(8 * 60));
    t.doc.tell(Event::Progressed(id, 0));
    t.doc.wait(minutes(2));
    assert!(t.picture_requests() >= 1, "15 s of silence are an end");
}

#[test]
fn memory_gives_up_nobody_who_is_still_to_be_written() {
    let mut t = Fixture::with_users(300);
    befriend_all(&t, 300);
    view(&mut t, 0..300);
    t.doc.wait(secs(30));
    let n = t.world.borrow().durable.records.len();
    assert_eq!(n, 300, "of 300 friends that came with pictures");
}

#[test]
fn a_change_is_written_however_many_come_after_it() {
    let mut t = Fixture::with_users(301);
    t.visit(300);
    t.reload();
    let (viewer, _) = t.open(300);
    t.change(300, true);
    let (record, lineage) = {
        let w = t.world.borrow();
        (w.server.truth[&user(300)].clone(), w.server.lineage())
    };
    t.doc.tell(Event::News(vec![record], lineage));
    t.doc.run();
    assert!(t.shows_revision(viewer, 300, 2));
    t.doc.leave(viewer);
    befriend_all(&t, 300);
    view(&mut t, 0..300);
    t.doc.wait(secs(30));
    t.reload();
    t.doc.requests();
    let (viewer, _) = t.open(300);
    t.doc.wait(secs(30));
    assert!(t.shows_revision(viewer, 300, 2), "revision 2 was seen here before");
}

#[test]
fn a_document_that_could_not_be_written_does_not_replace_a_newer_one() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.wait(Duration::from_millis(700));
    assert!(t.doc.under_way.iter().any(|(_, under)| matches!(under, Under::Write(..))));
    t.change(0, true);
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.run();
    // the hanging write fails
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.run();
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(secs(30));
    let world = t.world.borrow();
    let document = world.durable.documents.values().next().unwrap();
    let Body::Profile(profile) = &document.body else { panic!("a profile") };
    assert_eq!(profile.picture.revision, Revision(2));
}

#[test]
fn a_document_that_could_not_be_written_stays_removed() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.wait(Duration::from_millis(700));
    t.world.borrow_mut().server.delete(&user(0));
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.run();
    assert_eq!(t.doc.core.profile(&user(0)), ProfileView::NotFound);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.run();
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(secs(30));
    assert_eq!(t.world.borrow().durable.documents.len(), 0);
}

#[test]
fn a_removal_that_was_put_off_takes_no_bytes_that_came_since() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.wait(secs(1));
    let key = t.view(viewer).shown.unwrap().rendition.key;
    t.doc.tell(Event::Broken(user(0), key));
    t.doc.run();
    t.doc.wait(secs(10));
    assert!(t.view(viewer).shown.is_some());
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(2));
    assert!(
        t.world.borrow().durable.renditions.contains_key(&key),
        "IndexedDB has lost the fresh bytes"
    );
}

#[test]
fn a_removal_that_waits_for_a_neighbour_takes_no_bytes_that_came_since() {
    let mut t = Fixture::with_users(2);
    t.visit(0);
    let (viewer, _) = t.open(0);
    let key = t.view(viewer).shown.unwrap().rendition.key;
    t.doc.slow = true;
    t.open(1);
    // the neighbour's picture is here and not decoded yet
    let fetch =
        t.doc.under_way.iter().position(|(_, under)| matches!(under, Under::Fetch(..))).unwrap();
    t.doc.deliver(fetch);
    t.doc.turn();
    t.doc.tell(Event::Broken(user(0), key));
    t.doc.turn(); // asks whether the neighbour's decodes
    assert!(t.doc.under_way.iter().any(|(_, under)| matches!(under, Under::Decode(_))));
    t.world.borrow_mut().advance(secs(2));
    t.doc.turn();
    let fetch = t
        .doc
        .under_way
        .iter()
        .position(|(_, under)| matches!(under, Under::Fetch(..)))
        .expect("refetch");
    t.doc.deliver(fetch);
    t.doc.slow = false;
    t.doc.wait(minutes(2));
    assert!(t.view(viewer).shown.is_some());
    let w = t.world.borrow();
    assert!(w.local.rows[&user(0)].preview.is_some(), "LocalStorage");
    assert!(w.durable.renditions.contains_key(&key), "IndexedDB");
}

#[test]
fn an_expiry_that_was_put_off_doubts_nothing_that_was_confirmed_since() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    let (_viewer, _) = t.open(0);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.wait(secs(1));
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.wait(secs(3));
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(2));
    let w = t.world.borrow();
    assert_ne!(w.durable.records[&user(0)].0.checked_at, Timestamp(0));
}

#[test]
fn what_was_known_before_an_invalidation_is_not_believed_after_it() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.tell(Event::Painted);
    t.doc.run();
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.world.borrow_mut().advance(Duration::from_millis(50));
    t.doc.tell(Event::Invalidate(user(0)));
    t.reload();
    t.open(0);
    assert_eq!(t.picture_requests(), 1);
}

#[test]
fn without_local_storage_indexed_db_keeps_a_changed_picture() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().local.fault = Fault::Denied;
    t.reload();
    t.visit(0);
    assert_eq!(t.world.borrow().durable.renditions.len(), 1, "first visit");
    t.reload();
    t.change(0, true);
    let (viewer, _) = t.open(0);
    t.hear();
    assert!(t.shows_revision(viewer, 0, 2));
    t.doc.wait(minutes(1));
    assert_eq!(t.world.borrow().durable.renditions.len(), 1, "second visit");
}

#[test]
fn without_local_storage_a_confirmation_removes_nothing() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().local.fault = Fault::Denied;
    t.reload();
    t.visit(0);
    t.reload();
    let (_viewer, _) = t.open(0);
    t.doc.wait(minutes(40));
    assert_eq!(t.world.borrow().durable.renditions.len(), 1, "after a confirmation");
}

#[test]
fn an_older_answer_does_not_end_what_a_later_one_asked_for() {
    let mut t = Fixture::with_users(120);
    t.doc.slow = true;
    t.look_at(0..100);
    t.doc.run();
    assert_eq!(t.picture_requests(), 2);
    t.world.borrow_mut().advance(secs(1));
    t.world.borrow_mut().server.weather = Weather::Busy(300);
    t.doc.deliver(0);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.deliver(0);
    t.doc.turn();
    t.doc.wait(secs(60));
    assert_eq!(t.picture_requests(), 0, "asked to be left alone for 5 minutes");
}

#[test]
fn who_is_looked_at_after_a_sleep_is_asked_about() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.picture_requests();
    t.change(0, true);
    t.world.borrow_mut().jump(8 * 3_600_000);
    t.doc.run();
    t.open(0);
    assert_eq!(t.picture_requests(), 1, "checked 8 hours ago");
}

#[test]
fn rows_of_a_clock_that_ran_ahead_heal() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().jump(365 * 86_400_000);
    t.visit(0);
    t.world.borrow_mut().jump(-365 * 86_400_000);
    for _ in 0..3 {
        t.reload();
        t.open(0);
        t.doc.wait(secs(5));
    }
    t.reload();
    t.picture_requests();
    t.open(0);
    assert_eq!(t.picture_requests(), 0, "confirmed seconds ago by the document before");
}

#[test]
fn doubt_of_a_clock_that_ran_ahead_heals() {
    let mut t = Fixture::with_users(1);
    let wall = t.doc.now().wall.0;
    t.world.borrow_mut().local.believe_from = Timestamp(wall + 365 * 86_400_000);
    for _ in 0..3 {
        t.reload();
        t.open(0);
        t.doc.wait(secs(5));
    }
    t.reload();
    t.picture_requests();
    t.open(0);
    assert_eq!(t.picture_requests(), 0);
}

#[test]
fn that_there_is_nobody_is_doubted_as_anything_else() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::ProfileViewed(user(7)));
    t.doc.run();
    t.change(7, true);
    t.world.borrow_mut().advance(minutes(2));
    t.doc.tell(Event::Visible(false));
    t.doc.run();
    t.doc.tell(Event::Visible(true));
    t.doc.tell(Event::Invalidate(user(7)));
    t.doc.wait(secs(5));
    assert!(matches!(t.doc.core.profile(&user(7)), ProfileView::Known(_)));
}

#[test]
fn what_was_confirmed_is_not_asked_for_after_a_reload() {
    let mut t = Fixture::with_users(4);
    befriend_all(&t, 4);
    view(&mut t, 0..4);
    t.doc.wait(minutes(6));
    t.reload();
    view(&mut t, 0..4);
    assert_eq!(t.doc.requests().len(), 0, "confirmed a minute ago");
}
