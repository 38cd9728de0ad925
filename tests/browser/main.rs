//! The bindings, in a real browser.
//!
//! Every storage passes the same `contract`; what only one of them can do, or suffer, stands in its
//! own file. Tests run one after the other: some take parts of the browser away for a while.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod boot;
mod changed;
mod connection;
mod contract;
mod dashboard;
mod eviction;
mod indexed_db;
mod json;
mod lines;
mod local_storage;
mod number;
mod object_url;
mod origin;
mod picture_cache;
mod picture_file;
mod quota;
mod requests;
mod reveal;
mod samples;
mod schedule;
mod script;
mod surroundings;
mod sync;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
