//! What answers say beside what was asked for.

use super::*;
use crate::cache::{
    core::{
        ListView,
        testing::{Fault, Weather},
    },
    event::{Answer, Step},
};

fn step(layer: Source, answer: Answer, took_ms: f64) -> Step {
    Step { layer, answer, took_ms }
}

#[test]
fn a_load_tells_the_way_it_took_and_how_long_each_layer_needed() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    t.open(0);
    t.doc.wait(Duration::from_millis(250));
    t.doc.slow = false;
    t.doc.run();
    let [load] = &t.loads()[..] else { panic!("one load") };
    assert_eq!(
        load.path,
        [
            step(Source::Memory, Answer::Absent, 0.0),
            step(Source::LocalStorage, Answer::Absent, 0.0),
            step(Source::IndexedDb, Answer::Absent, 0.0),
            step(Source::Network, Answer::Hit, 250.0),
        ]
    );
    assert_eq!((load.took_ms, load.outcome), (250.0, Outcome::Shown(Source::Network)));
}

#[test]
fn a_layer_that_took_too_long_is_told_of_once() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.slow = true;
    t.open(0);
    t.doc.wait(secs(2));
    t.world.borrow_mut().durable.fault = Fault::None;
    t.doc.slow = false;
    t.doc.run();
    let [load] = &t.loads()[..] else { panic!("one load") };
    let durable = load.path.iter().filter(|step| step.layer == Source::IndexedDb);
    let durable: Vec<Step> = durable.copied().collect();
    assert_eq!(durable, [step(Source::IndexedDb, Answer::TimedOut, 1000.0)]);
}

/// What each layer said to who looks now at the first user's picture, at a size.
fn said(t: &mut Fixture, size: Size) -> Vec<(Source, Answer)> {
    t.doc.events.clear();
    t.doc.look(wanted(0, size));
    t.doc.run();
    let loads = t.loads();
    loads.iter().flat_map(|load| &load.path).map(|step| (step.layer, step.answer)).collect()
}

#[test]
fn a_layer_says_why_it_missed() {
    use Answer::{Absent, Denied, Hit, OtherRevision, Stale, TooSmall};
    use Source::{IndexedDb, LocalStorage, Memory, Network, ServiceWorker};

    let mut t = Fixture::with_users(1);
    t.visit(0);
    assert_eq!(said(&mut t, Size::S64), [(Memory, Hit)]);
    assert_eq!(said(&mut t, Size::S256)[0], (Memory, TooSmall));

    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.reload();
    let path = said(&mut t, Size::S256);
    assert_eq!(path[..3], [(Memory, Absent), (LocalStorage, TooSmall), (IndexedDb, TooSmall)]);
    assert_eq!(path[3..], [(ServiceWorker, Absent), (Network, Hit)]);

    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.doc.wait(minutes(50));
    assert_eq!(said(&mut t, Size::S64)[0], (Memory, Stale));

    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.change(0, true);
    t.hear();
    assert_eq!(said(&mut t, Size::S64)[0], (Memory, OtherRevision));

    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::Prefetch(vec![user(0)], Size::S64));
    t.doc.run();
    assert_eq!(said(&mut t, Size::S64), [(Memory, Hit), (LocalStorage, Absent)]);

    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().local.fault = Fault::Denied;
    assert_eq!(said(&mut t, Size::S64)[1], (LocalStorage, Denied));
}

#[test]
fn how_much_layers_hold_is_said_when_asked() {
    let mut t = Fixture::with_users(3);
    (0..3).for_each(|index| t.visit(index));
    t.reload();
    assert_eq!(t.doc.core.usage(Source::IndexedDb), None, "nobody asked");
    t.doc.tell(Event::MeasureUsage);
    t.doc.run();
    let held = t.world.borrow().durable.usage().unwrap();
    assert_eq!(t.doc.core.usage(Source::IndexedDb), Some(held));
    let local = t.doc.core.usage(Source::LocalStorage).unwrap();
    assert_eq!(local.entries, 3);
    assert!(local.bytes > 3 * 1000, "{local:?}");
    assert_eq!(t.doc.core.usage(Source::Memory).unwrap().entries, 0);
    assert_eq!(t.doc.core.usage(Source::ServiceWorker).unwrap().entries, 3);
}

#[test]
fn how_much_a_denied_layer_holds_is_not_known() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().durable.fault = Fault::Denied;
    t.world.borrow_mut().local.fault = Fault::Denied;
    t.open(0);
    t.doc.tell(Event::MeasureUsage);
    t.doc.wait(secs(5));
    let usage = |source| t.doc.core.usage(source);
    assert_eq!((usage(Source::LocalStorage), usage(Source::IndexedDb)), (None, None));
}

#[test]
fn what_a_profile_confirmed_is_confirmed_again_in_time() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    t.doc.tell(Event::ProfileLeft(user(0)));
    t.doc.run();
    t.doc.requests();
    t.doc.wait(minutes(31));
    assert_eq!(t.picture_requests(), 1);
}

#[test]
fn the_list_is_announced_by_its_first_page_alone() {
    let mut t = Fixture::with_users(2);
    t.world.borrow_mut().server.befriend(&user(1), "b");
    t.doc.slow = true;
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    assert_eq!(t.doc.list_announced, None, "a profile is no list");
    t.doc.tell(Event::FriendsViewed(ListView { rows: 0..20, pictures: None, ahead: 0 }));
    t.doc.run();
    assert_eq!(t.doc.list_announced, Some(false), "no layer holds it");
    t.doc.slow = false;
    t.doc.wait(secs(5));
    assert_eq!(t.doc.list_announced, Some(true), "it was stored");
    t.doc = Document::open(&t.world, t.policy.clone(), 3);
    t.doc.tell(Event::FriendsViewed(ListView { rows: 0..20, pictures: None, ahead: 0 }));
    t.doc.wait(minutes(6));
    assert_ne!(t.doc.list_announced, Some(false), "it is there");
}

#[test]
fn what_is_on_screen_is_confirmed_every_half_hour() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.requests();
    t.doc.wait(minutes(3 * 60 + 1));
    assert_eq!(t.picture_requests(), 6);
}

#[test]
fn an_answer_without_a_lineage_is_none_however_much_is_known() {
    let mut t = Fixture::with_users(2);
    t.open(0);
    t.world.borrow_mut().server.weather = Weather::NoLineage;
    let (viewer, _) = t.open(1);
    assert!(t.view(viewer).shown.is_none());
}

#[test]
fn bytes_are_counted_as_they_arrive_and_none_where_none_came() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    let received = |t: &Fixture| {
        let bytes = t.doc.events.iter().filter_map(|event| match event {
            CacheEvent::Received(bytes) => Some(*bytes),
            _ => None,
        });
        bytes.sum::<u64>()
    };
    let once = received(&t);
    assert!(once > 1000, "{once}");
    t.doc.wait(minutes(31));
    assert_eq!(received(&t), once, "a confirmation brings none");
}
