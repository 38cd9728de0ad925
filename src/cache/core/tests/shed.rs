//! An origin that stores too much of what it may.

use super::*;
use crate::cache::core::testing::Fault;

impl Fixture {
    /// A document that has shown so many people, of whom the first is looked at; all is stored, and more is in
    /// each layer than what is on screen.
    fn with_much_stored(count: usize) -> Self {
        let mut t = Self::with_users(count);
        (1..count).for_each(|index| t.visit(index));
        t.open(0);
        t.doc.wait(secs(10));
        t.doc.events.clear();
        t
    }

    fn say(&mut self, used: u64, quota: u64) {
        self.doc.tell(Event::StorageUsed { used, quota });
        self.doc.wait(secs(5));
    }

    /// What each layer said that it gave up, in bytes.
    fn shed(&self) -> Vec<(Source, u64)> {
        let shed = self.doc.events.iter().filter_map(|event| match event {
            CacheEvent::Shed(layer, bytes) => Some((*layer, *bytes)),
            _ => None,
        });
        shed.collect()
    }

    fn durable_bytes(&self) -> u64 {
        self.world.borrow().durable.usage().unwrap().bytes
    }
}

#[test]
fn up_to_80_percent_nothing_goes() {
    let mut t = Fixture::with_much_stored(8);
    for (used, quota) in [(8_000, 10_000), (0, 0), (5, 0), (0, 10_000)] {
        t.say(used, quota);
        assert_eq!(t.shed(), [], "{used} of {quota}");
    }
}

#[test]
fn above_it_memory_previews_and_the_oldest_renditions_go_and_each_layer_says_so() {
    let mut t = Fixture::with_much_stored(8);
    let before = t.durable_bytes();
    t.say(before * 10, before * 11);
    let layers: Vec<Source> = t.shed().iter().map(|(layer, _)| *layer).collect();
    let all = [Source::Memory, Source::LocalStorage, Source::ServiceWorker, Source::IndexedDb];
    assert_eq!(layers, all, "{:?}", t.shed());
    let given = t.shed()[3].1;
    assert_eq!(t.durable_bytes(), before - given);
    let world = t.world.borrow();
    assert_eq!(world.local.rows.keys().collect::<Vec<_>>(), [&user(0)], "who is looked at stays");
    let image = image_of(&user(0), world.server.history(), 1);
    let held: Vec<_> = world.durable.renditions.keys().map(|key| key.image).collect();
    assert_eq!(held, [image], "their picture, too, whenever it was used last");
    drop(world);
    let (viewer, from) = t.open(0);
    assert_eq!(from, Some(Source::Memory));
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn no_more_goes_than_has_to() {
    let mut t = Fixture::with_much_stored(8);
    let (before, quota) = (t.durable_bytes(), 1_000_000);
    let excess = before / 4;
    t.world.borrow_mut().pictures_fault = Fault::Denied;
    let shed_to = quota / 100 * 60;
    t.policy.shed.above_percent = 60;
    t.reload();
    t.say(shed_to + excess, quota);
    let left = t.durable_bytes();
    let one =
        t.world.borrow().durable.renditions.keys().map(|key| u64::from(key.size.px()) * 20).max();
    assert!(left <= before - excess && left + one.unwrap() > before - excess, "{left} of {before}");
}

#[test]
fn a_layer_that_does_not_say_how_much_it_holds_is_passed_by() {
    let mut t = Fixture::with_much_stored(4);
    t.reload();
    t.doc.events.clear();
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.say(95, 100);
    t.doc.wait(minutes(2));
    assert!(t.shed().iter().all(|(layer, _)| *layer != Source::IndexedDb), "{:?}", t.shed());
    t.world.borrow_mut().durable.fault = Fault::None;
    t.say(0, 100);
    t.say(u64::MAX / 2, u64::MAX / 2);
    assert!(t.shed().iter().any(|(layer, _)| *layer == Source::IndexedDb), "{:?}", t.shed());
}

#[test]
fn what_is_not_written_yet_stays_in_memory() {
    let mut t = Fixture::with_users(2);
    t.doc.tell(Event::WritesWait(true));
    let (viewer, _) = t.open(1);
    t.doc.leave(viewer);
    t.say(95, 100);
    assert_eq!(t.shed(), [], "the later half is not there");
    t.doc.tell(Event::WritesWait(false));
    t.doc.wait(secs(10));
    assert!(t.durable_record(1).is_some(), "it was written before it went");
}

#[test]
fn it_goes_once_until_there_was_room_again() {
    let mut t = Fixture::with_much_stored(8);
    t.say(95, 100);
    assert!(!t.shed().is_empty());
    (1..8).for_each(|index| t.visit(index));
    t.doc.events.clear();
    t.say(96, 100);
    assert_eq!(t.shed(), [], "what others store is not ours to give");
    t.say(70, 100);
    t.say(95, 100);
    assert!(!t.shed().is_empty());
}

#[test]
fn what_another_document_has_written_since_is_measured() {
    let mut t = Fixture::with_much_stored(3);
    let known = t.durable_bytes();
    let mut other = Document::open(&t.world, t.policy.clone(), 7);
    for index in 1..3 {
        other.look(wanted(index, Size::S512));
    }
    other.wait(secs(10));
    let before = t.durable_bytes();
    assert!(before > known * 2);
    t.world.borrow_mut().pictures_fault = Fault::Denied;
    t.say(81_000, 100_000);
    let left = t.durable_bytes();
    assert!(left + 21_000 + 512 * 20 >= before, "{left} of {before} are left, 21 kB were too much");
}

#[test]
fn much_goes_in_steps_that_each_fit_into_a_transaction() {
    let mut t = Fixture::with_users(60);
    for index in 1..60 {
        let (viewer, _) = t.doc.look(wanted(index, Size::S512));
        t.doc.wait(secs(5));
        t.doc.leave(viewer);
        t.doc.run();
    }
    t.open(0);
    t.doc.wait(secs(10));
    let before = t.durable_bytes();
    assert!(before > 500_000, "{before}");
    t.doc.events.clear();
    t.say(before * 10, before * 11);
    let of_durable: Vec<u64> = t
        .shed()
        .into_iter()
        .filter(|(layer, _)| *layer == Source::IndexedDb)
        .map(|(_, bytes)| bytes)
        .collect();
    assert!(of_durable.len() > 10, "{of_durable:?}");
    // A picture at most more than a step.
    assert!(of_durable.iter().all(|bytes| *bytes < 32 * 1024 + 512 * 20), "{of_durable:?}");
    assert_eq!(t.durable_bytes(), before - of_durable.iter().sum::<u64>());
}

#[test]
fn what_is_looked_at_for_long_stays_before_what_was_used_since() {
    let mut t = Fixture::with_users(70);
    t.look_at(0..40);
    t.doc.wait(minutes(10));
    (40..70).for_each(|index| t.visit(index));
    t.doc.events.clear();
    t.say(u64::MAX / 2, u64::MAX / 2);
    t.doc.wait(secs(30));
    let world = t.world.borrow();
    let held: Vec<_> = world.durable.renditions.keys().map(|key| key.image).collect();
    let stays = |index| held.contains(&image_of(&user(index), world.server.history(), 1));
    assert!((0..40).all(stays), "{} are held", held.len());
    assert_eq!(held.len(), 40);
}
