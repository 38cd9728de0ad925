//! A document whose core is told nothing that is not noted.

use super::{Blob, Document};
use crate::cache::{
    clock::Now,
    core::{Effect, Event, View, ViewerId},
    entry::Found,
    key::Wanted,
    layer::LayerError,
    policy::Policy,
    replay::{Call, Tape, hollow, hollow_found},
};

/// Of every so many documents one is recorded.
const RECORDED: u64 = 4;

/// What a document of this seed is recorded on.
pub(super) fn tape(policy: &Policy, seed: u64, now: Now) -> Option<Tape> {
    let is_recorded = seed.is_multiple_of(RECORDED);
    is_recorded.then(|| Tape::new(policy.clone(), seed, true, now, usize::MAX))
}

impl Document {
    pub(super) fn handle(&mut self, event: Event<Blob>) {
        let now = self.now();
        if let Some(tape) = &mut self.tape {
            tape.note(now, || Call::Event(Box::new(hollow(&event))));
        }
        self.core.handle(event, now);
    }

    pub(super) fn poll(&mut self) -> Option<Effect<Blob>> {
        let now = self.now();
        if let Some(tape) = &mut self.tape {
            tape.note(now, || Call::Poll);
        }
        self.core.poll(now)
    }

    pub(super) fn open_in_core(
        &mut self,
        wanted: Wanted,
        found: Option<Result<Found<Blob>, LayerError>>,
    ) -> (ViewerId, View<Blob>) {
        let now = self.now();
        if let Some(tape) = &mut self.tape {
            let hollow = |found: &Result<Found<Blob>, LayerError>| {
                found.as_ref().map(hollow_found).map_err(|error| *error)
            };
            tape.note(now, || Call::Open(wanted.clone(), found.as_ref().map(hollow)));
        }
        self.core.open(wanted, found, now)
    }
}
