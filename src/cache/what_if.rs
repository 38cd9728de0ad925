//! What would have happened under another policy.
//!
//! Recordings hold what a core was told. What came from outside (somebody looked, scrolled, was online) is told
//! to a core of the other policy again, at the same times. What layers and the server answered is not: it depends
//! on what the core did before. They are simulated, from what they are known to have held at the beginning and to
//! have said since, and an answer takes as long as one of its kind took.
//!
//! ```text
//! recordings ─▶ facts ─▶ scripts ──────▶ Core under another policy ─▶ figures
//!                 └────▶ layers, server ──▲
//! ```
//!
//! # Source
//!
//! Trace-driven simulation; the same random numbers for each policy that is compared, as Law, "Simulation
//! Modeling and Analysis", has it.

mod advise;
mod durable;
mod facts;
mod fault;
mod forecast;
mod local;
mod pictures;
mod play;
mod script;
mod server;
mod stage;
mod trips;
mod words;

use std::time::Duration;

use super::entry::Handle;
pub use advise::{Advice, Advised, Change, Trial};
use fault::Fault;
pub use forecast::{Forecast, forecast};

/// A moment of a session: in which of its documents, and when on its running clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct When {
    document: usize,
    running: Duration,
}

impl When {
    const BEGIN: Self = Self { document: 0, running: Duration::ZERO };
}

/// The latest value at or before `when`; the first one if there is none.
fn latest<T>(known: &[(When, T)], when: When) -> Option<&T> {
    let after = known.partition_point(|(since, _)| *since <= when);
    known.get(after.saturating_sub(1)).map(|(_, what)| what)
}

/// The simulation has the same layers.
#[cfg(test)]
pub(in crate::cache) mod layers {
    pub(in crate::cache) use super::{
        durable::{Durable, Row as DurableRow},
        fault::Fault,
        local::Local,
        pictures::Pictures,
    };
}
