//! What would have happened, and what happens.

use std::time::Duration;

use proptest::prelude::*;

use super::super::testing::{Blob, Document, Outside, account, user, wanted};
use crate::cache::{
    core::{Event, ViewerId},
    entry::Bytes as _,
    policy::Policy,
    replay::{Hollow, Inventory, Recording, hollow_found},
    stats::Stats,
    what_if::{Advice, Forecast, Trial, forecast},
};
use miniature_api::Size;

/// More users than small layers hold.
const USERS: usize = 60;

#[derive(Clone, Debug)]
enum Gesture {
    Open(usize, Size),
    Leave,
    Prefetch(usize),
    Wait(u64),
    /// Somebody has a new picture.
    Change(usize),
    Reload,
}

/// Few are looked at often.
fn someone() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..8_usize, 2 => 0..USERS]
}

fn gesture() -> impl Strategy<Value = Gesture> {
    let size = prop_oneof![4 => Just(Size::S64), 1 => Just(Size::S256)];
    prop_oneof![
        12 => (someone(), size).prop_map(|(user, size)| Gesture::Open(user, size)),
        8 => Just(Gesture::Leave),
        1 => someone().prop_map(Gesture::Prefetch),
        3 => (0..8_000_u64).prop_map(Gesture::Wait),
        1 => (600_000..4_000_000_u64).prop_map(Gesture::Wait),
        1 => someone().prop_map(Gesture::Change),
        2 => Just(Gesture::Reload),
    ]
}

/// What was counted, and what was recorded of it.
struct Walked {
    counted: Forecast,
    session: Vec<Recording>,
}

/// With layers that were filled under another policy, and not recorded then.
fn walk(gestures: &[Gesture], policy: &Policy, before: &Policy) -> Walked {
    let world = Outside::with_users(USERS);
    let mut document = Document::open(&world, before.clone(), 1);
    for index in 0..20 {
        document.look(wanted(index, Size::S64));
    }
    document.wait(Duration::from_secs(5));
    drop(document);
    let mut stats = Stats::new(world.borrow().now().wall);
    let (mut session, mut took_ms) = (Vec::new(), Vec::new());
    let mut end = |mut document: Document| {
        // All that was looked at is shown.
        document.wait(Duration::from_secs(1));
        document.tell(Event::Visible(false));
        document.run();
        for event in std::mem::take(&mut document.events) {
            if let crate::cache::event::CacheEvent::Loaded(load) = &event {
                took_ms.push(load.took_ms);
            }
            stats.count(event);
        }
        session.extend(document.tape.take().map(|tape| tape.recording().clone()));
    };
    let mut seed = 4;
    let held = inventory(&world.borrow());
    let mut document = Document::open(&world, policy.clone(), seed);
    document.tape.as_mut().unwrap().note_held(held);
    let mut viewers: Vec<ViewerId> = Vec::new();
    for gesture in gestures {
        match gesture {
            Gesture::Open(index, size) => viewers.push(document.look(wanted(*index, *size)).0),
            Gesture::Leave if viewers.is_empty() => {}
            Gesture::Leave => {
                document.wait(Duration::from_millis(500));
                document.leave(viewers.remove(0));
            }
            Gesture::Prefetch(index) => {
                document.tell(Event::Prefetch(vec![user(*index)], Size::S64));
            }
            Gesture::Wait(ms) => document.wait(Duration::from_millis(*ms)),
            Gesture::Change(index) => world.borrow_mut().server.change(&user(*index), true),
            Gesture::Reload => {
                viewers.clear();
                seed += 4;
                end(document);
                world.borrow_mut().advance(Duration::from_secs(2));
                document = Document::open(&world, policy.clone(), seed);
            }
        }
        document.run();
    }
    end(document);
    let bytes = 0;
    let counted = Forecast::of(&stats.metrics(|_| None, None), &took_ms, bytes);
    Walked { counted, session }
}

fn inventory(world: &Outside) -> Inventory {
    let hollow = |content: &Blob| Hollow(content.byte_len());
    let rows = world.local.rows.keys();
    let durable = &world.durable;
    let pictures = world.pictures.get(&account()).into_iter().flat_map(|pictures| &pictures.held);
    Inventory {
        local: rows
            .map(|user| (user.clone(), hollow_found(&world.local.found(user).unwrap())))
            .collect(),
        records: durable.records.values().cloned().collect(),
        renditions: durable
            .renditions
            .iter()
            .map(|(key, (content, used_at))| (*key, hollow(content), *used_at))
            .collect(),
        pictures: pictures.map(|(key, content)| (*key, hollow(content))).collect(),
    }
}

fn small() -> Policy {
    let mut policy = Policy::default();
    for (name, number) in [
        ("memory_users", 6),
        ("memory_trim_to", 4),
        ("local_storage_users", 10),
        ("local_storage_trim_to", 10),
        ("indexed_db_entries", 30),
        ("indexed_db_trim_to", 30),
        ("picture_cache_pictures", 8),
        ("picture_cache_trim_to", 8),
    ] {
        policy.set(name, number).unwrap();
    }
    policy
}

