//! What layers hold.

use super::*;
use crate::cache::{
    clock::Timestamp,
    core::testing::{Fault, Weather},
};

#[test]
fn two_documents_never_write_an_older_record_over_a_newer_one() {
    let mut t = Fixture::with_users(1);
    let mut other = Document::open(&t.world, t.policy.clone(), 9);
    t.open(0);
    t.change(0, true);
    other.show(0);
    other.wait(secs(5));
    assert_eq!(t.revisions(0), [Some(2), Some(2)]);
    t.doc.wait(secs(5));
    assert_eq!(t.revisions(0), [Some(2), Some(2)], "the first one's write waited");
}

#[test]
fn a_document_that_lost_learns_what_stands() {
    let mut t = Fixture::with_users(1);
    let mut other = Document::open(&t.world, t.policy.clone(), 9);
    let (viewer, _) = t.open(0);
    t.change(0, true);
    other.show(0);
    other.wait(secs(5));
    t.doc.wait(secs(5));
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn a_page_that_is_left_soon_after_its_pictures_appeared_has_them_next_time() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.tell(Event::Painted);
    t.doc.wait(Duration::from_millis(150));
    assert!(t.local_record(0).is_none(), "while pictures appear nothing is written");
    t.doc.tell(Event::Visible(false));
    t.doc.turn();
    t.doc = Document::open(&t.world, t.policy.clone(), 2);
    assert_eq!(t.open(0).1, Some(Source::LocalStorage));
}

#[test]
fn a_confirmation_rewrites_no_picture() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    let before = t.local_record(0).unwrap();
    t.world.borrow_mut().advance(minutes(46));
    t.doc = Document::open(&t.world, t.policy.clone(), 4);
    let sent = t.world.borrow().server.renditions_sent;
    t.open(0);
    t.doc.wait(secs(5));
    let after = t.local_record(0).unwrap();
    assert!(after.checked_at > before.checked_at);
    assert_eq!(t.world.borrow().server.renditions_sent, sent);
}

#[test]
fn someone_who_lost_their_picture_or_left_has_no_bytes_anywhere() {
    for leaves in [false, true] {
        let mut t = Fixture::with_users(1);
        t.visit(0);
        let (viewer, _) = t.open(0);
        if leaves {
            t.world.borrow_mut().server.delete(&user(0));
        } else {
            t.change(0, false);
        }
        t.doc.tell(Event::Invalidate(user(0)));
        t.doc.run();
        assert!(t.view(viewer).shown.is_none());
        assert!(t.world.borrow().durable.renditions.is_empty(), "at once; leaves: {leaves}");
        assert!(t.world.borrow().local.rows.values().all(|row| row.preview.is_none()));
        assert_eq!(t.durable_record(0).is_none(), leaves);
    }
}

