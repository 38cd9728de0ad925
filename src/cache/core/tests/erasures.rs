//! Erasing, while something else is under way.

use super::*;
use crate::cache::{
    core::{
        Answer,
        testing::{Fault, Under},
    },
    layer::LayerError,
};

#[test]
fn clear_forgets_no_erasure_of_another_account() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.tell(Event::SignOut);
    t.doc.run();
    t.doc.sign_in("grace");
    t.doc.run();
    t.doc.tell(Event::Clear);
    t.doc.run();
    t.doc.sign_in("ada");
    t.doc.run();
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(2));
    t.open(0);
    t.doc.wait(minutes(2));
    assert!(t.world.borrow().durable.records.contains_key(&user(0)), "never written again");
}

#[test]
fn an_erasure_of_another_account_that_fails_after_clear_is_tried_again() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.tell(Event::SignOut);
    t.doc.run();
    t.doc.sign_in("grace");
    t.doc.run();
    // one erasure, of ada, is under way
    let (id, _) =
        t.doc.under_way.iter().find(|(_, under)| matches!(under, Under::Erase)).cloned().unwrap();
    t.doc.under_way.clear();
    t.doc.tell(Event::Clear);
    t.doc.turn();
    let later: Vec<_> = t
        .doc
        .under_way
        .iter()
        .filter(|(_, under)| matches!(under, Under::Erase))
        .map(|(i, _)| *i)
        .collect();
    assert_eq!(later.len(), 1, "grace's own");
    t.doc.tell(Event::Answer(id, Answer::Erased(Err(LayerError::Failed))));
    t.doc.wait(minutes(5));
    let now: Vec<_> =
        t.doc.under_way.iter().filter(|(_, under)| matches!(under, Under::Erase)).collect();
    assert!(now.len() > 1, "ada's is not made again: {now:?}");
}

#[test]
fn what_could_not_be_erased_is_erased_before_it_is_read() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.tell(Event::SignOut);
    t.doc.run();
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.sign_in("ada");
    let (viewer, _) = t.doc.look(wanted(0, Size::S64));
    t.doc.run();
    let source = t.view(viewer).shown.map(|s| s.source);
    assert_ne!(source, Some(Source::IndexedDb), "what was to be erased is read");
}

#[test]
fn an_erasure_that_is_owed_takes_nothing_that_was_written_since() {
    let mut t = Fixture::with_users(2);
    t.visit(0);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.doc.tell(Event::SignOut);
    t.doc.run();
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.sign_in("ada");
    t.open(0);
    t.open(1);
    t.doc.wait(secs(5));
    assert!(t.world.borrow().durable.records.contains_key(&user(1)));
    t.doc.wait(minutes(40));
    t.open(0);
    t.open(1);
    t.doc.wait(minutes(1));
    let kept = t.world.borrow().durable.renditions.len();
    assert_eq!(kept, 2, "what was written after the sign-in is erased, and is not written again");
}

#[test]
fn a_write_that_ends_after_clear_says_nothing_of_what_is_there() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.wait(Duration::from_millis(700));
    assert!(t.doc.under_way.iter().any(|(_, under)| matches!(under, Under::Write(..))));
    t.doc.tell(Event::Clear);
    t.doc.turn();
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.run();
    assert_eq!(t.world.borrow().durable.records.len(), 0);
    assert_ne!(t.doc.list_announced, Some(true));
    t.open(0);
    t.doc.leave(viewer);
    t.doc.wait(minutes(1));
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.wait(minutes(1));
    let w = t.world.borrow();
    assert_eq!((w.local.rows[&user(0)].preview.is_some(), w.durable.renditions.len()), (true, 1));
}

#[test]
fn without_an_account_the_core_rests() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::SignOut);
    t.doc.run();
    t.doc.look(wanted(0, Size::S64));
    t.world.borrow_mut().advance(secs(3));
    t.doc.run();
    let now = t.doc.now().running;
    assert!(t.doc.core.wake().at > now, "wakes at once, again and again: {:?}", t.doc.core.wake());
}

#[test]
fn a_read_that_ends_after_clear_says_nothing_of_what_is_there() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.world.borrow_mut().local.rows.clear();
    t.reload();
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    let (viewer, _) = t.open(0);
    let read =
        t.doc.under_way.iter().position(|(_, under)| matches!(under, Under::Read(..))).unwrap();
    t.doc.wait(Duration::from_millis(1100));
    assert!(t.view(viewer).shown.is_some(), "from the server");
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.delay(read);
    let late = t.doc.under_way.remove(read);
    t.doc.tell(Event::Clear);
    t.doc.run();
    assert_eq!(t.world.borrow().durable.records.len(), 0);
    t.doc.under_way.push(late);
    t.doc.run();
    t.open(0);
    t.doc.wait(minutes(1));
    let w = t.world.borrow();
    assert!(w.durable.renditions.len() == 1, "{:?} {:?}", w.durable.records, w.durable.renditions);
}

#[test]
fn invalidating_someone_without_an_account_lets_the_core_rest() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.doc.tell(Event::SignOut);
    t.doc.run();
    t.doc.tell(Event::Invalidate(user(0)));
    t.world.borrow_mut().advance(secs(3));
    t.doc.run();
    let now = t.doc.now().running;
    assert!(t.doc.core.wake().at > now, "{:?}", t.doc.core.wake());
}
