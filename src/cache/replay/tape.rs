//! What is recorded.

use serde::{Deserialize, Serialize};

use super::{Hollow, Inventory};
use crate::cache::{
    clock::Now, core::Event, entry::Found, key::Wanted, layer::LayerError, orders::Accesses,
    policy::Policy,
};

/// All that one document's core was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Every lifetime and limit that was in force.
    pub policy: Policy,
    /// Decides the jitter of retries.
    #[serde(with = "hex")]
    pub seed: u64,
    /// Whether the page was visible when it began.
    pub visible: bool,
    /// When it began.
    pub began: Now,
    /// What layers held then; none where a document before this one was recorded, too, or nobody looked.
    #[serde(default)]
    pub held: Option<Box<Inventory>>,
    /// Whether there was more than it holds.
    pub is_cut: bool,
    /// In order, each with its time.
    pub calls: Vec<(Now, Call)>,
}

impl Recording {
    /// The users looked at, in order.
    pub fn accesses(&self) -> Accesses {
        let opened = self.calls.iter().filter_map(|(_, call)| match call {
            Call::Open(wanted, _) => Some(&wanted.user),
            Call::Event(_) | Call::Poll | Call::Reset => None,
        });
        opened.collect()
    }
}

/// One call of the core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// A picture was opened, with what LocalStorage said.
    Open(Wanted, Option<Result<Found<Hollow>, LayerError>>),
    /// Something happened.
    Event(Box<Event<Hollow>>),
    /// The core was asked for the next effect.
    Poll,
    /// Counting began anew.
    Reset,
}

/// A recording that is being made, of so many calls at most: what follows would make no sense without what came
/// before, so the end is cut, not the beginning.
#[derive(Clone, Debug)]
pub struct Tape {
    recording: Recording,
    length: usize,
}

impl Tape {
    /// An empty one.
    pub fn new(policy: Policy, seed: u64, visible: bool, began: Now, length: usize) -> Self {
        let (held, is_cut, calls) = (None, false, Vec::new());
        Self { recording: Recording { policy, seed, visible, began, held, is_cut, calls }, length }
    }

    /// Notes what layers held at the beginning.
    pub fn note_held(&mut self, held: Inventory) {
        self.recording.held = Some(Box::new(held));
    }

    /// Notes a call.
    pub fn note(&mut self, now: Now, call: impl FnOnce() -> Call) {
        if self.recording.calls.len() < self.length {
            self.recording.calls.push((now, call()));
        } else {
            self.recording.is_cut = true;
        }
    }

    /// What was recorded so far.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }
}

/// Numbers of 64 bits have no place in JSON as the browser reads it.
pub(super) mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::cache::replay) fn serialize<S: Serializer>(
        seed: &u64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{seed:016x}"))
    }

    pub(in crate::cache::replay) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(|_| D::Error::custom("not a seed"))
    }
}
