//! How fast the server is, beside something to compare with.
//!
//! ```text
//! cargo xtask bench server ─▶ miniature-bench ─▶ wrk ─▶ miniature-server, and in turn `bare`
//!                                   ├──────────▶ many requests at once, counted by /metrics
//!                                   └──────────▶ a day of traffic, in this process, with Redis
//! ```
//!
//! Each part returns [`Row`](report::Row)s: what was measured, and the bar that it is held against.
//!
//! **Invariant:** what is compared is measured in one run, in turn, by one tool. A figure that was
//! not measured is not printed.

pub mod burst;
pub mod day;
pub mod hot;
pub mod memory;
pub mod optimal;
pub mod people;
pub mod process;
pub mod report;
pub mod traffic;
pub mod upload;
pub mod wrk;
