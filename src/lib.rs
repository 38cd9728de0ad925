//! Profile pictures that are already there.
//!
//! [`CachedProfilePicture`](ui::CachedProfilePicture) shows a user's picture from the nearest
//! place that has it: memory, LocalStorage, IndexedDB, the server.
//!
//! One rule holds the house: `api < cache < browser < store < ui < app`; a module imports only
//! from its left.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`cache`] | everything that decides; plain Rust, tested natively |
//! | [`browser`] | bindings, one file a browser API, no decisions |
//! | [`store`] | the signals that components read, and the one writer behind them |
//! | [`ui`] | the components of the crate |
//! | [`app`] | the pages of the app |

pub mod app;
pub mod browser;
pub mod cache;
pub mod store;
pub mod ui;

pub use miniature_api as api;
