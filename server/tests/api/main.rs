//! The wire, route by route, without a socket.

mod access;
mod batch;
mod errors;
mod fixture;
mod friends;
mod frontend;
mod pictures;
mod session;
