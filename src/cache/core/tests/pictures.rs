//! The cache of pictures that the page shares with the service worker.

use super::*;
use crate::cache::{
    core::{
        Effect,
        testing::{Fault, Weather},
    },
    event::{Answer, Step},
};

impl Fixture {
    /// How many pictures ada's cache holds.
    fn cached(&self) -> usize {
        let pictures = &self.world.borrow().pictures;
        pictures.values().map(|pictures| pictures.held.len()).sum()
    }

    /// A new document, which finds records in LocalStorage and no bytes but in the cache of pictures.
    fn reload_without_bytes(&mut self) {
        self.reload();
        let world = &mut *self.world.borrow_mut();
        world.durable.renditions.clear();
        world.local.rows.values_mut().for_each(|row| row.preview = None);
    }
}

#[test]
fn what_indexed_db_has_lost_comes_from_the_cache_and_is_stored_again() {
    let mut t = Fixture::with_users(2);
    t.look_at(0..2);
    t.doc.wait(secs(10));
    t.reload_without_bytes();
    t.look_at(0..2);
    t.doc.wait(secs(10));
    assert_eq!(t.picture_requests(), 0);
    let shown = t.doc.show(0).0;
    assert!(t.shows_revision(shown, 0, 1));
    let held = t.world.borrow().durable.renditions.len();
    assert_eq!(held, 2, "the nearer layer is filled again");
    let trips = t.doc.events.iter().filter_map(|event| match event {
        CacheEvent::Loaded(Load { outcome: Outcome::Shown(source), path, .. }) => {
            Some((source, path))
        }
        _ => None,
    });
    let from: Vec<_> = trips.filter(|(source, _)| **source == Source::ServiceWorker).collect();
    assert_eq!(from.len(), 2, "{:?}", t.doc.events);
    let layers =
        |path: &[Step]| path.iter().map(|step| (step.layer, step.answer)).collect::<Vec<_>>();
    let path = layers(from[0].1);
    assert!(path.contains(&(Source::IndexedDb, Answer::Absent)), "{path:?}");
}

#[test]
fn nobody_looks_into_a_cache_that_there_is_not() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    let is_asked = |event: &CacheEvent| match event {
        CacheEvent::Loaded(load) => {
            load.path.iter().any(|step| step.layer == Source::ServiceWorker)
        }
        _ => false,
    };
    assert!(!t.doc.events.iter().any(is_asked));
}

#[test]
fn a_cache_that_hangs_costs_fifty_milliseconds_once_in_a_while() {
    let mut t = Fixture::with_users(6);
    t.look_at(0..6);
    t.doc.wait(secs(10));
    t.reload_without_bytes();
    t.world.borrow_mut().pictures_fault = Fault::Hanging;
    for index in 0..6 {
        let (viewer, _) = t.open(index);
        let limit = t.policy.picture_cache_timeout;
        t.doc.wait(if index < 3 { limit } else { Duration::ZERO });
        assert!(t.shows_revision(viewer, index, 1), "{index}");
    }
}

#[test]
fn it_is_filled_by_a_page_that_rests_with_what_is_looked_at() {
    let mut t = Fixture::with_users(3);
    let (viewer, _) = t.open(0);
    t.doc.tell(Event::Prefetch(vec![user(1)], Size::S64));
    t.doc.run();
    assert_eq!(t.cached(), 0);
    t.doc.wait(secs(10));
    assert_eq!(t.cached(), 1, "what is loaded ahead is not looked at");
    t.doc.leave(viewer);
    t.open(2);
    t.doc.tell(Event::Visible(false));
    t.doc.run();
    assert_eq!(t.cached(), 1, "a page that goes writes what it needs itself");
    t.doc.tell(Event::Visible(true));
    t.doc.wait(secs(10));
    assert_eq!(t.cached(), 2);
}

#[test]
fn a_picture_that_is_removed_leaves_it_at_once() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.wait(secs(10));
    assert_eq!(t.cached(), 1);
    t.change(0, false);
    t.hear();
    t.doc.wait(Duration::from_millis(50));
    assert_eq!(t.cached(), 0);
}

#[test]
fn one_that_fails_keeps_nothing_else_from_being_stored() {
    for fault in [Fault::Denied, Fault::Failing, Fault::Hanging, Fault::Full, Fault::Unwritable] {
        let mut t = Fixture::with_users(1);
        t.world.borrow_mut().pictures_fault = fault;
        let (viewer, _) = t.open(0);
        t.doc.wait(minutes(2));
        assert!(t.shows_revision(viewer, 0, 1), "{fault:?}");
        assert_eq!(t.revisions(0), [Some(1), Some(1)], "{fault:?}");
        let believed = t.world.borrow().local.believe_from;
        assert_eq!(believed.0, 0, "{fault:?}: it holds no record that could be believed");
    }
}

#[test]
fn what_a_late_write_puts_there_is_erased_with_the_account() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.world.borrow_mut().pictures_fault = Fault::Hanging;
    t.doc.wait(secs(10));
    t.doc.tell(Event::SignOut);
    t.doc.run();
    t.world.borrow_mut().pictures_fault = Fault::None;
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(minutes(2));
    assert_eq!(t.cached(), 0);
}

#[test]
fn signing_out_erases_it() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.wait(secs(10));
    t.doc.tell(Event::SignOut);
    let erased = std::iter::from_fn(|| t.doc.core.poll(t.doc.now()));
    let of_pictures =
        |effect: Effect<Blob>| matches!(effect, Effect::Erase { layer: Source::ServiceWorker, .. });
    assert_eq!(erased.filter(|effect| of_pictures(effect.clone())).count(), 1);
}
