//! Where pictures come from, and how often anybody is asked.

use std::collections::BTreeSet;

use miniature_api::UserId;

use super::*;
use crate::cache::core::{Effect, testing::Weather};

#[test]
fn each_layer_answers_once_the_nearer_ones_have_nothing() {
    let mut t = Fixture::with_users(1);
    let (viewer, first_frame) = t.open(0);
    assert_eq!(first_frame, None);
    assert_eq!(t.view(viewer).shown.map(|shown| shown.source), Some(Source::Network));
    assert_eq!(t.open(0).1, Some(Source::Memory));
    t.reload();
    assert_eq!(t.open(0).1, Some(Source::LocalStorage));
    t.world.borrow_mut().local.rows.clear();
    t.reload();
    let (viewer, first_frame) = t.open(0);
    assert_eq!(first_frame, None);
    assert_eq!(t.view(viewer).shown.map(|shown| shown.source), Some(Source::IndexedDb));
    t.reload();
    assert_eq!(t.open(0).1, Some(Source::LocalStorage), "IndexedDB fills LocalStorage again");
    assert_eq!(t.picture_requests(), 0);
}

#[test]
fn fifty_looks_make_one_transaction_and_one_request() {
    let mut t = Fixture::with_users(60);
    t.look_at(0..50);
    t.doc.run();
    assert_eq!(t.world.borrow().durable.reads, 1);
    assert_eq!(t.picture_requests(), 1);
    t.look_at(50..60);
    t.doc.run();
    assert_eq!(t.world.borrow().durable.reads, 2);
    assert_eq!(t.picture_requests(), 1);
}

#[test]
fn requests_have_fifty_users_and_there_are_three_at_once() {
    let mut t = Fixture::with_users(200);
    t.doc.slow = true;
    t.look_at(0..200);
    t.doc.run();
    let requests = t.doc.requests();
    assert_eq!(requests.len(), 3);
    let of_fifty = |request: &Request| match request {
        Request::Pictures { users, .. } => users.len() == 50,
        _ => false,
    };
    assert!(requests.iter().all(of_fifty));
    assert!(t.doc.deliver(0));
    t.doc.run();
    assert_eq!(t.picture_requests(), 1, "the fourth takes the place that became free");
}

#[test]
fn those_who_were_looked_at_first_are_asked_for_first() {
    let mut t = Fixture::with_users(120);
    t.doc.slow = true;
    for index in (0..120).rev() {
        t.doc.look(wanted(index, Size::S64));
    }
    t.doc.run();
    let first = t.doc.requests().into_iter().next();
    let Some(Request::Pictures { users, .. }) = first else { panic!("{first:?}") };
    let users: BTreeSet<UserId> = users.into_iter().map(|batch| batch.user_id).collect();
    assert_eq!(users, (70..120).map(user).collect());
}

#[test]
fn the_same_picture_asked_for_by_many_is_loaded_once() {
    let mut t = Fixture::with_users(1);
    let (first, _) = t.doc.look(wanted(0, Size::S64));
    let (second, _) = t.doc.look(wanted(0, Size::S64));
    t.doc.run();
    assert_eq!(t.picture_requests(), 1);
    assert!(t.shows_revision(first, 0, 1) && t.shows_revision(second, 0, 1));
    assert!(t.doc.events.contains(&CacheEvent::Coalesced));
    assert_eq!(t.outcomes().len(), 2, "each is counted");
}

#[test]
fn a_request_is_cancelled_when_nobody_wants_any_of_it() {
    let mut t = Fixture::with_users(2);
    t.doc.slow = true;
    let (a, _) = t.doc.look(wanted(0, Size::S64));
    let (b, _) = t.doc.look(wanted(1, Size::S64));
    t.doc.run();
    t.doc.leave(a);
    t.doc.run();
    assert_eq!(t.doc.under_way.len(), 1);
    t.doc.leave(b);
    let cancelled = std::iter::from_fn(|| t.doc.core.poll(t.doc.now()));
    assert!(cancelled.into_iter().any(|effect| matches!(effect, Effect::Cancel(_))));
}