#[test]
fn a_late_not_found_erases_nothing_newer() {
    let mut t = Fixture::with_users(0);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().advance(secs(1));
    t.change(0, true);
    t.hear();
    assert_eq!(t.doc.under_way.len(), 2);
    let truth = std::mem::take(&mut t.world.borrow_mut().server.truth);
    assert!(t.doc.deliver(0));
    t.world.borrow_mut().server.truth = truth;
    t.doc.slow = false;
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn a_newer_record_that_cannot_be_written_makes_older_rows_unbelievable() {
    for fault in [Fault::Failing, Fault::Hanging, Fault::Full] {
        let mut t = Fixture::with_users(2);
        t.visit(0);
        t.visit(1);
        t.reload();
        t.open(0);
        t.doc.wait(secs(5));
        t.world.borrow_mut().durable.fault = fault;
        t.change(0, true);
        t.hear();
        t.doc.wait(secs(10));
        t.world.borrow_mut().durable.fault = Fault::None;
        t.world.borrow_mut().local.rows.clear();
        t.doc = Document::open(&t.world, t.policy.clone(), 5);
        t.doc.requests();
        let (viewer, _) = t.open(0);
        assert!(t.shows_revision(viewer, 0, 2), "{fault:?}: not the old one for 7 days");
    }
}

#[test]
fn the_preview_is_the_best_that_there_is() {
    let mut t = Fixture::with_users(1);
    let preview = |t: &Fixture| {
        let world = t.world.borrow();
        world.local.rows.get(&user(0)).and_then(|row| row.preview.clone()).map(|held| held.size())
    };
    t.visit(0);
    assert_eq!(preview(&t), Some(Size::S64));
    t.doc.look(wanted(0, Size::S128));
    t.doc.wait(secs(5));
    assert_eq!(preview(&t), Some(Size::S128));
}

#[test]
fn clear_is_not_undone_by_what_was_owed() {
    let mut t = Fixture::with_users(2);
    let (on_screen, _) = t.open(0);
    let (gone, _) = t.open(1);
    t.doc.leave(gone);
    t.doc.tell(Event::Clear);
    t.doc.wait(minutes(1));
    let empty = |t: &Fixture| {
        let world = t.world.borrow();
        world.local.rows.is_empty() && world.durable.records.is_empty()
    };
    assert!(empty(&t));
    assert!(t.shows_revision(on_screen, 0, 1), "what is on screen stays");
    t.visit(1);
    assert_eq!(t.revisions(1), [Some(1), Some(1)], "what is shown after it is kept");
    assert_eq!(t.doc.list_announced, Some(false));
}

#[test]
fn clear_during_a_hanging_erasure_writes_nothing() {
    let mut t = Fixture::with_users(2);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.tell(Event::Clear);
    t.visit(1);
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(secs(5));
    assert!(t.durable_record(0).is_none());
    assert_eq!(t.revisions(1), [Some(1), Some(1)]);
}

#[test]
fn what_was_owed_to_a_failing_layer_is_written_when_it_is_back() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.open(0);
    t.doc.wait(minutes(3));
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(1));
    assert_eq!(t.revisions(0), [Some(1), Some(1)]);
    assert_eq!(t.world.borrow().durable.renditions.len(), 1);
}

#[test]
fn a_use_is_noted_once_an_hour() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    let used = |t: &Fixture| {
        let world = t.world.borrow();
        let row = &world.local.rows[&user(0)];
        [row.record.as_ref().unwrap().1, world.durable.records[&user(0)].1]
    };
    let first = used(&t);
    for (wait, noted) in [(40, false), (30, true)] {
        t.world.borrow_mut().advance(minutes(wait));
        t.world.borrow_mut().server.weather = Weather::Unreachable;
        t.reload();
        let before = used(&t);
        t.open(0);
        t.doc.wait(secs(5));
        let after = used(&t);
        assert_eq!(after.iter().zip(&before).all(|(a, b)| a > b), noted, "{wait} {first:?}");
    }
}

#[test]
fn what_is_over_the_limit_of_local_storage_goes_least_recently_used_first() {
    let mut t = Fixture::with_users(8);
    t.policy.local_storage.entries = 4;
    t.policy.local_storage.trim_entries_to = 4;
    t.doc = Document::open(&t.world, t.policy.clone(), 1);
    for index in 0..8 {
        t.visit(index);
    }
    t.visit(0);
    let left: Vec<String> =
        t.world.borrow().local.rows.keys().map(|user| user.to_string()).collect();
    assert!(left.len() <= 5, "{left:?}");
    assert!(left.contains(&"user07".to_owned()), "{left:?}");
}

/// Another document replaces a row of LocalStorage.
fn replace_row(t: &mut Fixture, old: CheckedRecord, new: CheckedRecord) {
    let used_at = Timestamp(1);
    let row = Some((new.clone(), used_at));
    t.world.borrow_mut().local.rows.get_mut(&user(0)).unwrap().record = row;
    t.doc.tell(Event::StorageChanged(crate::cache::core::StorageChange {
        user: user(0),
        of_record: true,
        old: Some(old),
        new: Some(new),
        line: crate::cache::entry::Line { user: user(0), bytes: 1430, used_at },
    }));
    t.doc.wait(secs(5));
}

