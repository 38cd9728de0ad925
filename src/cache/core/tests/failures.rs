//! What follows on failures, and that nothing waits for ever.

use super::*;
use crate::cache::{
    core::{
        ConnectionView, ListState, ListView, ProfileView,
        testing::{Fault, Weather},
    },
    layer::OriginError,
};

const VIEW: fn() -> Event<Blob> =
    || Event::FriendsViewed(ListView { rows: 0..20, pictures: Some(Size::S64), ahead: 0 });

/// Every kind of outage, and whether it ends.
fn outages() -> Vec<(&'static str, Weather)> {
    vec![
        ("unreachable", Weather::Unreachable),
        ("silent", Weather::Silent),
        ("429", Weather::Status(429)),
        ("503", Weather::Status(503)),
        ("503 with Retry-After", Weather::Busy(20)),
        ("500", Weather::Status(500)),
    ]
}

#[test]
fn a_picture_comes_by_itself_once_an_outage_is_over() {
    for (name, weather) in outages() {
        let mut t = Fixture::with_users(1);
        t.world.borrow_mut().server.weather = weather;
        let (viewer, _) = t.open(0);
        t.doc.wait(minutes(10));
        assert!(t.view(viewer).shown.is_none());
        let requests = t.picture_requests();
        assert!((10..200).contains(&requests), "{name}: {requests} requests in 10 minutes");
        t.world.borrow_mut().server.weather = Weather::Fine;
        t.doc.wait(minutes(2));
        assert!(t.shows_revision(viewer, 0, 1), "{name}");
    }
}

#[test]
fn a_list_and_a_profile_come_by_themselves_once_an_outage_is_over() {
    for (name, weather) in outages() {
        let mut t = Fixture::with_users(2);
        t.world.borrow_mut().server.befriend(&user(1), "b");
        t.world.borrow_mut().server.weather = weather;
        t.doc.tell(VIEW());
        t.doc.tell(Event::ProfileViewed(user(0)));
        t.doc.wait(secs(16));
        assert!(matches!(t.doc.list().state, ListState::Failed(_)), "{name}: a button in time");
        assert!(matches!(t.doc.core.profile(&user(0)), ProfileView::Failed(_)), "{name}");
        t.world.borrow_mut().server.weather = Weather::Fine;
        t.doc.wait(minutes(2));
        assert_eq!(t.doc.list().state, ListState::Ready, "{name}");
        assert_eq!(t.doc.list().friends.len(), 1, "{name}");
        assert!(matches!(t.doc.core.profile(&user(0)), ProfileView::Known(_)), "{name}");
        assert_eq!(t.doc.core.connection(), ConnectionView::Reachable, "{name}");
    }
}

#[test]
fn those_who_failed_together_are_asked_for_together() {
    let mut t = Fixture::with_users(50);
    t.world.borrow_mut().server.weather = Weather::Status(503);
    t.look_at(0..50);
    t.doc.run();
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.requests();
    t.doc.wait(secs(2));
    assert_eq!(t.picture_requests(), 1);
}

#[test]
fn the_limit_is_on_silence_not_on_the_whole() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    for _ in 0..12 {
        t.doc.wait(secs(10));
        let (id, _) = t.doc.under_way[0];
        t.doc.tell(Event::Progressed(id, 1000));
    }
    assert_eq!(t.view(viewer).error, None, "a batch on a slow line arrives");
    t.doc.slow = false;
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn a_drip_of_bytes_is_silence() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    for _ in 0..14 {
        t.doc.wait(secs(1));
        let (id, _) = t.doc.under_way[0];
        t.doc.tell(Event::Progressed(id, 10));
    }
    t.doc.wait(secs(1));
    let silent = CacheEvent::OriginFailed(OriginError::Unreachable);
    assert_eq!(t.doc.events.iter().filter(|event| **event == silent).count(), 1);
    assert!(t.view(viewer).shown.is_none());
}