/// Requests, hits, hits of memory, requests to the API, kilobytes received.
fn counts(forecast: &Forecast) -> [u64; 5] {
    let Forecast { requests, hits, from_memory, api_requests, bytes_from_network, .. } = *forecast;
    [requests, hits, from_memory, api_requests, bytes_from_network / 1000]
}

/// Within so many of a hundred; where little is counted, within as many as one turn has.
fn is_near(one: &Forecast, other: &Forecast, percent: u64) -> bool {
    let pairs = counts(one).into_iter().zip(counts(other));
    one.requests == other.requests
        && pairs
            .into_iter()
            .all(|(one, other)| one.abs_diff(other) <= FEW + one.max(other) * percent / 100)
}

const FEW: u64 = 2;

fn gestures(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Gesture>> {
    prop::collection::vec(gesture(), length)
}

proptest! {
    #[test]
    fn under_the_policy_that_was_in_force_comes_what_came(gestures in gestures(0..300)) {
        for policy in [Policy::default(), small()] {
            let Walked { counted, session } = walk(&gestures, &policy, &policy);
            let forecast = forecast::<Hollow>(&session, policy);
            prop_assert!(is_near(&forecast, &counted, 1), "{forecast:?}\n{counted:?}");
        }
    }

    /// But for pictures that changed while nobody asked: no recording knows when. And in this world all answers
    /// come at once, which no forecast expects of what was never asked: there is time after each gesture, and it
    /// is not compared how many requests confirm what is on screen for hours.
    #[test]
    fn under_another_policy_comes_what_comes_when_it_is_in_force(gestures in gestures(0..300)) {
        let is_long = |gesture: &Gesture| matches!(gesture, Gesture::Wait(600_000..));
        let is_unknown = |gesture: &Gesture| matches!(gesture, Gesture::Change(_));
        let gestures = gestures.into_iter().filter(|g| !is_unknown(g) && !is_long(g));
        let gestures: Vec<Gesture> = gestures.flat_map(|g| [g, Gesture::Wait(20)]).collect();
        for (then, now) in [(Policy::default(), small()), (small(), Policy::default())] {
            let session = walk(&gestures, &now, &now).session;
            let counted = walk(&gestures, &then, &now).counted;
            let forecast = forecast::<Hollow>(&session, then);
            prop_assert!(is_near(&forecast, &counted, 3), "{forecast:?}\n{counted:?}");
        }
    }
}

/// Somebody scrolls through all of a list, and back to its top.
fn long_list() -> Vec<Gesture> {
    let down = (0..USERS).flat_map(|user| [Gesture::Open(user, Size::S64), Gesture::Leave]);
    let up = (0..USERS).rev().flat_map(|user| [Gesture::Open(user, Size::S64), Gesture::Leave]);
    down.chain(up).collect()
}

/// Somebody comes back to the same few again and again.
fn many_reloads() -> Vec<Gesture> {
    let visit = (0..25).map(|user| Gesture::Open(user, Size::S64));
    let visit = visit.chain([Gesture::Wait(5_000), Gesture::Reload]);
    (0..12).flat_map(|_| visit.clone()).collect()
}

/// Somebody looks at some large pictures twice, an hour apart.
fn short() -> Vec<Gesture> {
    let look = |user| [Gesture::Open(user, Size::S256), Gesture::Wait(2_000), Gesture::Leave];
    let visit: Vec<Gesture> = (0..20).flat_map(look).collect();
    let pause = [Gesture::Wait(3_600_000), Gesture::Reload];
    visit.clone().into_iter().chain(pause).chain(visit).collect()
}

#[test]
fn what_is_advised_gains_what_is_stated() {
    for (name, gestures) in
        [("short", short()), ("long list", long_list()), ("many reloads", many_reloads())]
    {
        let Walked { counted: before, session } = walk(&gestures, &small(), &small());
        let mut trial = Trial::<Hollow>::new(session);
        while trial.step() {}
        let advised = trial.advised();
        assert!(is_near(&advised.now, &before, 1), "{name}: {:?}\n{before:?}", advised.now);
        assert!(!advised.advice.is_empty(), "{name}: nothing is advised\n{before:?}");
        for Advice { changes, then } in advised.advice {
            let mut policy = small();
            changes.iter().for_each(|change| policy.set(&change.name, change.to).unwrap());
            let after = walk(&gestures, &policy, &small()).counted;
            let points = |forecast: &Forecast| forecast.hit_rate() * 100.0;
            let stated = points(&then) - points(&before);
            let gained = points(&after) - points(&before);
            let allowed = (stated.abs() * 0.1).max(0.5);
            assert!(
                (stated - gained).abs() <= allowed,
                "{name}: {changes:?}: {stated} stated, {gained} gained"
            );
        }
    }
}
