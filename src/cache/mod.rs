//! The picture cache: what it keeps, for how long, and in what order it looks.
//!
//! Plain Rust: no DOM, no signals, no clock but the one passed in. It runs and is tested natively;
//! the page supplies the storages and the network.
//!
//! ```text
//! request ─▶ Core ─▶ memory ─▶ LocalStorage ─▶ IndexedDB ─▶ origin
//!              └──────────────── backfill ◀───────────────────┘
//! ```
//!
//! **Invariant:** a layer that fails slows a picture down. It never hides one.

pub mod breaker;
pub mod clock;
pub mod core;
pub mod document;
pub mod entry;
pub mod event;
pub mod eviction;
pub mod explain;
pub mod figure;
pub mod holding;
pub mod key;
pub mod layer;
pub mod metrics;
pub mod orders;
pub mod policy;
pub mod raster;
pub mod recommend;
pub mod replay;
mod splitmix;
pub mod stats;
pub mod storage;
pub mod tint;
pub mod trace;
pub mod trouble;
pub mod waterfall;
pub mod what_if;
