//! The API of Miniature: who has which picture, and its bytes.
//!
//! ```text
//! routes ─▶ profiles ─▶ memory ─▶ Redis ─▶ storage (SQLite, PostgreSQL)
//!    ├────▶ images   ─▶ memory ─▶ files ─▶ a master (files, S3), scaled once
//!    └────▶ posts, changes ─▶ relay ─▶ events ─▶ those who listen, here and in other instances
//! ```
//!
//! [`app`] is the whole API as a `Router`, so that tests need no socket; [`serve`] adds the
//! listeners. What decides how it runs is in [`config`].
//!
//! **Invariant:** a cache that fails slows an answer down. It never changes one.

pub mod breaker;
pub mod changes;
pub mod clock;
pub mod config;
pub mod demo;
mod error;
pub mod events;
pub mod images;
pub mod limits;
pub mod lineage;
mod lingering;
mod listener;
pub mod metrics;
pub mod pace;
pub mod panics;
pub mod places;
pub mod posts;
mod probe;
pub mod profiles;
pub mod redis;
pub mod relay;
mod routes;
mod serve;
pub mod sign_in;
mod state;
pub mod stop;
pub mod storage;
mod tls;
pub mod upkeep;
pub mod workers;

pub use error::ApiError;
pub use probe::{Unhealthy, healthy};
pub use routes::app;
pub use serve::{StartError, serve};
pub use state::{App, Collection, OpenError};
