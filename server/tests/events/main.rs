//! What happens to people, as their browsers hear of it: alone, through Redis, and without it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod alone;
mod fixture;
mod line;
mod posts;
mod shared;
mod unsure;
