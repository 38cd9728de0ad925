//! Bindings to the browser, one file an API. They do what they are told and decide nothing.
//!
//! **Invariants:** nothing here panics, whatever the browser denies; whatever is listened to,
//! waited for or requested ends when its guard or future is dropped.

pub mod badge;
pub mod caches;
pub mod channel;
pub mod clock;
pub mod cookies;
pub mod decode;
mod exception;
pub mod first_screen;
pub mod in_view;
pub mod indexed_db;
mod join;
pub mod json;
pub mod lab;
pub mod later;
pub mod layer;
pub mod listener;
pub mod local_storage;
pub mod lock;
pub mod monitor;
pub mod number;
pub mod object_url;
pub mod online;
pub mod origin;
pub mod page_cache;
pub mod picture_cache;
pub mod picture_file;
pub mod quota;
pub mod random;
pub mod schedule;
pub mod session_storage;
pub mod tabs;
pub mod text;
pub mod text_file;
pub mod viewport;
pub mod visibility;
pub mod worker;