#[test]
fn time_in_which_the_page_did_not_run_is_no_silence() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().advance(minutes(30));
    t.doc.run();
    assert_eq!(t.view(viewer).error, None);
    t.doc.slow = false;
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn waiting_for_idle_time_is_no_sleep() {
    let mut t = Fixture::with_users(2);
    t.visit(0);
    t.doc.slow = true;
    t.open(1);
    // Each time layers come to be written, the browser is not idle before its time.
    let asked = t.doc.now().running;
    while t.doc.now().running < asked + secs(15) {
        let (wake, now) = (t.doc.core.wake(), t.doc.now().running);
        let late = Duration::from_millis(900);
        let step = if wake.idle { wake.at - now + late } else { Duration::from_millis(100) };
        t.world.borrow_mut().advance(step);
        t.change(0, true);
        let (record, lineage) = {
            let server = &t.world.borrow().server;
            (server.truth[&user(0)].clone(), server.lineage())
        };
        t.doc.tell(Event::News(vec![record], lineage));
        t.doc.run();
    }
    t.doc.wait(secs(1));
    let silent = CacheEvent::OriginFailed(OriginError::Unreachable);
    assert!(t.doc.events.contains(&silent), "15 s are 15 s");
}

#[test]
fn a_server_that_answers_without_a_network_is_reachable() {
    let mut t = Fixture::with_users(3);
    t.doc.slow = true;
    t.open(0);
    t.doc.tell(Event::Online(false));
    t.doc.run();
    assert_eq!(t.doc.core.connection(), ConnectionView::Unreachable, "the browser says so");
    t.world.borrow_mut().advance(secs(1));
    t.open(1);
    t.doc.deliver(0);
    t.doc.run();
    let late = t.doc.core.connection();
    assert_eq!(late, ConnectionView::Unreachable, "what was asked for before says nothing");
    t.doc.deliver(0);
    t.open(2);
    assert_eq!(t.doc.core.connection(), ConnectionView::Reachable, "the server does");
}

#[test]
fn a_network_that_is_gone_is_no_matter_where_nothing_is_asked() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::Online(false));
    t.doc.run();
    assert_eq!(t.doc.core.connection(), ConnectionView::Reachable);
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    let (viewer, _) = t.open(0);
    assert_eq!(t.doc.core.connection(), ConnectionView::Unreachable);
    t.doc.leave(viewer);
    t.doc.run();
    assert_eq!(t.doc.core.connection(), ConnectionView::Reachable, "nothing would end it");
}

#[test]
fn a_refusal_of_the_servers_own_says_that_it_is_there() {
    for status in [404, 500] {
        let mut t = Fixture::with_users(1);
        t.world.borrow_mut().server.weather = Weather::Unreachable;
        t.open(0);
        assert_eq!(t.doc.core.connection(), ConnectionView::Unreachable);
        t.world.borrow_mut().server.weather = Weather::Status(status);
        t.doc.wait(secs(2));
        assert_eq!(t.doc.core.connection(), ConnectionView::Reachable, "{status}");
    }
}

#[test]
fn three_answers_in_a_row_that_cannot_be_used_are_an_end() {
    for weather in [Weather::NoBytes, Weather::ErrorPages, Weather::Status(422)] {
        let mut t = Fixture::with_users(1);
        t.world.borrow_mut().server.weather = weather;
        let (viewer, _) = t.open(0);
        t.doc.wait(minutes(20));
        assert_eq!(t.picture_requests(), 3, "{weather:?}");
        assert!(matches!(t.view(viewer).status, Status::Failed(_)), "{weather:?}");
        t.world.borrow_mut().server.weather = Weather::Fine;
        t.doc.wait(minutes(11));
        assert!(t.shows_revision(viewer, 0, 1), "{weather:?}: until a record would expire");
    }
}

#[test]
fn a_new_revision_and_a_person_end_the_end() {
    for by_hand in [false, true] {
        let mut t = Fixture::with_users(1);
        t.world.borrow_mut().server.weather = Weather::NoBytes;
        let (viewer, _) = t.open(0);
        t.doc.wait(minutes(5));
        t.world.borrow_mut().server.weather = Weather::Fine;
        if by_hand {
            t.doc.tell(Event::Retry);
        } else {
            t.change(0, true);
            t.hear();
        }
        t.doc.run();
        assert!(t.view(viewer).shown.is_some(), "by hand: {by_hand}");
    }
}

#[test]
fn pictures_that_do_not_decode_are_shown_by_nobody_for_long_and_stored_nowhere() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.change(0, true);
    t.world.borrow_mut().server.weather = Weather::Undecodable;
    let (viewer, _) = t.open(0);
    t.hear();
    t.doc.wait(minutes(5));
    assert!(t.shows_revision(viewer, 0, 1), "the older picture is back");
    assert!(t.world.borrow().durable.is_sound());
    assert_eq!(t.view(viewer).error, Some(OriginError::Malformed));
    t.reload();
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    let (viewer, _) = t.open(0);
    assert!(t.shows_revision(viewer, 0, 1), "and it was never taken out of the layers");
}

