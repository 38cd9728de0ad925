//! Presigned delivery: the store has the bytes, and the server says where.

use super::*;
use crate::cache::core::testing::{Store, Weather};

/// The server gives hints that are good for so many seconds.
fn presigned(seconds: u64) -> Fixture {
    let t = Fixture::with_users(3);
    t.world.borrow_mut().server.hints_last = Some(seconds);
    t
}

/// The batch was answered, and the store is being asked.
fn asking_the_store() -> (Fixture, ViewerId) {
    let mut t = presigned(3_000);
    t.doc.slow = true;
    let viewer = t.look_closely(0);
    assert!(t.doc.deliver(0), "the batch");
    t.doc.run();
    (t, viewer)
}

impl Fixture {
    fn look_closely(&mut self, index: usize) -> ViewerId {
        let (viewer, _) = self.doc.look(wanted(index, Size::S256));
        self.doc.run();
        viewer
    }

    /// How many batches and how many renditions were asked for since the last call.
    fn asked(&mut self) -> (usize, usize) {
        let requests = self.doc.requests();
        let count = |is: fn(&&Request) -> bool| requests.iter().filter(is).count();
        (
            count(|request| matches!(request, Request::Pictures { .. })),
            count(|request| matches!(request, Request::Rendition { .. })),
        )
    }
}

#[test]
fn a_large_picture_comes_from_the_store_and_is_one_load() {
    let mut t = presigned(3_000);
    let viewer = t.look_closely(0);
    assert!(t.shows_revision(viewer, 0, 1));
    assert_eq!((t.asked(), t.loads().len()), ((1, 1), 1));

    t.open(1);
    assert_eq!(t.asked(), (1, 0), "small ones come with their records");
    t.reload();
    let viewer = t.look_closely(0);
    assert!(t.shows_revision(viewer, 0, 1));
    assert_eq!(t.asked(), (0, 0), "from IndexedDB");
}

#[test]
fn many_large_pictures_share_a_batch() {
    let mut t = presigned(3_000);
    for index in 0..3 {
        t.doc.look(wanted(index, Size::S256));
    }
    t.doc.run();
    assert_eq!(t.asked(), (1, 3));
}

#[test]
fn a_hint_with_little_time_left_is_used_at_once_or_renewed() {
    let cases = [
        // lasts, the store is asked after, batches
        (600, 299, 1),
        (600, 301, 2),
        (1_500, 899, 1),
        (1_500, 901, 2),
        (60, 59, 1),
        (60, 61, 2),
    ];
    for (lasts, after, batches) in cases {
        let mut t = presigned(lasts);
        t.doc.slow = true;
        let viewer = t.look_closely(0);
        assert!(t.doc.deliver(0), "the batch");
        // The page sleeps before it can go on.
        t.world.borrow_mut().advance(secs(after));
        t.doc.slow = false;
        t.doc.run();
        assert!(t.shows_revision(viewer, 0, 1));
        assert_eq!(t.asked().0, batches, "{lasts} s, {after} s later");
    }
}

#[test]
fn a_refused_hint_costs_one_more_batch_and_no_picture() {
    for store in [Store::Refusing, Store::ErrorPages, Store::Unreachable] {
        let mut t = presigned(3_000);
        t.doc.slow = true;
        t.world.borrow_mut().server.store = store;
        let viewer = t.look_closely(0);
        assert!(t.doc.deliver(0));
        t.doc.run();
        assert!(t.doc.deliver(0), "the store");
        t.world.borrow_mut().server.store = Store::Fine;
        t.doc.slow = false;
        t.doc.run();
        assert!(t.shows_revision(viewer, 0, 1), "{store:?}");
        assert_eq!((t.asked(), t.loads().len()), ((2, 2), 1), "{store:?}");
    }
}

#[test]
fn a_store_that_is_ill_is_left_alone_more_and_more_and_says_nothing_of_the_server() {
    for store in [Store::Refusing, Store::ErrorPages, Store::Unreachable, Store::Silent] {
        let mut t = presigned(3_000);
        t.world.borrow_mut().server.store = store;
        let viewer = t.look_closely(0);
        let failed = (0..40).any(|_| {
            t.doc.wait(secs(1));
            matches!(t.view(viewer).status, Status::Failed(_))
        });
        assert!(failed, "{store:?}");
        assert_eq!(t.doc.core.connection(), crate::cache::core::ConnectionView::Reachable);
        t.doc.wait(minutes(10));
        let (batches, renditions) = t.asked();
        assert!(
            (2..60).contains(&batches) && (2..60).contains(&renditions),
            "{store:?}: {batches}"
        );
        let (other, _) = t.open(1);
        assert!(t.shows_revision(other, 1, 1), "small ones come all the same");

        t.world.borrow_mut().server.store = Store::Fine;
        t.doc.tell(Event::Retry);
        t.doc.wait(secs(1));
        assert!(t.shows_revision(viewer, 0, 1), "{store:?}");
    }
}

#[test]
fn bytes_of_a_picture_that_has_changed_meanwhile_are_not_shown() {
    let (mut t, viewer) = asking_the_store();
    t.change(0, true);
    t.hear();
    t.doc.slow = false;
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn nobody_waits_for_the_store_once_nobody_looks() {
    let (mut t, viewer) = asking_the_store();
    assert_eq!(t.asked(), (1, 1));
    t.doc.leave(viewer);
    t.doc.run();
    assert!(t.doc.under_way.is_empty());
}

#[test]
fn without_a_session_the_store_is_not_asked() {
    let mut t = presigned(3_000);
    t.doc.slow = true;
    t.look_closely(0);
    assert!(t.doc.deliver(0), "the batch");
    t.world.borrow_mut().server.weather = Weather::Silent;
    t.doc.tell(Event::SignOut);
    t.doc.run();
    assert_eq!(t.asked().1, 0);
}
