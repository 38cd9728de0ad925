//! What ends soon is renewed before it does.

use super::*;
use crate::cache::{
    core::{Op, testing::Weather},
    layer::OriginError,
};

/// In hours.
const DAY: u64 = 24;
/// Half a day is left of the seven that IndexedDB is believed.
const HOURS: u64 = 6 * DAY + 12;

impl Fixture {
    /// So many users, all of them visited, and then a document some days later.
    fn hours_after_visiting(count: usize, hours: u64) -> Self {
        let mut t = Self::with_users(count);
        t.look_at(0..count);
        t.doc.wait(secs(60));
        // Not by the running clock: nobody looks meanwhile.
        t.doc = Document::open(&t.world, t.policy.clone(), 2);
        t.world.borrow_mut().advance(minutes(60 * hours));
        t.doc.run();
        t.doc.requests();
        t.doc.ops.clear();
        t
    }

    fn weather(&mut self, weather: Weather) {
        self.world.borrow_mut().server.weather = weather;
    }

    fn sync(&mut self) {
        self.doc.sync(false);
        self.doc.wait(minutes(2));
    }

    /// How many users each request for pictures was about.
    fn batches(&mut self) -> Vec<usize> {
        let requests = self.doc.requests();
        let of = requests.into_iter().filter_map(|request| match request {
            Request::Pictures { users, .. } => Some(users.len()),
            _ => None,
        });
        of.collect()
    }

    fn in_memory(&self) -> usize {
        self.doc.core.usage(Source::Memory).unwrap().entries
    }

    /// Whether the row was checked in the last hour.
    fn is_new(&self, index: usize) -> bool {
        let age = self.doc.now().wall.age_of(self.durable_record(index).unwrap().checked_at);
        age.is_some_and(|age| age < minutes(60))
    }
}

#[test]
fn what_ends_within_a_day_is_asked_about_and_nothing_else() {
    let cases = [
        ("two days to go", 5 * 24, 0),
        ("a day and an hour", 6 * 24 - 1, 0),
        ("less than a day", 6 * 24 + 1, 1),
        ("just over", 7 * 24 + 1, 1),
        ("long over", 40 * 24, 1),
        ("the clock was set back", -48, 1),
    ];
    for (name, hours, expected) in cases {
        let hours: i64 = hours;
        let mut t = Fixture::hours_after_visiting(1, hours.max(0).unsigned_abs());
        t.world.borrow_mut().jump(hours.min(0) * 3_600_000);
        t.doc.run();
        t.sync();
        assert_eq!(t.batches().len(), expected, "{name}");
        assert_eq!(t.doc.renewed, [(expected, true)], "{name}");
        t.sync();
        assert_eq!(t.batches().len(), 0, "{name}: that is done");
    }
}

#[test]
fn fifty_at_a_time_without_bytes_and_nobody_stays_in_memory() {
    let mut t = Fixture::hours_after_visiting(120, HOURS);
    let sent = t.world.borrow().server.renditions_sent;
    t.sync();
    assert_eq!(t.batches(), [50, 50, 20]);
    assert_eq!(t.world.borrow().server.renditions_sent, sent, "no bytes");
    assert_eq!((t.in_memory(), t.doc.renewed.as_slice()), (0, [(120, true)].as_slice()));
    assert!((0..120).all(|index| t.is_new(index)));
}

#[test]
fn what_is_in_memory_stays_there() {
    let mut t = Fixture::hours_after_visiting(250, HOURS);
    t.policy.batch_users = 250;
    t.doc = Document::open(&t.world, t.policy.clone(), 3);
    for index in 0..90 {
        let (viewer, _) = t.open(index);
        t.doc.leave(viewer);
    }
    t.doc.wait(secs(20));
    t.doc.requests();
    t.sync();
    assert_eq!(t.batches(), [160], "what was asked about already is not");
    let held = |index| t.doc.core.people.get(&user(index)).is_some();
    assert!((0..90).all(held) && t.in_memory() == 90, "{} in memory", t.in_memory());
}

#[test]
fn a_new_picture_is_stored_and_a_removed_one_goes() {
    let mut t = Fixture::hours_after_visiting(3, HOURS);
    t.world.borrow_mut().local.rows.clear();
    t.change(0, true);
    t.change(1, false);
    t.world.borrow_mut().server.delete(&user(2));
    t.sync();
    assert_eq!(t.batches(), [3]);
    assert_eq!([0, 1].map(|index| t.revisions(index)), [[None, Some(2)]; 2], "no row is made");
    assert_eq!(t.durable_record(2), None);
    let world = t.world.borrow();
    let history = world.server.history();
    let images: Vec<_> = world.durable.renditions.keys().map(|key| key.image).collect();
    assert_eq!(images, [image_of(&user(0), history, 2)]);
    assert_eq!((t.in_memory(), t.doc.renewed.as_slice()), (0, [(3, true)].as_slice()));
}

#[test]
fn the_row_of_local_storage_is_renewed_too() {
    let mut t = Fixture::hours_after_visiting(1, HOURS);
    t.sync();
    let both = [t.local_record(0), t.durable_record(0)].map(|row| row.unwrap().checked_at);
    assert!(both[0] == both[1] && t.is_new(0));
}

