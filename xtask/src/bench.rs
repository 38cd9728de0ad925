//! `cargo xtask bench`: how fast server and pages are, beside something to compare with.

use crate::{
    command::{cargo, program, root, target_dir},
    dist,
    setup::{self, Purpose},
    step,
    tools::WORKBOX,
};
use anyhow::{Result, ensure};
use std::{env, ffi::OsString, path::PathBuf};

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

/// Compares the frontend's release build with what `--against` names: another build, or a page that one
/// would have instead. `--rivals` names all such pages; `--panel` compares it with its dashboard open; `--ours` and `--server` name existing builds.
///
/// # Errors
///
/// If something cannot be installed, built or run, or with `--strict` if a ratio is missed.
pub(crate) fn page(words: &[&str]) -> Result<()> {
    ensure!(
        ["--against", "--rivals", "--panel"].into_iter().any(|option| names(words, option)),
        "--against DIR, --rivals or --panel is missing: what to compare"
    );
    let path = setup::prepare(purpose(words))?;
    let bench = target_dir()?.join("release/miniature-bench-page");
    let mut command = program(&bench.to_string_lossy(), &path)?;
    // Paths in `words` are relative to the caller's folder.
    command.current_dir(env::current_dir()?).args(words);
    if !names(words, "--ours") {
        dist::build_frontend(&path)?;
        command.arg("--ours").arg(root()?.join("dist"));
    }
    if !names(words, "--server") {
        // Built alone, as in `cargo xtask dist`: other packages would change its features.
        step::quiet("build the server", &mut cargo("build --release -p miniature-server", &path)?)?;
        command.arg("--server").arg(target_dir()?.join("release/miniature-server"));
    }
    if let Some(workbox) = workbox_in(&path) {
        command.arg("--workbox").arg(workbox);
    }
    let build = "build --release -p miniature-bench-page";
    step::quiet("build the benchmark", &mut cargo(build, &path)?)?;
    step::shown("bench", &mut command)
}

/// Measures what a turn costs in the pure core; with `--strict` a bar that is missed is an error.
///
/// # Errors
///
/// If it cannot be built, or with `--strict` if a bar is missed.
pub(crate) fn core(words: &[&str]) -> Result<()> {
    let path = setup::prepare(Purpose::Core)?;
    let mut command = cargo("bench -p miniature --bench turns --", &path)?;
    step::shown("bench", command.args(words))
}

/// What a comparison of pages needs installed.
fn purpose(words: &[&str]) -> Purpose {
    let has_workbox = words.iter().any(|word| matches!(*word, "workbox" | "--against=workbox"));
    if names(words, "--browser") {
        Purpose::PageBenchAnywhere
    } else if has_workbox || names(words, "--rivals") {
        Purpose::PageBenchOfRivals
    } else {
        Purpose::PageBench
    }
}

/// Where npm has installed [`Tool::Workbox`](crate::tools::Tool::Workbox), if it was needed.
fn workbox_in(path: &OsString) -> Option<PathBuf> {
    env::split_paths(path).find(|folder| folder.join(WORKBOX).is_file())
}

fn names(words: &[&str], option: &str) -> bool {
    words.iter().any(|word| word.split('=').next() == Some(option))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_comparison_needs_is_installed() {
        let cases: [(&[&str], Purpose); 5] = [
            (&["--against", "plain"], Purpose::PageBench),
            (&["--against", "workbox"], Purpose::PageBenchOfRivals),
            (&["--against=workbox", "cold"], Purpose::PageBenchOfRivals),
            (&["--rivals"], Purpose::PageBenchOfRivals),
            (&["--rivals", "--browser", "firefox"], Purpose::PageBenchAnywhere),
        ];
        for (words, expected) in cases {
            assert_eq!(purpose(words), expected, "{words:?}");
        }
    }

    #[test]
    fn an_option_is_named_with_and_without_an_equals_sign() {
        let cases = [
            // words, named
            (["--ours", "old"], true),
            (["--ours=old", "cold"], true),
            (["--against", "ours"], false),
        ];
        for (words, named) in cases {
            assert_eq!(names(&words, "--ours"), named, "{words:?}");
        }
    }
}
