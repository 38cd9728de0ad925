//! What was told here ahead of the stream that all instances share: Redis did not say that it took it.

use std::{collections::VecDeque, sync::Arc};

use super::hub::Told;
use crate::storage::Message;

/// Events without an id, until they come through the stream and have one.
///
/// A client that comes back is told them once more: it may have left before.
#[derive(Debug)]
pub(super) struct Early {
    limit: usize,
    events: VecDeque<Arc<Told>>,
    /// Whether there were too many, so that not all of them are here.
    incomplete: bool,
}

impl Early {
    /// None yet, and so many at most.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, events: VecDeque::new(), incomplete: false }
    }

    /// Adds an event, unless it is here already. Returns what is to be told.
    pub(super) fn add(&mut self, message: &Message) -> Option<Arc<Told>> {
        if self.events.iter().any(|told| told.is(message)) {
            return None;
        }
        let told = Told::new(None, message)?;
        self.events.push_back(Arc::clone(&told));
        if self.events.len() > self.limit {
            self.events.pop_front();
            self.incomplete = true;
        }
        Some(told)
    }

    /// It came through the stream.
    pub(super) fn remove(&mut self, message: &Message) {
        self.events.retain(|told| !told.is(message));
        self.incomplete &= !self.events.is_empty();
    }

    /// All of them, in order; none if some are missing.
    pub(super) fn all(&self) -> Option<impl Iterator<Item = &Arc<Told>>> {
        (!self.incomplete).then(|| self.events.iter())
    }
}
