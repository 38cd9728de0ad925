//! Pages of friends, and profiles.

use std::collections::BTreeSet;

use miniature_api::UserId;
use proptest::prelude::*;

use super::*;
use crate::cache::core::{ListState, ListView, ProfileView, testing::Weather};

fn listed(t: &Fixture) -> Vec<UserId> {
    t.doc.list().friends.iter().map(|friend| friend.user_id.clone()).collect()
}

fn view(t: &mut Fixture, rows: std::ops::Range<usize>) {
    t.doc.tell(Event::FriendsViewed(ListView { rows, pictures: Some(Size::S64), ahead: 0 }));
    t.doc.run();
}

/// So many friends, four a page.
fn with_friends(count: usize) -> Fixture {
    let t = Fixture::with_users(count);
    {
        let server = &mut t.world.borrow_mut().server;
        server.page_size = 4;
        (0..count).for_each(|index| server.befriend(&user(index), &format!("n{index:02}")));
    }
    t
}

#[test]
fn the_next_page_is_loaded_ahead_and_not_asked_about_again() {
    let mut t = with_friends(18);
    let ahead = |rows| ListView { rows, pictures: Some(Size::S64), ahead: 4 };
    t.doc.tell(Event::FriendsViewed(ahead(0..4)));
    t.doc.run();
    assert_eq!(listed(&t).len(), 8);
    t.doc.requests();

    t.doc.wait(minutes(6));
    assert_eq!(t.doc.requests().len(), 1, "only what is looked at is asked about");
    t.doc.tell(Event::FriendsViewed(ahead(4..8)));
    t.doc.run();
    assert_eq!(listed(&t).len(), 12);

    t.reload();
    t.doc.tell(Event::FriendsViewed(ahead(0..4)));
    t.doc.run();
    assert_eq!((listed(&t).len(), t.doc.requests().len()), (8, 0), "from IndexedDB");
}

#[test]
fn a_high_window_gets_all_its_pages_by_itself() {
    let mut t = with_friends(18);
    view(&mut t, 0..100);
    assert_eq!(listed(&t).len(), 18);
    assert_eq!(t.doc.list().state, ListState::Ready);
    assert!(!t.doc.list().has_more);
}

#[test]
fn only_what_is_looked_at_is_asked_for() {
    let mut t = with_friends(18);
    view(&mut t, 0..6);
    assert_eq!(listed(&t).len(), 8);
    assert!(t.doc.list().has_more);
    view(&mut t, 5..11);
    assert_eq!(listed(&t).len(), 12);
}

#[test]
fn a_cold_page_comes_with_its_pictures_in_one_request() {
    let mut t = with_friends(4);
    view(&mut t, 0..4);
    for index in 0..4 {
        let (_, first_frame) = t.open(index);
        assert_eq!(first_frame, Some(Source::Network));
    }
    assert_eq!(t.doc.requests().len(), 1);
}

#[test]
fn the_first_page_is_there_at_the_next_start_and_not_asked_for_within_five_minutes() {
    let mut t = with_friends(6);
    view(&mut t, 0..8);
    t.reload();
    assert_eq!(listed(&t).len(), 4, "before the first poll");
    view(&mut t, 0..8);
    assert_eq!(listed(&t).len(), 6, "the second page is in IndexedDB");
    assert_eq!(t.doc.requests().len(), 0);
    t.doc.wait(minutes(6));
    assert_eq!(t.doc.requests().len(), 2, "one a page, each confirmed by its name");
    assert!(t.doc.list_announced != Some(false));
}

#[test]
fn an_unchanged_page_confirms_its_pictures() {
    let mut t = with_friends(4);
    view(&mut t, 0..4);
    for index in 0..4 {
        t.open(index);
    }
    t.doc.wait(minutes(44));
    t.doc.requests();
    t.reload();
    t.world.borrow_mut().advance(minutes(46));
    view(&mut t, 0..4);
    for index in 0..4 {
        t.doc.look(wanted(index, Size::S64));
    }
    t.doc.run();
    let requests = t.doc.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
}

#[test]
fn a_page_that_met_a_503_comes_by_itself() {
    let mut t = with_friends(8);
    view(&mut t, 0..4);
    t.world.borrow_mut().server.weather = Weather::Status(503);
    view(&mut t, 0..8);
    assert!(matches!(t.doc.list().state, ListState::Failed(_)));
    assert_eq!(listed(&t).len(), 4, "what is there stays");
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(secs(2));
    assert_eq!(listed(&t).len(), 8);
}

