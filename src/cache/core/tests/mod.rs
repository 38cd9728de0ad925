//! The core in single sentences. Histories of many steps are the simulation's.

mod accounts;
mod answers;
mod arriving;
mod connection;
mod documents;
mod erasures;
mod failures;
mod feed;
mod forecasts;
mod full;
mod hidden;
mod hints;
mod identity;
mod late;
mod layers;
mod lists;
mod live;
mod looks;
mod opening;
mod own;
mod person;
mod pictures;
mod reader;
mod renewal;
mod sessions;
mod shed;
mod stored;
mod wakes;
mod wakeups;

use std::time::Duration;

use miniature_api::{Revision, Size};

use super::{
    Event, Request, Status, View, ViewerId,
    testing::{Blob, Document, Outside, World, image_of, user, wanted},
};
use crate::cache::{
    entry::CheckedRecord,
    event::{CacheEvent, Load, Outcome},
    key::Source,
    policy::Policy,
};

/// A world and one document in it.
struct Fixture {
    world: World,
    doc: Document,
    policy: Policy,
}

impl Fixture {
    /// The server knows so many users, each with a first picture.
    fn with_users(count: usize) -> Self {
        let policy = Policy::default();
        let world = Outside::with_users(count);
        let doc = Document::open(&world, policy.clone(), 1);
        Self { world, doc, policy }
    }

    /// A new document on the same layers, after all that was owed to them was written.
    fn reload(&mut self) {
        self.doc.wait(Duration::from_secs(5));
        self.doc.requests();
        self.doc = Document::open(&self.world, self.policy.clone(), 2);
    }

    /// Looks at a user's picture, and lets all follow that takes no time.
    fn open(&mut self, index: usize) -> (ViewerId, Option<Source>) {
        self.doc.show(index)
    }

    /// Looks at the pictures of these users, in the same turn.
    fn look_at(&mut self, users: std::ops::Range<usize>) {
        for index in users {
            self.doc.look(wanted(index, Size::S64));
        }
    }

    /// Looks once, and stores what came.
    fn visit(&mut self, index: usize) {
        let (viewer, _) = self.open(index);
        self.doc.wait(Duration::from_secs(5));
        self.doc.leave(viewer);
        self.doc.run();
    }

    fn view(&self, viewer: ViewerId) -> View<Blob> {
        self.doc.core.view(viewer)
    }

    fn change(&self, index: usize, picture: bool) {
        self.world.borrow_mut().server.change(&user(index), picture);
    }

    /// Tells the document the truth about everybody, as a list or an event does.
    fn hear(&mut self) {
        let (records, lineage) = {
            let world = self.world.borrow();
            (world.server.truth.values().cloned().collect(), world.server.lineage())
        };
        self.doc.tell(Event::News(records, lineage));
        self.doc.run();
    }

    fn shows_revision(&self, viewer: ViewerId, index: usize, revision: u32) -> bool {
        let history = self.world.borrow().server.history();
        let image = image_of(&user(index), history, revision);
        self.view(viewer).shown.is_some_and(|shown| shown.rendition.image() == image)
    }

    /// How many requests for pictures were made since the last look.
    fn picture_requests(&mut self) -> usize {
        let requests = self.doc.requests();
        requests.iter().filter(|request| matches!(request, Request::Pictures { .. })).count()
    }

    fn loads(&self) -> Vec<Load> {
        let loads = self.doc.events.iter().filter_map(|event| match event {
            CacheEvent::Loaded(load) => Some(load.clone()),
            _ => None,
        });
        loads.collect()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        self.loads().into_iter().map(|load| load.outcome).collect()
    }

    fn local_record(&self, index: usize) -> Option<CheckedRecord> {
        let world = self.world.borrow();
        let row = world.local.rows.get(&user(index))?;
        row.record.as_ref().map(|(record, _)| record.clone())
    }

    fn durable_record(&self, index: usize) -> Option<CheckedRecord> {
        let world = self.world.borrow();
        world.durable.records.get(&user(index)).map(|(record, ..)| record.clone())
    }

    fn revisions(&self, index: usize) -> [Option<u32>; 2] {
        [self.local_record(index), self.durable_record(index)]
            .map(|record| record.map(|record| record.record.revision.0))
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn minutes(minutes: u64) -> Duration {
    secs(60 * minutes)
}