#[test]
fn pictures_that_decode_are_no_failure_of_the_server() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    assert!(!t.doc.events.iter().any(|event| matches!(event, CacheEvent::OriginFailed(_))));
}

#[test]
fn a_picture_that_cannot_be_painted_is_asked_for_anew_some_times() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    for times in 0..10 {
        t.doc.wait(secs(10));
        if let Some(shown) = t.view(viewer).shown {
            t.doc.tell(Event::Broken(user(0), shown.rendition.key));
        } else {
            assert!(times >= 3);
        }
        t.doc.run();
    }
    assert_eq!(t.picture_requests(), 3);
    assert!(t.world.borrow().durable.renditions.is_empty());
    assert!(t.world.borrow().local.rows.values().all(|row| row.preview.is_none()));
}

#[test]
fn the_networks_return_is_noticed_whoever_asked() {
    let mut t = Fixture::with_users(2);
    t.world.borrow_mut().server.befriend(&user(1), "b");
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.doc.tell(VIEW());
    t.open(0);
    t.doc.wait(minutes(5));
    assert_eq!(t.doc.core.connection(), ConnectionView::Unreachable);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.changed.clear();
    t.doc.wait(minutes(2));
    assert_eq!(t.doc.core.connection(), ConnectionView::Reachable);
    assert!(t.doc.changed.contains(&crate::cache::core::Topic::Connection));
}

#[test]
fn coming_online_and_into_view_tries_within_a_second() {
    for event in [Event::Online(true), Event::Visible(true)] {
        let mut t = Fixture::with_users(1);
        t.world.borrow_mut().server.weather = Weather::Unreachable;
        let (viewer, _) = t.open(0);
        t.doc.wait(minutes(10));
        t.doc.tell(Event::Visible(false));
        t.doc.run();
        t.world.borrow_mut().server.weather = Weather::Fine;
        t.doc.tell(Event::Visible(true));
        t.doc.tell(event);
        t.doc.wait(secs(1));
        assert!(t.shows_revision(viewer, 0, 1));
    }
}

#[test]
fn each_flap_of_the_connection_asks_no_more_often() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.open(0);
    for _ in 0..50 {
        t.doc.tell(Event::Online(false));
        t.doc.tell(Event::Online(true));
    }
    t.doc.requests();
    t.doc.wait(secs(1));
    assert!((1..=3).contains(&t.picture_requests()));
}

#[test]
fn a_storage_that_fails_or_hangs_slows_a_picture_and_hides_none() {
    for fault in [Fault::Denied, Fault::Failing, Fault::Hanging, Fault::Full] {
        let mut t = Fixture::with_users(2);
        t.world.borrow_mut().durable.fault = fault;
        t.world.borrow_mut().local.fault = fault;
        let (viewer, _) = t.open(0);
        t.doc.wait(secs(1));
        assert!(t.shows_revision(viewer, 0, 1), "{fault:?}");
        t.doc.wait(minutes(5));
        let (viewer, _) = t.open(1);
        t.doc.wait(secs(1));
        assert!(t.shows_revision(viewer, 1, 1), "{fault:?}");
    }
}

#[test]
fn a_storage_that_failed_is_left_alone_and_tried_again_by_one_read() {
    let mut t = Fixture::with_users(10);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    for index in 0..6 {
        t.open(index);
    }
    assert_eq!(t.world.borrow().durable.reads, 3);
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.wait(secs(31));
    t.open(7);
    assert_eq!(t.world.borrow().durable.reads, 4);
}

#[test]
fn retry_after_outlasts_the_return_of_the_network() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.weather = Weather::Busy(3600);
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.tell(Event::Online(true));
    t.doc.wait(minutes(9));
    assert!(t.view(viewer).shown.is_none(), "Retry-After is obeyed, for ten minutes");
    t.doc.wait(minutes(2));
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn a_server_that_is_behind_itself_is_not_asked_without_end() {
    let mut t = Fixture::with_users(1);
    let lagging = t.world.borrow().server.truth.clone();
    t.change(0, true);
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().server.truth = lagging;
    t.doc.requests();
    t.doc.wait(minutes(31));
    assert!((1..=3).contains(&t.picture_requests()));
    assert!(t.shows_revision(viewer, 0, 2), "the newer one stays");
}
