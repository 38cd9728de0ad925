//! The picture cache: what it keeps, for how long, and in what order it looks.
//!
//! Plain Rust: no DOM, no signals, no clock but the one passed in. It runs and is tested natively;
//! [`crate::browser`] supplies the shelves and the network.
//!
//! ```text
//! request ─▶ Pipeline ─▶ memory ─▶ LocalStorage ─▶ IndexedDB ─▶ origin
//!                └───────────────── backfill ◀──────────────────┘
//! ```
//!
//! **Invariant:** a layer that fails slows a picture down. It never hides one.

pub mod breaker;
pub mod clock;
pub mod entry;
pub mod event;
pub mod eviction;
pub mod freshness;
pub mod inflight;
pub(crate) mod join;
pub mod key;
pub mod layer;
pub mod memory;
pub mod pipeline;
pub mod policy;
pub mod raster;
pub mod stats;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;