#[test]
fn a_friend_removed_between_two_pages_leaves_nobody_missing_and_nobody_twice() {
    let mut t = with_friends(12);
    view(&mut t, 0..8);
    let gone = user(1);
    t.world.borrow_mut().server.friends.retain(|_, friend| *friend != gone);
    t.doc.wait(minutes(6));
    view(&mut t, 0..20);
    assert_eq!(listed(&t), t.world.borrow().server.list());
}

#[test]
fn a_list_that_leads_in_circles_ends() {
    let mut t = with_friends(4);
    t.world.borrow_mut().server.page_size = 0;
    view(&mut t, 0..1000);
    assert!(t.doc.requests().len() < 5);
}

#[test]
fn a_profile_is_kept_and_shown_at_once_and_nobody_is_asked_for_what_nobody_looks_at() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    assert!(matches!(t.doc.core.profile(&user(0)), ProfileView::Known(_)));
    t.doc.tell(Event::ProfileLeft(user(0)));
    t.reload();
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    assert!(matches!(t.doc.core.profile(&user(0)), ProfileView::Known(_)));
    assert_eq!(t.doc.requests().len(), 0);
    t.doc.tell(Event::ProfileLeft(user(0)));
    t.doc.wait(minutes(10));
    assert_eq!(t.doc.requests().len(), 0);
    t.doc.tell(Event::ProfileViewed(user(7)));
    t.doc.run();
    assert_eq!(t.doc.core.profile(&user(7)), ProfileView::NotFound);
}

/// What happens to a list.
#[derive(Clone, Debug)]
enum Step {
    Befriend(usize, u8),
    Remove(usize),
    Change(usize),
    View(usize),
    Wait(u64),
    Break,
    Mend,
    Reload,
    Deliver(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..16_usize, 0..60_u8).prop_map(|(user, name)| Step::Befriend(user, name)),
        (0..16_usize).prop_map(Step::Remove),
        (0..16_usize).prop_map(Step::Change),
        (0..20_usize).prop_map(Step::View),
        (1..400_u64).prop_map(Step::Wait),
        Just(Step::Break),
        Just(Step::Mend),
        Just(Step::Reload),
        (0..4_usize).prop_map(Step::Deliver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn nobody_stands_twice_and_nobody_is_missing_once_it_has_settled(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut t = with_friends(10);
        let mut rows = 0..4;
        view(&mut t, rows.clone());
        for step in steps {
            match step {
                Step::Befriend(index, name) => {
                    let server = &mut t.world.borrow_mut().server;
                    if !server.truth.contains_key(&user(index)) {
                        server.change(&user(index), true);
                    }
                    server.befriend(&user(index), &format!("n{name:02}-{index}"));
                }
                Step::Remove(index) => {
                    let server = &mut t.world.borrow_mut().server;
                    server.friends.retain(|_, friend| *friend != user(index));
                }
                Step::Change(index) => t.change(index, true),
                Step::View(from) => {
                    rows = from..from + 6;
                    t.doc.tell(Event::FriendsViewed(ListView { rows: rows.clone(), pictures: None, ahead: 0 }));
                    t.doc.turn();
                }
                Step::Wait(seconds) => t.doc.wait(secs(seconds)),
                Step::Break => t.world.borrow_mut().server.weather = Weather::Unreachable,
                Step::Mend => t.world.borrow_mut().server.weather = Weather::Fine,
                Step::Reload => {
                    t.doc = Document::open(&t.world, t.policy.clone(), 2);
                    view(&mut t, rows.clone());
                }
                Step::Deliver(nth) => drop(t.doc.deliver(nth)),
            }
            let seen = listed(&t);
            let once: BTreeSet<&UserId> = seen.iter().collect();
            prop_assert_eq!(once.len(), seen.len(), "somebody stands twice");
        }
        t.world.borrow_mut().server.weather = Weather::Fine;
        t.doc.tell(Event::FriendsViewed(ListView { rows: 0..1000, pictures: None, ahead: 0 }));
        // Every page has been checked after the last edit once all have been due again.
        t.doc.wait(minutes(13));
        prop_assert_eq!(listed(&t), t.world.borrow().server.list());
    }
}