#[test]
fn who_is_looked_at_comes_first() {
    let mut t = Fixture::hours_after_visiting(60, HOURS);
    t.doc.slow = true;
    t.world.borrow_mut().local.rows.clear();
    t.world.borrow_mut().durable.records.remove(&user(0));
    t.open(0);
    t.doc.sync(false);
    t.doc.run();
    assert_eq!(t.batches(), [1], "it waits behind the one under way");
    t.doc.slow = false;
    t.doc.wait(minutes(1));
    assert_eq!(t.batches(), [50, 9]);
}

#[test]
fn it_ends_where_it_cannot_go_on_and_is_not_tried_again() {
    type Act = fn(&mut Fixture);
    let cases: [(&str, Act, usize, (usize, bool)); 6] = [
        ("no network", |t| t.doc.tell(Event::Online(false)), 0, (0, false)),
        ("unreachable", |t| t.weather(Weather::Unreachable), 1, (0, false)),
        ("silent", |t| t.weather(Weather::Silent), 1, (0, false)),
        ("busy", |t| t.weather(Weather::Status(503)), 1, (0, false)),
        ("refused", |t| t.weather(Weather::Status(422)), 1, (0, false)),
        ("hidden", |t| t.doc.tell(Event::Visible(false)), 0, (0, false)),
    ];
    for (name, act, requests, outcome) in cases {
        let mut t = Fixture::hours_after_visiting(60, HOURS);
        act(&mut t);
        t.sync();
        t.doc.wait(minutes(20));
        assert_eq!(t.batches().len(), requests, "{name}");
        assert_eq!((t.doc.renewed.as_slice(), t.in_memory()), ([outcome].as_slice(), 0), "{name}");
    }
}

#[test]
fn a_hidden_page_does_it_if_it_was_woken() {
    let mut t = Fixture::hours_after_visiting(60, HOURS);
    t.doc.tell(Event::Visible(false));
    t.doc.sync(true);
    t.doc.wait(minutes(1));
    assert_eq!((t.batches(), t.doc.renewed.as_slice()), (vec![50, 10], [(60, true)].as_slice()));
}

#[test]
fn it_ends_with_its_account_and_with_what_is_cleared() {
    let cases = [Event::Session(None), Event::Clear];
    for event in cases {
        let mut t = Fixture::hours_after_visiting(60, HOURS);
        t.doc.slow = true;
        t.doc.sync(false);
        t.doc.run();
        t.doc.ops.clear();
        t.doc.tell(event.clone());
        t.doc.run();
        t.doc.slow = false;
        t.doc.wait(minutes(2));
        assert_eq!(t.doc.renewed, [(0, false)], "{event:?}");
        let records = t.doc.ops.iter().filter(|(_, op)| matches!(op, Op::Record { .. })).count();
        assert_eq!((records, t.in_memory()), (0, 0), "{event:?}");
        assert_eq!(t.batches().len(), 1, "{event:?}");
    }
}

#[test]
fn who_is_opened_meanwhile_stays() {
    let mut t = Fixture::hours_after_visiting(2, HOURS);
    t.doc.slow = true;
    t.doc.sync(false);
    t.doc.run();
    t.doc.slow = false;
    while t.doc.core.people.get(&user(0)).is_none() {
        t.doc.turn();
        t.doc.deliver(0);
    }
    let (viewer, _) = t.open(0);
    t.doc.wait(minutes(1));
    assert_eq!((t.in_memory(), t.doc.renewed.as_slice()), (1, [(2, true)].as_slice()));
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn a_day_passes_between_two_looks_whatever_the_clock_says() {
    use crate::cache::clock::Timestamp;
    let policy = Policy::default();
    let day = DAY * 3_600_000;
    let cases = [
        ("never", None, true),
        ("just now", Some(10 * day), false),
        ("a minute less than a day ago", Some(9 * day + 60_000), false),
        ("a day ago", Some(9 * day), true),
        ("the clock was set back", Some(11 * day), true),
    ];
    for (name, last, expected) in cases {
        let due = policy.is_sync_due(last.map(Timestamp), Timestamp(10 * day));
        assert_eq!(due, expected, "{name}");
    }
}

#[test]
fn a_failed_sync_is_not_the_fault_of_who_is_looked_at() {
    let mut t = Fixture::hours_after_visiting(60, HOURS);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(5));
    t.weather(Weather::Status(422));
    t.sync();
    assert_ne!(t.view(viewer).status, Status::Failed(OriginError::Malformed));
    assert!(t.view(viewer).shown.is_some());
}

#[test]
fn who_was_confirmed_since_the_look_is_not_asked_about() {
    let mut t = Fixture::hours_after_visiting(3, HOURS);
    t.doc.sync(false);
    t.hear();
    t.doc.wait(minutes(1));
    assert_eq!((t.batches(), t.doc.renewed.as_slice()), (vec![], [(0, true)].as_slice()));
}

#[test]
fn who_looks_away_meanwhile_ends_no_request() {
    let mut t = Fixture::hours_after_visiting(2, HOURS);
    // IndexedDB is believed, so that looking asks for nothing.
    t.world.borrow_mut().local.rows.clear();
    let look = |t: &mut Fixture| {
        let (viewer, _) = t.open(0);
        t.doc.leave(viewer);
        t.doc.run();
    };
    look(&mut t);
    t.doc.slow = true;
    t.doc.sync(false);
    t.doc.run();
    look(&mut t);
    t.doc.slow = false;
    t.doc.wait(minutes(1));
    assert_eq!((t.batches(), t.doc.renewed.as_slice()), (vec![2], [(2, true)].as_slice()));
}
