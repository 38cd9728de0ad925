//! `cargo xtask bench server`: how fast the server is, beside something to compare with.

use crate::{
    command::{cargo, program, target_dir},
    setup::{self, Purpose},
    step,
};
use anyhow::Result;

/// Measures the release build: the parts that are named, or all; with `--strict` a bar that is
/// missed is an error.
///
/// # Errors
///
/// If something cannot be installed, built or run.
pub(crate) fn server(words: &[&str]) -> Result<()> {
    let path = setup::prepare(Purpose::Bench)?;
    let build = "build --release -p miniature-server -p miniature-bench";
    step::quiet("build the server and the benchmark", &mut cargo(build, &path)?)?;
    let bench = target_dir()?.join("release/miniature-bench");
    step::shown("bench", program(&bench.to_string_lossy(), &path)?.args(words))
}
