//! Answers that come in parts.

use super::*;
use crate::cache::{
    core::{
        Answer, Fetched, ListView,
        testing::{Under, Weather},
    },
    layer::OriginError,
};

/// The place of the only request under way.
fn request(t: &Fixture) -> usize {
    t.doc
        .under_way
        .iter()
        .position(|(_, under)| matches!(under, Under::Fetch(..) | Under::Answered(_)))
        .unwrap()
}

/// The answer with so many of its pictures, the last by a part of its own, and what follows from that.
fn arrive(t: &mut Fixture, pictures: usize) {
    t.doc.arrive(request(t), pictures - 1);
    t.doc.turn();
}

/// Looks at so many pictures while the answer is on its way.
fn look(t: &mut Fixture, users: std::ops::Range<usize>) -> Vec<ViewerId> {
    let viewers = users.map(|index| t.doc.look(wanted(index, Size::S64)).0).collect();
    t.doc.turn();
    viewers
}

fn settled(t: &Fixture, viewers: &[ViewerId]) -> usize {
    viewers.iter().filter(|viewer| t.view(**viewer).status == Status::Settled).count()
}

/// Ada looks at a list of so many friends for the first time, and it has not been answered.
fn asking_for_list(friends: usize) -> Fixture {
    let mut t = Fixture::with_users(friends);
    let befriend = |index| t.world.borrow_mut().server.befriend(&user(index), &format!("n{index}"));
    (0..friends).for_each(befriend);
    t.doc.slow = true;
    t.doc.tell(Event::FriendsViewed(ListView {
        rows: 0..friends,
        pictures: Some(Size::S64),
        ahead: 0,
    }));
    t.doc.run();
    t
}

#[test]
fn a_picture_is_there_before_those_behind_it() {
    let mut t = Fixture::with_users(3);
    t.doc.slow = true;
    let viewers = look(&mut t, 0..3);
    t.doc.run();
    for here in 1..=3 {
        arrive(&mut t, here);
        assert_eq!(settled(&t, &viewers), here);
    }
    t.doc.slow = false;
    t.doc.run();
    assert_eq!(settled(&t, &viewers), 3);
    assert_eq!(t.doc.requests().len(), 1);
    assert_eq!(t.loads().len(), 3, "each is counted once");
}

#[test]
fn a_list_is_there_before_its_pictures() {
    let mut t = asking_for_list(4);
    arrive(&mut t, 1);
    assert_eq!(t.doc.list().friends.len(), 4);
    let viewers = look(&mut t, 0..4);
    assert_eq!(settled(&t, &viewers), 1);
    arrive(&mut t, 3);
    assert_eq!(settled(&t, &viewers), 3);
    t.doc.slow = false;
    t.doc.run();
    assert_eq!(settled(&t, &viewers), 4);
    assert_eq!(t.doc.requests().len(), 1, "no row asks for a picture that is on its way");
    assert_eq!(t.loads().len(), 4);
}

#[test]
fn a_list_that_breaks_off_keeps_what_has_come() {
    let mut t = asking_for_list(4);
    arrive(&mut t, 2);
    let viewers = look(&mut t, 0..4);
    let nth = request(&t);
    let (id, _) = t.doc.under_way.remove(nth);
    let outcome = Err(OriginError::Unreachable.into());
    let cut = Fetched { lineage: None, account: None, asked: None, event: None, outcome };
    t.doc.tell(Event::Answer(id, Answer::Fetched(cut)));
    t.doc.run();
    assert_eq!((t.doc.list().friends.len(), settled(&t, &viewers)), (4, 2));
    t.doc.slow = false;
    t.doc.wait(secs(3));
    assert_eq!(settled(&t, &viewers), 4);
    let requests = t.doc.requests();
    let Some(Request::Pictures { users, .. }) = requests.last() else { panic!("{requests:?}") };
    assert_eq!((requests.len(), users.len()), (2, 2), "the others alone are asked for");
}

#[test]
fn a_broken_picture_is_asked_for_again_while_the_rest_arrives() {
    let mut t = Fixture::with_users(2);
    t.doc.slow = true;
    t.world.borrow_mut().server.weather = Weather::ErrorPages;
    let viewers = look(&mut t, 0..2);
    t.doc.run();
    arrive(&mut t, 1);
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.slow = false;
    t.doc.wait(secs(5));
    assert_eq!(settled(&t, &viewers), 2);
}

#[test]
fn a_part_for_another_account_is_not_taken_in() {
    let mut t = asking_for_list(2);
    let nth = request(&t);
    t.doc.delay(nth);
    let (id, Under::Answered(answer)) = t.doc.under_way[nth].clone() else { panic!() };
    let Answer::Fetched(page) = *answer else { panic!() };
    let account = Some("grace".parse().unwrap());
    t.doc.tell(Event::Arriving(id, Fetched { account, ..page.clone() }));
    assert_eq!(t.doc.list().friends.len(), 0);
    t.doc.tell(Event::Arriving(id, page));
    assert_eq!(t.doc.list().friends.len(), 2);
}

#[test]
fn what_nobody_waits_for_any_more_is_not_taken_in() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    let nth = request(&t);
    t.doc.delay(nth);
    let (id, Under::Answered(answer)) = t.doc.under_way[nth].clone() else { panic!() };
    let Answer::Fetched(pictures) = *answer else { panic!() };
    t.doc.leave(viewer);
    t.doc.run();
    t.doc.tell(Event::Arriving(id, pictures));
    t.doc.run();
    assert!(t.doc.core.people.get(&user(0)).is_none_or(|person| person.held.is_empty()));
}
