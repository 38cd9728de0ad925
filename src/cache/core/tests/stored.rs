//! What a document knows of what layers hold, so that nothing is written twice or lost.

use super::*;
use crate::cache::{
    clock::Timestamp,
    core::{
        Op,
        testing::{Fault, Under, Weather},
    },
};
use miniature_api::ImageId;

impl Fixture {
    fn ops(&mut self) -> Vec<(Source, Op<Blob>)> {
        std::mem::take(&mut self.doc.ops)
    }

    fn renditions_written(&mut self) -> usize {
        self.ops().iter().filter(|(_, op)| matches!(op, Op::Rendition { .. })).count()
    }

    /// Gives a user the picture of one of their revisions, or of someone else's.
    fn show_image(&mut self, index: usize, image: ImageId) {
        self.change(index, true);
        let mut world = self.world.borrow_mut();
        world.server.truth.get_mut(&user(index)).unwrap().image_id = Some(image);
        drop(world);
        self.hear();
        self.doc.wait(secs(10));
    }

    fn holds(&self, image: ImageId) -> bool {
        self.world.borrow().durable.renditions.keys().any(|key| key.image == image)
    }
}

#[test]
fn what_was_written_is_not_written_again() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(10));
    assert_eq!(t.renditions_written(), 3, "once a layer");
    t.world.borrow_mut().advance(minutes(40));
    t.hear();
    t.doc.leave(viewer);
    t.open(0);
    t.doc.wait(minutes(1));
    assert_eq!(t.renditions_written(), 0);
}

#[test]
fn a_picture_that_comes_back_is_stored_again() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.wait(secs(10));
    let [first, second] = [1, 2].map(|revision| image_of(&user(0), 0, revision));
    t.change(0, true);
    t.hear();
    t.doc.wait(secs(10));
    assert!(t.holds(second) && !t.holds(first));
    t.show_image(0, first);
    assert!(t.holds(first) && !t.holds(second), "changed, and back");
    t.change(0, false);
    t.hear();
    t.doc.wait(secs(10));
    assert!(!t.holds(first));
    t.show_image(0, first);
    assert!(t.holds(first), "removed, and back");
}

#[test]
fn boot_js_is_told_of_a_list_once_indexed_db_holds_it() {
    for (fault, expected) in [(Fault::Failing, None), (Fault::None, Some(true))] {
        let mut t = Fixture::with_users(1);
        t.world.borrow_mut().server.befriend(&user(0), "a");
        t.world.borrow_mut().durable.fault = fault;
        let view = crate::cache::core::ListView { rows: 0..4, pictures: None, ahead: 0 };
        t.doc.tell(Event::FriendsViewed(view));
        t.doc.wait(secs(20));
        assert!(t.world.borrow().local.first.len() == 1);
        assert_eq!(t.doc.list_announced, expected, "{fault:?}");
    }
}

#[test]
fn a_full_disk_is_tried_once_more_at_once() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().durable.fault = Fault::Full;
    t.open(0);
    while t.world.borrow().durable.full_in_a_row == 0 {
        if !t.doc.turn() && !t.doc.deliver(0) {
            t.world.borrow_mut().advance(Duration::from_millis(50));
        }
    }
    let before = t.doc.now();
    t.doc.run();
    assert_eq!((t.world.borrow().durable.full_in_a_row, t.doc.now()), (2, before));
}

#[test]
fn a_row_that_was_read_and_could_not_be_renewed_is_not_believed_any_more() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.world.borrow_mut().local.rows.clear();
    t.reload();
    let (viewer, _) = t.open(0);
    assert_eq!(t.loads()[0].outcome, Outcome::Shown(Source::IndexedDb));
    t.change(0, true);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.hear();
    t.doc.wait(secs(10));
    assert!(t.shows_revision(viewer, 0, 2));
    let world = t.world.borrow();
    let doubted = world.local.believe_from > Timestamp(0);
    assert!(doubted, "IndexedDB holds revision 1");
}

#[test]
fn doubt_is_noted_once() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.reload();
    t.open(0);
    t.change(0, true);
    t.world.borrow_mut().durable.fault = Fault::Failing;
    t.hear();
    t.doc.wait(minutes(20));
    let notes = t.ops();
    let notes = notes.iter().filter(|(_, op)| matches!(op, Op::BelieveFrom(_))).count();
    assert_eq!(notes, 1, "however often the write fails");
}

#[test]
fn after_clear_nothing_is_known_of_the_disk() {
    let mut t = Fixture::with_users(2);
    t.visit(0);
    let (_, on_screen) = (t.open(1), t.doc.core.usage(Source::Memory).unwrap());
    assert_eq!(on_screen.entries, 2);
    assert!(t.doc.core.usage(Source::IndexedDb).is_some());
    t.doc.tell(Event::Clear);
    assert_eq!(t.doc.core.usage(Source::IndexedDb), None);
    assert_eq!(t.doc.core.usage(Source::Memory).unwrap().entries, 1, "what is on screen");
}

#[test]
fn clear_during_an_erasure_of_ones_own_leaves_the_layer_alone() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.wait(secs(10));
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.tell(Event::Clear);
    t.doc.run();
    t.ops();
    t.change(0, true);
    t.hear();
    t.doc.wait(secs(10));
    let written = t.ops();
    assert!(!written.iter().any(|(layer, _)| *layer == Source::IndexedDb), "{written:?}");
    assert!(written.iter().any(|(layer, _)| *layer == Source::LocalStorage));
}

