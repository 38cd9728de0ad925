//! Commands, started in the repository with the pinned tools first on the path.

use anyhow::{Context, Result};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// The repository's root.
///
/// # Errors
///
/// If xtask was started by anything but cargo.
pub(crate) fn root() -> Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    let root = Path::new(&package).parent().context("xtask has no parent folder")?;
    Ok(root.to_owned())
}

/// Where cargo puts what it builds: this program is there too.
///
/// # Errors
///
/// If this program's own path cannot be read.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).context("xtask does not stand in a target folder")?;
    Ok(target.to_owned())
}

/// A program, started in the repository, that finds the pinned tools in `path`.
///
/// # Errors
///
/// If xtask was started by anything but cargo.
pub(crate) fn program(name: &str, path: &OsString) -> Result<Command> {
    let mut command = Command::new(name);
    command.current_dir(root()?).env("PATH", path);
    forget_own_package(&mut command);
    Ok(command)
}

/// `cargo` with the words given, separated by spaces.
///
/// # Errors
///
/// If xtask was started by anything but cargo.
pub(crate) fn cargo(words: &str, path: &OsString) -> Result<Command> {
    let mut command = program("cargo", path)?;
    command.args(words.split_whitespace());
    Ok(command)
}

/// `cargo run` tells xtask about xtask; a build script that reads such a variable would run again
/// each time a developer changes between `cargo` and `cargo xtask`.
fn forget_own_package(command: &mut Command) {
    let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (name, _) in env::vars_os() {
        if own.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
}

/// The command as one would type it.
pub(crate) fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Where a program stands on the path, if it does.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_as_typed() {
        let mut command = Command::new("cargo");
        command.args(["test", "--workspace"]);

        assert_eq!(describe(&command), "cargo test --workspace");
    }

    #[test]
    fn only_what_exists_is_found() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program-at-all").is_none());
    }
}
