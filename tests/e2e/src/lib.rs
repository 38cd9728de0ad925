//! What journeys and benchmarks share: a browser, a real server, and what stands between them.
//!
//! ```text
//! Visit ─▶ Browser (sampler.js looks at each frame) ─▶ Gate (delays, outages, a log) ─▶ Server
//! ```

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its report")]

pub mod complaints;
pub mod counters;
pub mod engine;
pub mod gate;
pub mod group;
pub mod page;
pub mod people;
pub mod sampler;
pub mod server;
pub mod sign_in;
pub mod stop;
pub mod visit;
