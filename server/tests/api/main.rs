//! The wire, route by route, without a socket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod access;
mod arbitrary;
mod batch;
mod delivery;
mod errors;
mod fixture;
mod friends;
mod frontend;
mod lineage;
mod pictures;
mod posts;
mod reads;
mod session;
mod unused;
mod upload;
