//! `cargo xtask replay FILE [--policy name=number ...]`: tells the core what it was told in a page, says whether
//! it does the same, and what comes of the session under another policy.

use crate::{command::cargo, core_alone, setup};
use anyhow::{Context, Result, ensure};
use std::path::Path;

/// Replays a session that the dashboard has exported (`examples/replay.rs`).
///
/// # Errors
///
/// If there is no such file, nothing was recorded in it, or the counts are not those that the page exported.
pub(crate) fn run(file: &str, settings: &[&str]) -> Result<()> {
    let file = Path::new(file).canonicalize().with_context(|| file.to_owned())?;
    let path = setup::prepare(setup::Purpose::Native)?;
    let folder = core_alone::write()?;
    let mut command = cargo("run --quiet --release --example replay --", &path)?;
    command.arg(file).args(settings).current_dir(&folder).env_remove("CARGO_TARGET_DIR");
    ensure!(command.status()?.success(), "the session does not replay");
    Ok(())
}
