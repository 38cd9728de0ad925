//! The real things, for tests: Redis, a Redis cluster, PostgreSQL and an S3-compatible store; and
//! who asks an API more than its authors thought of.
//!
//! Each listens on a free port of loopback, keeps its data in a folder of its own, answers when
//! `start` returns, and ends when dropped. `cargo xtask setup` installs them all.
//!
//! Each can be hurt as in life: killed and started again on the same port with its data, or stopped
//! in its tracks so that it takes connections and answers nothing.

mod postgres;
mod process;
mod redis;
mod s3;

use std::process::Command;

pub use self::{
    postgres::Postgres,
    redis::{Redis, RedisCluster},
    s3::S3,
};

/// Schemathesis, which asks an API what its description allows, and much that it does not.
///
/// # Errors
///
/// If it is not installed.
pub fn schemathesis() -> anyhow::Result<Command> {
    let found = process::find("schemathesis", &process::tool_folders("schemathesis"))?;
    Ok(Command::new(found))
}