#[test]
fn a_row_of_another_document_that_is_older_than_what_is_known_is_written_over() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.change(0, true);
    t.hear();
    t.doc.wait(secs(5));
    let newer = t.local_record(0).unwrap();
    let mut older = newer.clone();
    older.record.revision = Revision(1);
    replace_row(&mut t, newer, older);
    assert_eq!(t.revisions(0)[0], Some(2));
}

#[test]
fn a_row_of_another_document_that_is_newer_than_what_is_known_is_shown() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    let (viewer, _) = t.open(0);
    t.change(0, true);
    let older = t.local_record(0).unwrap();
    let mut newer = older.clone();
    newer.record = t.world.borrow().server.truth[&user(0)].clone();
    replace_row(&mut t, older, newer);
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn news_of_a_later_history_is_news() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().server.back_up();
    t.world.borrow_mut().server.restore();
    t.change(0, true);
    t.hear();
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn a_server_restored_from_a_backup_is_believed() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.back_up();
    (0..3).for_each(|_| t.change(0, true));
    t.visit(0);
    t.world.borrow_mut().server.restore();
    t.reload();
    t.world.borrow_mut().advance(minutes(50));
    let (viewer, _) = t.open(0);
    t.doc.run();
    let view = t.view(viewer);
    assert_eq!(view.revision, Some(Revision(1)), "though 4 was known");
    let (_, expected) = (0, image_of(&user(0), 0, 1));
    assert_eq!(view.shown.map(|shown| shown.rendition.image()), Some(expected));
    t.reload();
    let (viewer, first_frame) = t.open(0);
    assert_eq!(first_frame, Some(Source::LocalStorage));
    assert_eq!(t.view(viewer).revision, Some(Revision(1)));
    assert_eq!(t.picture_requests(), 0);
}

#[test]
fn an_answer_of_an_earlier_history_changes_nothing() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.restore();
    t.visit(0);
    let (viewer, _) = t.open(0);
    let now = t.world.borrow().server.lineage();
    let old = Outside::with_users(1);
    old.borrow_mut().server.change(&user(0), true);
    let earlier = old.borrow().server.lineage();
    assert!(earlier < now);
    std::mem::swap(&mut old.borrow_mut().server, &mut t.world.borrow_mut().server);
    t.doc.wait(minutes(31));
    assert_eq!(t.view(viewer).revision, Some(Revision(1)));
    assert_eq!(t.doc.core.connection(), crate::cache::core::ConnectionView::Outdated);
    std::mem::swap(&mut old.borrow_mut().server, &mut t.world.borrow_mut().server);
    t.doc.wait(minutes(2));
    assert_eq!(t.doc.core.connection(), crate::cache::core::ConnectionView::Reachable);
}

#[test]
fn nothing_older_brings_back_someone_who_is_gone() {
    let mut t = Fixture::with_users(1);
    let old = t.world.borrow().server.truth.clone();
    let (viewer, _) = t.open(0);
    t.change(0, true);
    t.hear();
    t.doc.wait(secs(2));
    t.world.borrow_mut().server.delete(&user(0));
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.wait(secs(2));
    assert!(t.view(viewer).shown.is_none());
    let lineage = t.world.borrow().server.lineage();
    t.doc.tell(Event::News(old.into_values().collect(), lineage));
    assert_eq!(t.view(viewer).revision, None, "a list that is older than what was known");
    t.world.borrow_mut().server.change(&user(0), true);
    t.hear();
    assert!(t.shows_revision(viewer, 0, 3), "created again, it counts on");
}

#[test]
fn someone_who_left_has_no_row_in_a_layer_that_was_not_asked() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.reload();
    assert_eq!(t.open(0).1, Some(Source::LocalStorage));
    t.world.borrow_mut().server.delete(&user(0));
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.wait(secs(5));
    let world = t.world.borrow();
    assert!(world.durable.records.is_empty() && world.durable.renditions.is_empty());
}
