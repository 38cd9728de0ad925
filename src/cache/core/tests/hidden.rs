//! Viewers on a page that is hidden, and shown again.

use super::*;
use crate::cache::core::{Topic, testing::Weather};

impl Fixture {
    fn hide(&mut self, viewer: ViewerId) {
        self.doc.tell(Event::ViewersHidden(vec![viewer]));
        self.doc.run();
    }

    fn show_again(&mut self, viewer: ViewerId) {
        self.doc.tell(Event::ViewersShown(vec![viewer]));
        self.doc.run();
    }

    /// Whether the page was told that a user's picture has changed, since the last look.
    fn was_told(&mut self, index: usize) -> bool {
        std::mem::take(&mut self.doc.changed).contains(&Topic::Picture(user(index)))
    }
}

#[test]
fn nothing_is_asked_for_while_hidden_and_what_is_old_is_once_shown_again() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.picture_requests();

    t.hide(viewer);
    t.change(0, true);
    t.hear();
    for event in [Event::Online(false), Event::Online(true), Event::Retry] {
        t.doc.tell(event);
        t.doc.wait(secs(5));
    }
    t.doc.tell(Event::Visible(false));
    t.doc.wait(minutes(90));
    t.doc.tell(Event::Visible(true));
    t.doc.wait(minutes(90));
    assert_eq!(t.picture_requests(), 0);
    assert!(t.shows_revision(viewer, 0, 1), "the old picture stays");

    t.show_again(viewer);
    assert_eq!(t.picture_requests(), 1);
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn the_old_picture_stays_until_the_new_one_is_here() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.hide(viewer);
    t.change(0, true);
    t.hear();
    t.doc.slow = true;
    t.show_again(viewer);
    assert_eq!((t.picture_requests(), t.view(viewer).status), (2, Status::Loading));
    assert!(t.shows_revision(viewer, 0, 1));
    t.doc.slow = false;
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn what_somebody_else_loaded_meanwhile_is_there_already() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.hide(viewer);
    t.change(0, true);
    t.hear();
    t.open(0);
    t.picture_requests();
    assert!(t.was_told(0) && t.shows_revision(viewer, 0, 2), "it is told while hidden");
    t.show_again(viewer);
    assert_eq!(t.picture_requests(), 0);
}

#[test]
fn a_picture_that_is_shown_again_is_not_a_load() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    for _ in 0..2 {
        t.hide(viewer);
        t.show_again(viewer);
    }
    assert_eq!(t.outcomes(), [Outcome::Shown(Source::Network)]);
}

#[test]
fn a_hidden_page_hears_of_what_changes() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.hide(viewer);
    t.was_told(0);
    t.change(0, false);
    t.hear();
    assert!(t.was_told(0));
    assert_eq!(t.view(viewer).shown, None, "a picture that was removed goes at once");
}

#[test]
fn a_load_that_somebody_else_ends_is_counted_once() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    t.hide(viewer);
    t.doc.slow = false;
    t.open(0);
    t.show_again(viewer);
    assert_eq!(t.outcomes(), [Outcome::Shown(Source::Network)]);
}

#[test]
fn a_load_ends_with_its_page_and_begins_again_with_it() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    t.hide(viewer);
    assert!(t.doc.under_way.is_empty(), "the request is cancelled");
    t.doc.wait(minutes(1));
    t.picture_requests();

    t.doc.slow = false;
    t.show_again(viewer);
    assert_eq!(t.picture_requests(), 1);
    let loads = t.loads();
    assert_eq!(t.outcomes(), [Outcome::Shown(Source::Network)]);
    assert!(loads[0].took_ms < 1000.0, "the time while hidden is not waited for: {loads:?}");
}

#[test]
fn a_failure_is_forgotten_with_the_page() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    let (viewer, _) = t.open(0);
    t.hide(viewer);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(minutes(5));
    t.picture_requests();
    t.show_again(viewer);
    assert_eq!((t.picture_requests(), t.view(viewer).status), (1, Status::Settled));
}

#[test]
fn memory_keeps_what_a_hidden_page_shows_until_it_is_left() {
    let mut t = Fixture::with_users(8);
    let mut policy = Policy::default();
    (policy.memory.entries, policy.memory.trim_entries_to) = (3, 2);
    t.doc = Document::open(&t.world, policy, 2);
    let (viewer, _) = t.open(0);
    t.hide(viewer);
    (1..8).for_each(|index| t.visit(index));
    t.doc.tell(Event::Clear);
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 1));

    t.doc.leave(viewer);
    (1..8).for_each(|index| t.visit(index));
    assert!(t.doc.core.people.get(&user(0)).is_none());
}

#[test]
fn a_viewer_of_a_visible_page_is_not_touched_by_one_of_a_hidden_page() {
    let mut t = Fixture::with_users(1);
    let ((hidden, _), (seen, _)) = (t.open(0), t.open(0));
    t.hide(hidden);
    t.picture_requests();
    t.change(0, true);
    t.hear();
    assert_eq!(t.picture_requests(), 1);
    assert!(t.shows_revision(seen, 0, 2) && t.shows_revision(hidden, 0, 2));
}