#[test]
fn someone_looked_at_in_two_sizes_is_confirmed_once() {
    let mut t = Fixture::with_users(1);
    t.doc.look(wanted(0, Size::S64));
    t.doc.look(wanted(0, Size::S256));
    t.doc.run();
    assert_eq!(t.picture_requests(), 2);
    t.doc.wait(t.policy.memory_fresh_for);
    assert_eq!(t.picture_requests(), 1);
}

#[test]
fn a_confirmation_carries_no_bytes_and_what_is_on_screen_is_confirmed_in_time() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    let sent = t.world.borrow().server.renditions_sent;
    t.picture_requests();
    t.doc.wait(t.policy.memory_fresh_for - secs(1));
    assert_eq!(t.picture_requests(), 0, "within its lifetime nothing is asked");
    t.doc.wait(secs(2));
    assert_eq!(t.picture_requests(), 1);
    assert_eq!(t.world.borrow().server.renditions_sent, sent);
    t.change(0, true);
    t.doc.wait(t.policy.memory_fresh_for);
    assert!(t.shows_revision(viewer, 0, 2), "what changed is replaced");
}

#[test]
fn a_row_of_a_layer_is_believed_for_the_lifetime_of_its_layer() {
    let cases = [
        ("LocalStorage, 44 minutes", 44, true, 0),
        ("LocalStorage, 46 minutes", 46, true, 1),
        ("IndexedDB, 6 days", 6 * 24 * 60, false, 0),
        ("IndexedDB, 8 days", 8 * 24 * 60, false, 1),
    ];
    for (name, age, local, expected) in cases {
        let mut t = Fixture::with_users(1);
        t.visit(0);
        t.reload();
        t.world.borrow_mut().advance(minutes(age));
        if !local {
            t.world.borrow_mut().local.rows.clear();
        }
        let (viewer, _) = t.open(0);
        assert_eq!(t.picture_requests(), expected, "{name}");
        assert!(t.shows_revision(viewer, 0, 1), "{name}");
    }
}

#[test]
fn memory_believes_nothing_for_longer_than_half_an_hour() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.world.borrow_mut().local.rows.clear();
    t.reload();
    t.open(0);
    t.doc.wait(minutes(31));
    assert_eq!(t.picture_requests(), 1, "though IndexedDB's lifetime is 7 days");
}

#[test]
fn what_was_checked_in_the_future_is_shown_and_asked_about() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().jump(86_400_000);
    t.visit(0);
    t.world.borrow_mut().jump(-86_400_000);
    t.reload();
    let (viewer, first_frame) = t.open(0);
    assert_eq!(first_frame, Some(Source::LocalStorage));
    assert_eq!(t.picture_requests(), 1);
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn someone_without_a_picture_is_an_answer() {
    let mut t = Fixture::with_users(1);
    t.change(0, false);
    let (viewer, _) = t.open(0);
    let view = t.view(viewer);
    assert_eq!(
        (view.shown, view.status, view.revision),
        (None, Status::Settled, Some(Revision(2)))
    );
    t.reload();
    t.doc.events.clear();
    t.open(0);
    assert_eq!(t.outcomes(), [Outcome::Negative(Source::LocalStorage)]);
    assert_eq!(t.picture_requests(), 0);
}

#[test]
fn nobody_is_an_answer_for_half_an_hour() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(5);
    assert_eq!(t.view(viewer).status, Status::Settled);
    t.doc.requests();
    t.doc.wait(minutes(29));
    assert_eq!(t.picture_requests(), 0);
    t.world.borrow_mut().server.change(&user(5), true);
    t.doc.wait(minutes(2));
    assert!(t.shows_revision(viewer, 5, 1));
}

#[test]
fn prefetching_is_one_attempt_and_never_ahead_of_a_viewer() {
    let mut t = Fixture::with_users(8);
    t.doc.slow = true;
    let ahead: Vec<_> = (0..4).map(user).collect();
    t.doc.tell(Event::Prefetch(ahead, Size::S256));
    t.doc.look(wanted(7, Size::S64));
    t.doc.run();
    let requests = t.doc.requests();
    assert!(matches!(&requests[0], Request::Pictures { size: Size::S64, .. }), "{requests:?}");
    assert!(
        matches!(&requests[1], Request::Pictures { size: Size::S256, users } if users.len() == 4)
    );
    t.world.borrow_mut().server.weather = Weather::Status(500);
    t.doc.slow = false;
    t.doc.run();
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.requests();
    t.doc.wait(minutes(2));
    let again = t.doc.requests();
    let large = |request: &Request| matches!(request, Request::Pictures { size: Size::S256, .. });
    assert!(!again.iter().any(large), "a prefetch is not retried: {again:?}");
}