#[test]
fn nothing_that_hangs_is_remembered_without_end() {
    let mut t = Fixture::with_users(60);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    for index in 0..60 {
        t.open(index);
        t.doc.wait(minutes(1));
    }
    let remembered = t.doc.core.flights.len();
    assert!(remembered <= 20, "{remembered} effects");
}

#[test]
fn a_bad_answer_counts_for_nothing_once_a_good_one_came() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    assert_eq!(t.view(viewer).error, None);
    for _ in 0..12 {
        t.world.borrow_mut().server.weather = Weather::Status(503);
        t.doc.tell(Event::Invalidate(user(0)));
        t.doc.run();
        t.world.borrow_mut().server.weather = Weather::Fine;
        t.doc.wait(minutes(2));
        assert_eq!(t.view(viewer).error, None);
    }
    t.world.borrow_mut().server.weather = Weather::Status(503);
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.run();
    t.doc.requests();
    t.doc.wait(secs(1));
    assert!(t.picture_requests() >= 1, "the first pause is a second at most");
}

#[test]
fn what_must_not_be_held_is_removed_once() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.wait(secs(10));
    t.change(0, false);
    t.hear();
    t.doc.wait(minutes(5));
    let removals = t.ops();
    let removals = removals.iter().filter(|(_, op)| matches!(op, Op::RemoveImage { .. })).count();
    assert!(removals <= 3, "{removals} removals, in three layers");
}

#[test]
fn news_of_someone_who_was_not_looked_at_reaches_the_rows_that_there_are() {
    let mut t = Fixture::with_users(2);
    t.visit(0);
    t.reload();
    t.change(0, true);
    t.hear();
    t.doc.wait(secs(10));
    let world = t.world.borrow();
    let revision = |index| {
        let row = world.durable.records.get(&user(index));
        row.map(|(checked, ..)| checked.record.revision.0)
    };
    assert_eq!((revision(0), revision(1)), (Some(2), None), "and makes none");
}

#[test]
fn an_older_image_is_given_up_once_the_newer_one_decodes() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.wait(secs(10));
    let one = t.doc.core.usage(Source::Memory).unwrap().bytes;
    t.change(0, true);
    t.hear();
    t.doc.wait(secs(10));
    assert_eq!(t.doc.core.usage(Source::Memory).unwrap().bytes, one);
}

#[test]
fn other_storages_open_and_those_of_before_are_emptied() {
    use crate::cache::core::Start;
    let open = |t: &mut Fixture, account: &str| {
        let (account, believe_from) = (account.parse().unwrap(), Timestamp(0));
        let start = Start {
            account,
            lineage: None,
            believe_from,
            friends: None,
            feed: None,
            live: None,
            has_picture_cache: false,
        };
        t.doc.tell(Event::Session(Some(Box::new(start))));
        t.doc.run();
    };
    let mut t = Fixture::with_users(1);
    t.visit(0);
    open(&mut t, "ada");
    assert!(!t.world.borrow().durable.records.is_empty(), "the same account again");
    open(&mut t, "grace");
    assert!(t.world.borrow().durable.records.is_empty() && t.world.borrow().local.rows.is_empty());
}

#[test]
fn an_answer_without_bytes_counts_none() {
    let mut t = Fixture::with_users(1);
    t.visit(0);
    t.doc.events.clear();
    t.doc.tell(Event::Invalidate(user(0)));
    t.open(0);
    t.doc.wait(secs(5));
    let received = |event: &CacheEvent| matches!(event, CacheEvent::Received(_));
    assert!(!t.doc.events.iter().any(received), "{:?}", t.doc.events);
}

/// Time passes and everything is answered but whether pictures decode. Returns how often that was asked.
fn without_decoding(t: &mut Fixture, seconds: u64) -> usize {
    let is_decode = |under: &Under| matches!(under, Under::Decode(_));
    for _ in 0..seconds {
        t.world.borrow_mut().advance(secs(1));
        loop {
            let acted = t.doc.turn();
            let ready = t.doc.under_way.iter().position(|(_, under)| !is_decode(under));
            let delivered = ready.is_some_and(|nth| t.doc.deliver(nth));
            if !acted && !delivered {
                break;
            }
        }
    }
    t.doc.under_way.iter().filter(|(_, under)| is_decode(under)).count()
}

#[test]
fn a_browser_that_never_says_whether_it_decodes_is_asked_twice_and_the_record_is_stored() {
    let mut t = Fixture::with_users(1);
    t.doc.look(wanted(0, Size::S64));
    assert_eq!(without_decoding(&mut t, 60), 2);
    let world = t.world.borrow();
    let row = world.local.rows.get(&user(0)).expect("what is known of the user");
    assert!(row.record.is_some() && row.preview.is_none());
}

#[test]
fn what_cannot_be_written_yet_is_written_later_and_nothing_else_waits() {
    let mut t = Fixture::with_users(2);
    t.doc.tell(Event::WritesWait(true));
    t.doc.tell(Event::MeasureUsage);
    let (viewer, _) = t.open(0);
    t.doc.wait(minutes(2));
    assert!(t.shows_revision(viewer, 0, 1));
    assert_eq!(t.revisions(0), [None; 2]);
    let reads = t.world.borrow().durable.reads;
    t.open(1);
    assert_eq!(t.world.borrow().durable.reads, reads + 1, "it is read as ever");
    t.doc.tell(Event::WritesWait(false));
    t.doc.wait(secs(5));
    assert_eq!([t.revisions(0), t.revisions(1)], [[Some(1); 2]; 2]);
    assert!(t.doc.core.usage(Source::IndexedDb).is_some(), "it was asked for before");
}
