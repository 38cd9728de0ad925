//! Pages and profiles that fail, rest, or are looked at by nobody.

use super::*;
use crate::cache::core::{
    ConnectionView, ListState, ListView, ProfileView, Topic,
    testing::{Fault, Weather},
};

impl Fixture {
    /// With a friend, and the list on screen.
    fn with_a_list() -> Self {
        let mut t = Self::with_users(2);
        t.world.borrow_mut().server.befriend(&user(1), "b");
        t.view_list();
        t
    }

    fn view_list(&mut self) {
        let view = ListView { rows: 0..20, pictures: Some(Size::S64), ahead: 0 };
        self.doc.tell(Event::FriendsViewed(view));
    }

    fn list_requests(&mut self) -> usize {
        let requests = self.doc.requests();
        requests.iter().filter(|request| matches!(request, Request::Friends { .. })).count()
    }
}

#[test]
fn a_list_that_cannot_be_used_is_asked_for_three_times() {
    let mut t = Fixture::with_a_list();
    t.world.borrow_mut().server.weather = Weather::Status(422);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.wait(minutes(4));
    let requests = t.doc.requests();
    let of = |is_it: fn(&Request) -> bool| requests.iter().filter(|r| is_it(r)).count();
    assert_eq!(of(|request| matches!(request, Request::Friends { .. })), 3);
    assert_eq!(of(|request| matches!(request, Request::Profile(_))), 3);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(minutes(3));
    assert_eq!(t.doc.list().state, ListState::Ready);
}

#[test]
fn behind_a_portal_the_server_is_out_of_reach() {
    let mut t = Fixture::with_a_list();
    t.world.borrow_mut().server.weather = Weather::NoLineage;
    let (viewer, _) = t.open(0);
    t.doc.wait(minutes(10));
    assert_eq!(t.doc.core.connection(), ConnectionView::Unreachable);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(minutes(2));
    assert!(t.shows_revision(viewer, 0, 1));
    assert_eq!((t.doc.list().state, t.doc.list().friends.len()), (ListState::Ready, 1));
}

#[test]
fn what_rests_is_asked_for_the_moment_its_rest_ends() {
    let mut t = Fixture::with_a_list();
    t.world.borrow_mut().server.weather = Weather::Status(422);
    t.doc.run();
    assert_eq!(t.list_requests(), 1, "and not before its rest ends");
    let rest = t.doc.core.wake().at - t.doc.now().running;
    assert!(rest <= secs(1), "{rest:?}");
    t.world.borrow_mut().advance(rest);
    t.doc.run();
    assert_eq!(t.list_requests(), 1);
}

#[test]
fn a_hidden_page_asks_for_a_list_that_it_never_had_once() {
    let mut t = Fixture::with_users(2);
    t.world.borrow_mut().server.befriend(&user(1), "b");
    t.doc.tell(Event::Visible(false));
    t.world.borrow_mut().server.weather = Weather::Status(503);
    t.view_list();
    t.doc.wait(minutes(5));
    assert_eq!(t.list_requests(), 1);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.tell(Event::Visible(true));
    t.doc.wait(secs(2));
    assert_eq!(t.doc.list().friends.len(), 1);
    t.list_requests();
    t.doc.tell(Event::Visible(false));
    t.doc.wait(minutes(30));
    assert_eq!(t.list_requests(), 0, "what it has grows old unasked");
}

#[test]
fn a_list_that_is_shown_is_confirmed_without_indexed_db() {
    let mut t = Fixture::with_a_list();
    t.doc.wait(secs(5));
    t.doc.requests();
    t.world.borrow_mut().advance(minutes(6));
    t.doc = Document::open(&t.world, t.policy.clone(), 2);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.view_list();
    t.doc.run();
    assert_eq!(t.doc.list().friends.len(), 1, "from LocalStorage");
    assert_eq!(t.list_requests(), 1);
}

#[test]
fn what_is_as_it_should_be_is_no_failure() {
    let mut t = Fixture::with_a_list();
    t.open(0);
    t.doc.wait(minutes(40));
    let failures =
        t.doc.events.iter().filter(|event| {
            matches!(event, CacheEvent::OriginFailed(_) | CacheEvent::LayerFailed(..))
        });
    assert_eq!(failures.count(), 0);
}

#[test]
fn a_person_tries_a_list_again_at_once() {
    let mut t = Fixture::with_users(2);
    t.world.borrow_mut().server.befriend(&user(1), "b");
    t.world.borrow_mut().server.weather = Weather::Status(422);
    t.view_list();
    t.doc.wait(minutes(2));
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.list_requests();
    t.doc.tell(Event::Retry);
    t.doc.run();
    assert_eq!((t.list_requests(), t.doc.list().friends.len()), (1, 1));
}

