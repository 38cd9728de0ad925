//! Pictures in a real S3-compatible store: who may fetch them, and what happens when it fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod batch;
mod faults;
#[path = "../api/fixture.rs"]
#[allow(dead_code, reason = "shared with the tests of the API, which use all of it")]
mod fixture;
mod gate;
mod hints;
mod store;
mod unused;
mod urls;