#[test]
fn a_prefetched_picture_is_in_the_first_frame() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::Prefetch(vec![user(0)], Size::S256));
    t.doc.run();
    let (_, view) = t.doc.look(wanted(0, Size::S256));
    assert_eq!(view.status, Status::Settled);
    assert_eq!(view.shown.map(|shown| shown.source), Some(Source::Memory));
}

#[test]
fn a_smaller_picture_is_shown_until_the_right_size_is_there() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    let (viewer, view) = t.doc.look(wanted(0, Size::S256));
    assert_eq!(view.shown.map(|shown| shown.rendition.size()), Some(Size::S64));
    assert_eq!(view.status, Status::Loading);
    t.doc.run();
    assert_eq!(t.view(viewer).shown.map(|shown| shown.rendition.size()), Some(Size::S256));
}

#[test]
fn memory_keeps_the_hundred_used_last_and_all_that_is_on_screen() {
    let mut t = Fixture::with_users(230);
    let first = t.open(0).0;
    for index in 1..230 {
        let (viewer, _) = t.open(index);
        t.doc.leave(viewer);
        t.doc.run();
    }
    t.doc.wait(secs(5)); // until all are written
    let usage = t.doc.core.usage(Source::Memory).unwrap();
    assert!((100..=200).contains(&usage.entries), "{usage:?}");
    assert!(t.shows_revision(first, 0, 1), "on screen, though used first");
    assert_eq!(t.open(229).1, Some(Source::Memory), "used last");
}

#[test]
fn a_hidden_page_asks_for_nothing_by_time_and_catches_up_when_it_is_seen() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.doc.tell(Event::Visible(false));
    t.doc.requests();
    t.change(0, true);
    t.doc.wait(minutes(60));
    assert_eq!(t.picture_requests(), 0);
    t.doc.tell(Event::Visible(true));
    t.doc.run();
    assert_eq!(t.picture_requests(), 1);
    assert!(t.shows_revision(viewer, 0, 2));
}

#[test]
fn becoming_visible_asks_about_what_was_checked_a_minute_ago() {
    for (seconds, expected) in [(50, 0), (70, 1)] {
        let mut t = Fixture::with_users(1);
        t.open(0);
        t.doc.tell(Event::Visible(false));
        t.doc.wait(secs(seconds));
        t.doc.requests();
        t.doc.tell(Event::Visible(true));
        t.doc.run();
        assert_eq!(t.picture_requests(), expected, "{seconds} s");
    }
}

#[test]
fn a_sleep_that_the_running_clock_did_not_see_is_as_becoming_visible() {
    for (millis, expected) in [(4_000, 0), (8 * 3_600_000, 1), (-3_600_000, 1)] {
        let mut t = Fixture::with_users(1);
        t.open(0);
        t.doc.wait(minutes(2));
        t.doc.requests();
        t.world.borrow_mut().jump(millis);
        t.doc.wait(secs(2));
        assert_eq!(t.picture_requests(), expected, "{millis} ms");
    }
}

#[test]
fn what_was_checked_right_before_a_sleep_is_old_after_it() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.wait(secs(5));
    t.doc.requests();
    t.world.borrow_mut().jump(3_600_000);
    t.doc.wait(secs(2));
    assert_eq!(t.picture_requests(), 1);
}

#[test]
fn that_there_is_no_picture_counts_for_the_layer_that_knew() {
    let mut t = Fixture::with_users(1);
    t.change(0, false);
    t.open(0);
    assert_eq!(t.outcomes(), [Outcome::Negative(Source::Network)]);
    t.reload();
    t.world.borrow_mut().local.rows.clear();
    t.open(0);
    assert_eq!(t.outcomes(), [Outcome::Negative(Source::IndexedDb)]);
}
