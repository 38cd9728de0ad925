//! A disk that is full.

use super::*;
use crate::cache::core::testing::Fault;

/// A fixture in which picture 0 is stored and read again, and IndexedDB then takes nothing more.
fn on_a_full_disk(local: Fault) -> Fixture {
    let mut t = Fixture::with_users(2);
    t.visit(0);
    t.world.borrow_mut().local.rows.clear();
    t.world.borrow_mut().local.fault = local;
    t.reload();
    t.open(0);
    t.world.borrow_mut().durable.fault = Fault::Full;
    t.visit(1);
    t.doc.wait(minutes(1));
    assert_eq!(t.world.borrow().durable.full_in_a_row, 2, "{local:?}");
    assert_eq!(t.world.borrow().durable.renditions.len(), 1, "{local:?}");
    t
}

#[test]
fn a_full_disk_gives_up_what_is_not_to_be_held() {
    for leaves in [false, true] {
        let mut t = on_a_full_disk(Fault::None);
        if leaves {
            t.world.borrow_mut().server.delete(&user(0));
        } else {
            t.change(0, false);
        }
        t.doc.tell(Event::Invalidate(user(0)));
        t.doc.wait(secs(5));
        assert!(t.world.borrow().durable.renditions.is_empty(), "leaves: {leaves}");
        assert_eq!(t.durable_record(0).is_none(), leaves);
    }
}

#[test]
fn an_older_row_goes_where_neither_it_nor_a_doubt_can_be_written() {
    for (local, stays) in [(Fault::None, true), (Fault::Denied, false), (Fault::Unwritable, false)]
    {
        let mut t = on_a_full_disk(local);
        t.change(0, true);
        t.hear();
        t.doc.wait(minutes(10));
        assert_eq!(t.durable_record(0).is_some(), stays, "{local:?}");
        assert_eq!(t.world.borrow().durable.full_in_a_row, 2, "{local:?}: nothing new was tried");

        t.doc = Document::open(&t.world, t.policy.clone(), 5);
        let (viewer, _) = t.open(0);
        assert!(t.shows_revision(viewer, 0, 2), "{local:?}: not the old one for 7 days");
    }
}

#[test]
fn a_full_disk_keeps_what_is_as_new_as_what_is_known() {
    let mut t = on_a_full_disk(Fault::Denied);
    t.world.borrow_mut().advance(minutes(46));
    t.doc.tell(Event::Visible(true));
    t.doc.wait(minutes(10));
    assert!(t.durable_record(0).is_some(), "only when it was checked is older");
}

#[test]
fn a_full_disk_is_tried_twice_and_then_only_read() {
    let mut t = Fixture::with_users(3);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Full;
    t.world.borrow_mut().local.fault = Fault::Full;
    t.visit(1);
    t.doc.wait(minutes(10));
    t.visit(2);
    t.doc.wait(minutes(10));
    let world = t.world.borrow();
    assert_eq!((world.durable.full_in_a_row, world.local.full_in_a_row), (2, 2));
    assert!(!world.durable.renditions.is_empty(), "what was there is still read");
}

#[test]
fn a_disk_that_has_room_again_is_full_no_longer() {
    let mut t = Fixture::with_users(2);
    for index in 0..2 {
        t.world.borrow_mut().durable.fault = Fault::Full;
        t.open(index);
        while t.world.borrow().durable.full_in_a_row == 0 {
            if !t.doc.turn() && !t.doc.deliver(0) {
                t.world.borrow_mut().advance(Duration::from_millis(100));
            }
        }
        t.world.borrow_mut().durable.fault = Fault::None;
        t.doc.wait(minutes(10));
        assert!(t.durable_record(index).is_some(), "picture {index}: tried once more");
        t.world.borrow_mut().durable.full_in_a_row = 0;
    }
}