#[test]
fn a_page_confirms_the_pictures_of_its_rows() {
    let mut t = Fixture::with_a_list();
    t.open(1);
    t.doc.wait(secs(5));
    t.world.borrow_mut().advance(minutes(60));
    t.doc = Document::open(&t.world, t.policy.clone(), 2);
    t.doc.requests();
    t.view_list();
    t.open(1);
    let requests = t.doc.requests();
    assert!(matches!(requests[..], [Request::Friends { .. }]), "{requests:?}");
}

#[test]
fn a_page_on_its_way_confirms_the_rows_that_are_opened_meanwhile() {
    let mut t = Fixture::with_a_list();
    t.open(1);
    t.doc.wait(secs(5));
    t.world.borrow_mut().advance(minutes(60));
    t.doc = Document::open(&t.world, t.policy.clone(), 2);
    t.doc.requests();
    t.doc.slow = true;
    t.view_list();
    t.doc.run();
    t.open(1);
    t.doc.slow = false;
    t.doc.run();
    let requests = t.doc.requests();
    assert!(matches!(requests[..], [Request::Friends { .. }]), "{requests:?}");
}

#[test]
fn bytes_that_do_not_paint_take_only_themselves_away() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    let (large, _) = t.doc.look(wanted(0, Size::S256));
    t.doc.wait(secs(5));
    let key = t.view(large).shown.unwrap().rendition.key;
    assert_eq!(t.world.borrow().durable.renditions.len(), 2);
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.doc.tell(Event::Broken(user(0), key));
    t.doc.wait(secs(5));
    let shown = t.view(large).shown.unwrap();
    assert_eq!(shown.rendition.size(), Size::S64, "the other one stands in");
    let w = t.world.borrow();
    assert!(w.local.rows[&user(0)].preview.is_some(), "what paints stays");
}

#[test]
fn a_layer_that_failed_is_asked_again_while_the_server_is_away() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.reload();
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.world.borrow_mut().server.weather = Weather::Status(503);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.wait(secs(1));
    assert!(matches!(t.doc.core.profile(&user(0)), ProfileView::Failed(_)));
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(minutes(2));
    assert!(matches!(t.doc.core.profile(&user(0)), ProfileView::Known(_)), "as it was kept");
}

#[test]
fn a_profile_that_nobody_looks_at_any_more_is_not_waited_for() {
    let mut t = Fixture::with_users(2);
    t.doc.slow = true;
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    t.doc.tell(Event::ProfileLeft(user(0)));
    t.doc.run();
    assert!(t.doc.under_way.is_empty(), "cancelled");
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.tell(Event::ProfileViewed(user(1)));
    t.doc.run();
    t.doc.tell(Event::ProfileLeft(user(0)));
    t.doc.run();
    assert_eq!(t.doc.under_way.len(), 1, "the other one goes on");
}

#[test]
fn a_profile_is_told_of_for_as_long_as_somebody_looks_at_it() {
    let told = |t: &Fixture| t.doc.changed.contains(&Topic::Profile(user(1)));
    let mut t = Fixture::with_users(2);
    t.doc.slow = true;
    t.doc.tell(Event::ProfileViewed(user(1)));
    t.doc.tell(Event::ProfileViewed(user(1)));
    t.doc.run();
    t.doc.tell(Event::ProfileLeft(user(1)));
    t.doc.slow = false;
    t.doc.changed.clear();
    t.doc.run();
    assert!(told(&t), "one of two goes on looking");
    assert_eq!(t.doc.requests().len(), 1, "its request goes on");

    t.doc.tell(Event::ProfileLeft(user(1)));
    t.doc.changed.clear();
    t.doc.tell(Event::Invalidate(user(1)));
    t.doc.wait(secs(5));
    assert!(!told(&t) && t.doc.requests().is_empty(), "nobody looks");
}

#[test]
fn a_page_names_what_it_holds_if_that_is_of_the_same_history() {
    let etag = |t: &mut Fixture| {
        let requests = t.doc.requests();
        requests.into_iter().find_map(|request| match request {
            Request::Friends { etag, .. } => Some(etag.is_some()),
            _ => None,
        })
    };
    let mut t = Fixture::with_a_list();
    t.doc.run();
    assert_eq!(etag(&mut t), Some(false), "nothing is held");
    t.doc.wait(t.policy.document_fresh_for + secs(1));
    assert_eq!(etag(&mut t), Some(true));
    t.world.borrow_mut().server.back_up();
    t.world.borrow_mut().server.restore();
    t.hear();
    t.doc.run();
    assert_eq!(etag(&mut t), Some(false), "of an earlier history");
}

#[test]
fn a_page_that_is_shown_again_asks_about_lists_that_were_checked_a_while_ago() {
    for (seconds, expected) in [(30, 0), (120, 1)] {
        let mut t = Fixture::with_a_list();
        t.doc.run();
        t.doc.tell(Event::Visible(false));
        t.doc.wait(secs(seconds));
        t.doc.requests();
        t.doc.tell(Event::Visible(true));
        t.doc.wait(secs(5));
        assert_eq!(t.list_requests(), expected, "{seconds} s later");
    }
}
