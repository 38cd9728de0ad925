//! `cargo xtask laws`: takes out the code that holds each law, and expects the tests to notice.
//!
//! `tests/laws/*.patch` holds a patch a law, named by it. One that does not apply any more is an
//! error: the code has moved, and the patch has to follow.

use crate::{
    command::{cargo, root},
    core_alone,
    setup::{self, Purpose},
};
use anyhow::{Context, Result, bail, ensure};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Histories that the simulation tries for each patch: enough to notice, soon enough to wait for.
const HISTORIES: &str = "1500";

/// Applies each patch whose name contains `wanted`, and runs the tests of the core.
///
/// # Errors
///
/// If the tests fail without a patch, or pass with one.
pub(crate) fn run(wanted: &str) -> Result<()> {
    let path = setup::prepare(Purpose::Core)?;
    let folder = core_alone::write()?;
    ensure!(tests(&folder, &path)?.is_empty(), "the tests fail as they are");
    println!("as it is: green");
    let mut green = Vec::new();
    for patch in patches()? {
        let law = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !law.contains(wanted) {
            continue;
        }
        core_alone::write()?;
        apply(&patch, &folder)?;
        match tests(&folder, &path)?.as_slice() {
            [] => green.push(law),
            failed => println!("{law}: red, {} tests, {} among them", failed.len(), failed[0]),
        }
    }
    if !green.is_empty() {
        bail!("nobody notices that these are broken: {}", green.join(", "));
    }
    Ok(())
}

fn patches() -> Result<Vec<PathBuf>> {
    let folder = root()?.join("tests/laws");
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut patches: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    patches.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    patches.sort();
    ensure!(!patches.is_empty(), "{} holds no patch", folder.display());
    Ok(patches)
}

fn apply(patch: &Path, folder: &Path) -> Result<()> {
    let file = fs::File::open(patch)?;
    let status = Command::new("patch")
        .args(["-p1", "--silent", "--fuzz=0"])
        .current_dir(folder)
        .stdin(file)
        .status()
        .context("patch is missing: install it (Debian: apt-get install patch)")?;
    ensure!(status.success(), "{} does not apply any more", patch.display());
    Ok(())
}

/// The tests that fail.
fn tests(folder: &Path, path: &OsString) -> Result<Vec<String>> {
    let mut command = cargo("test --lib cache::", path)?;
    command.current_dir(folder).env("PROPTEST_CASES", HISTORIES).env("RUST_BACKTRACE", "0");
    command.env_remove("CARGO_TARGET_DIR").stderr(Stdio::piped());
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let failed =
        text.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    let failed: Vec<String> = failed.map(str::to_owned).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() || !failed.is_empty(), "the core does not compile:\n{said}");
    Ok(failed)
}
