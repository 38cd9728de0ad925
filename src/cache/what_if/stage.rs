//! A document that is played.

use std::{collections::BTreeMap, time::Duration};

use super::{Handle, When, facts::Facts, trips::Trip};
use crate::cache::{
    clock::{Now, Timestamp, whole_millis},
    core::{Answer, Core, EffectId, Event, Op, Room, ViewerId},
    document::DocumentKey,
    key::{Lookup, Source},
    policy::Policy,
};

/// The document that is played.
#[derive(Debug)]
pub(super) struct Stage<B> {
    pub(super) core: Core<B>,
    pub(super) now: Now,
    pub(super) input: usize,
    /// By when they are answered.
    pub(super) pending: BTreeMap<(Duration, u64), Departed<B>>,
    number: u64,
    /// How many trips of a name there were.
    counts: BTreeMap<Trip, usize>,
    /// Viewers as they were named then, and are named now.
    pub(super) viewers: BTreeMap<ViewerId, ViewerId>,
    pub(super) lock: Option<EffectId>,
    pub(super) stream: Option<EffectId>,
    /// The lock was granted before it was asked for.
    pub(super) is_granted: bool,
}

/// An effect on its way.
#[derive(Debug)]
pub(super) struct Departed<B> {
    pub(super) id: EffectId,
    /// When it left, on the running clock.
    pub(super) at: Duration,
    pub(super) under: Under<B>,
}

/// What is to be answered.
#[derive(Debug)]
pub(super) enum Under<B> {
    Read(Source, Vec<Lookup>),
    Documents(Vec<DocumentKey>),
    /// The server has said it already; it is on its way.
    Said(Box<Answer<B>>),
    Write(Source, Vec<Op<B>>, Timestamp, Room),
    Measure(Source),
    Erase(Source),
}

impl<B: Handle> Stage<B> {
    pub(super) fn new(policy: &Policy, seed: u64, visible: bool, began: Now) -> Self {
        Self {
            core: Core::new(policy.clone(), seed, visible, began),
            now: began,
            input: 0,
            pending: BTreeMap::new(),
            number: 0,
            counts: BTreeMap::new(),
            viewers: BTreeMap::new(),
            lock: None,
            stream: None,
            is_granted: false,
        }
    }

    pub(super) fn when(&self, document: usize) -> When {
        When { document, running: self.now.running }
    }

    pub(super) fn pass(&mut self, running: Duration) {
        let passed = whole_millis(running.saturating_sub(self.now.running));
        self.now = Now { running, wall: Timestamp(self.now.wall.0.saturating_add(passed)) };
    }

    /// Schedules an answer. `under` gets the time at which the request was really sent, if that was earlier.
    pub(super) fn depart(
        &mut self,
        facts: &Facts<B>,
        document: usize,
        id: EffectId,
        trip: Trip,
        under: impl FnOnce(Option<Duration>) -> Under<B>,
    ) {
        let nth = self.counts.entry(trip.clone()).or_default();
        let measured = facts.trips.nth(&trip, document, *nth);
        *nth += 1;
        self.number += 1;
        let arrives = (self.now.running + measured.took, self.number);
        let departed = Departed { id, at: self.now.running, under: under(measured.asked) };
        self.pending.insert(arrives, departed);
    }

    /// The same of viewers as they are named now; none if there is no such viewer.
    pub(super) fn renamed(&self, event: &Event<B>) -> Option<Event<B>> {
        let known = |viewers: &[ViewerId]| {
            viewers.iter().filter_map(|viewer| self.viewers.get(viewer).copied()).collect()
        };
        Some(match event {
            Event::Left(viewer) => Event::Left(*self.viewers.get(viewer)?),
            Event::ViewersHidden(viewers) => Event::ViewersHidden(known(viewers)),
            Event::ViewersShown(viewers) => Event::ViewersShown(known(viewers)),
            event => event.clone(),
        })
    }
}
