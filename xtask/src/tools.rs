//! The build tools that cargo does not manage, each at exactly one version.
//!
//! A tool lives in `$XDG_CACHE_HOME/miniature/<tool>-<version>` (`~/.cache` by default) and is used
//! by putting that folder first on the path. It is installed beside its final place and renamed
//! when it is whole, so a folder that is there is complete and an interrupted install is taken up
//! again.

use crate::{
    command::{describe, find, root},
    step,
};
use anyhow::{Context, Result, bail};
use std::{
    env,
    ffi::OsString,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// A tool at a pinned version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Builds and serves the frontend. 0.22 needs a newer Rust than the one pinned.
    Trunk,
    /// Binds WebAssembly to JavaScript; at exactly the version of the crate in `Cargo.lock`.
    WasmBindgen,
    /// Makes WebAssembly small. Debian's 108 makes modules that fail at start.
    WasmOpt,
    /// Drives Firefox.
    Geckodriver,
    /// An S3-compatible store that checks signatures. Later versions need a newer Rust.
    S3Store,
    /// Checks licences and sources of dependencies.
    Deny,
    /// Changes code in small ways and asks whether a test notices.
    Mutants,
    /// Asks an API what its description allows, and much that it does not.
    Schemathesis,
    /// Looks through a page for what keeps people out: a script, no program.
    Axe,
    /// Makes the service worker that the page is measured against: scripts, no program.
    Workbox,
}

impl Tool {
    fn package(self) -> &'static str {
        match self {
            Self::Trunk => "trunk",
            Self::WasmBindgen => "wasm-bindgen-cli",
            Self::WasmOpt => "binaryen",
            Self::Geckodriver => "geckodriver",
            Self::S3Store => "s3s-fs",
            Self::Deny => "cargo-deny",
            Self::Mutants => "cargo-mutants",
            Self::Schemathesis => "schemathesis",
            Self::Axe => "axe-core",
            Self::Workbox => "workbox",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Trunk => "trunk",
            Self::WasmBindgen => "wasm-bindgen",
            Self::WasmOpt => "wasm-opt",
            Self::Geckodriver => "geckodriver",
            Self::S3Store => "s3s-fs",
            Self::Deny => "cargo-deny",
            Self::Mutants => "cargo-mutants",
            Self::Schemathesis => "schemathesis",
            Self::Axe => AXE,
            Self::Workbox => WORKBOX,
        }
    }

    fn version(self) -> Result<String> {
        Ok(match self {
            Self::Trunk => "0.21.14".to_owned(),
            Self::WasmBindgen => locked_version("wasm-bindgen")?,
            Self::WasmOpt => "132".to_owned(),
            Self::Geckodriver => "0.37.1".to_owned(),
            Self::S3Store => "0.14.1".to_owned(),
            Self::Deny => "0.20.2".to_owned(),
            Self::Mutants => "27.1.0".to_owned(),
            Self::Schemathesis => "4.32.5".to_owned(),
            Self::Axe => "4.14.1".to_owned(),
            Self::Workbox => "7.4.1".to_owned(),
        })
    }

    /// Where its programs stand within its folder.
    fn bin(self) -> &'static str {
        match self {
            Self::WasmOpt => "node_modules/.bin",
            Self::Axe => "node_modules/axe-core",
            Self::Workbox => "node_modules",
            _ => "bin",
        }
    }

    /// The command that installs it into a folder, by way of another under `home`.
    fn install(self, version: &str, folder: &Path, home: &Path) -> Result<Command> {
        match self {
            Self::WasmOpt | Self::Axe => npm_install(&[self.package()], version, folder),
            Self::Workbox => npm_install(&WORKBOX_PACKAGES, version, folder),
            Self::Trunk => {
                let mut command = cargo_install(self.package(), version, folder, home);
                // Without its default features: no update check, which would call home.
                command.args(["--locked", "--no-default-features", "--features", "rustls"]);
                Ok(command)
            }
            // Not locked: its lock file names a dependency that is no longer to be had.
            Self::WasmBindgen => Ok(cargo_install(self.package(), version, folder, home)),
            Self::S3Store => {
                let mut command = cargo_install(self.package(), version, folder, home);
                command.args(["--locked", "--features", "binary"]);
                Ok(command)
            }
            Self::Schemathesis => pip_install(self.package(), version, folder),
            Self::Geckodriver | Self::Deny | Self::Mutants => {
                let mut command = cargo_install(self.package(), version, folder, home);
                command.arg("--locked");
                Ok(command)
            }
        }
    }
}

/// The file of [`Tool::Axe`].
pub(crate) const AXE: &str = "axe.min.js";
/// By which [`Tool::Workbox`] is known, within its folder.
pub(crate) const WORKBOX: &str = "workbox-core/package.json";
/// Those that bring in the others.
const WORKBOX_PACKAGES: [&str; 3] =
    ["workbox-precaching", "workbox-expiration", "workbox-cacheable-response"];

/// Makes sure that the tools are there and returns a `PATH` on which they come first.
///
/// # Errors
///
/// If a tool cannot be installed; the installer's output has been shown.
pub(crate) fn ensure(tools: &[Tool]) -> Result<OsString> {
    let mut folders = Vec::new();
    for &tool in tools {
        folders.extend(ensure_one(tool)?);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    folders.extend(env::split_paths(&path));
    Ok(env::join_paths(folders)?)
}

/// Where to find the tool; none if what is on the path already is exactly it.
fn ensure_one(tool: Tool) -> Result<Option<PathBuf>> {
    let version = tool.version()?;
    let name = format!("{}-{version}", tool.package());
    let home = cache_dir()?;
    let folder = home.join(&name);
    if !folder.is_dir() {
        if find(tool.program()).is_some_and(|program| answers_version(tool, &program, &version)) {
            return Ok(None);
        }
        install(tool, &version, &name, &home)?;
    }
    Ok(Some(folder.join(tool.bin())))
}

fn install(tool: Tool, version: &str, name: &str, home: &Path) -> Result<()> {
    fs::create_dir_all(home)?;
    let _lock = locked(home)?;
    let folder = home.join(name);
    if folder.is_dir() {
        return Ok(());
    }
    let partial = home.join(format!(".partial-{name}"));
    fs::create_dir_all(&partial)?;
    step::quiet(&format!("install {name}"), &mut tool.install(version, &partial, home)?)?;
    let program = partial.join(tool.bin()).join(tool.program());
    if !answers_version(tool, &program, version) {
        bail!("{} was installed but does not answer as version {version}", tool.program());
    }
    fs::rename(&partial, &folder).context("cannot put the tool in its place")
}

/// Two at once would build the same thing into the same place.
fn locked(home: &Path) -> Result<File> {
    let lock = File::create(home.join(".lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn cargo_install(package: &str, version: &str, folder: &Path, home: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.args(["install", package, "--version", version, "--force"]);
    command.arg("--root").arg(folder).arg("--target-dir").arg(build_folder(home));
    // They run for seconds, so that what makes them quick is never earned back. But for the one that works
    // through the whole program.
    let level = if package == Tool::WasmBindgen.package() { "1" } else { "0" };
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level).env("CARGO_PROFILE_RELEASE_LTO", "off");
    command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    command.env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    command
}

/// One for all tools, which have much in common. An interrupted build goes on where it stopped.
fn build_folder(home: &Path) -> PathBuf {
    home.join(".build")
}

/// Removes it, once nothing more is to be built.
///
/// # Errors
///
/// If it cannot be removed.
pub(crate) fn drop_build_files() -> Result<()> {
    let home = cache_dir()?;
    let folder = build_folder(&home);
    if folder.is_dir() {
        let _lock = locked(&home)?;
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn npm_install(packages: &[&str], version: &str, folder: &Path) -> Result<Command> {
    find("npm").context("npm is missing: install Node.js (Debian: apt-get install npm)")?;
    let mut command = Command::new("npm");
    command.args(["install", "--no-audit", "--no-fund", "--prefix"]);
    command.arg(folder).args(packages.iter().map(|package| format!("{package}@{version}")));
    Ok(command)
}

/// Into a folder that can be moved, with a program that finds it from wherever it stands.
fn pip_install(package: &str, version: &str, folder: &Path) -> Result<Command> {
    find("python3").context("python3 is missing: install it (Debian: apt-get install python3)")?;
    let site = folder.join("site");
    let program = folder.join("bin").join(package);
    fs::create_dir_all(folder.join("bin"))?;
    let script = format!(
        "#!/bin/sh\nPYTHONPATH=\"$(dirname \"$0\")/../site\" exec python3 -m {package}.cli \"$@\"\n"
    );
    fs::write(&program, script)?;
    fs::set_permissions(&program, Permissions::from_mode(0o755))?;
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "install", "--quiet", "--root-user-action", "ignore", "--target"]);
    command.arg(site).arg(format!("{package}=={version}"));
    Ok(command)
}

fn answers_version(tool: Tool, program: &Path, version: &str) -> bool {
    let says = |words: &str| fs::read_to_string(program).is_ok_and(|text| text.contains(words));
    match tool {
        Tool::Axe => return says(&format!("axe v{version}")),
        Tool::Workbox => return says(&format!("\"version\": \"{version}\"")),
        _ => {}
    }
    let mut command = Command::new(program);
    // This one knows its version only as a command of cargo's.
    command.args((tool == Tool::Mutants).then_some("mutants")).arg("--version");
    let Ok(output) = command.output() else {
        return false;
    };
    String::from_utf8_lossy(&output.stdout).split_whitespace().any(|word| word == version)
}

fn cache_dir() -> Result<PathBuf> {
    let home = match env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(home.join("miniature"))
}

/// The version of a crate in `Cargo.lock`.
fn locked_version(package: &str) -> Result<String> {
    let file = root()?.join("Cargo.lock");
    let lock = fs::read_to_string(&file).context("Cargo.lock is missing")?;
    parse_locked_version(&lock, package)
        .with_context(|| format!("{package} is not in {}", file.display()))
}

fn parse_locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = lines.next()?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

/// Makes sure that Rust can build for the browser, the standard library included.
///
/// # Errors
///
/// If the target or the sources are missing and rustup cannot add them.
pub(crate) fn ensure_rust_parts() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let installed = sysroot()?.join("lib/rustlib");
    if !installed.join(TARGET).is_dir() {
        rustup("add the wasm32 target", &["target", "add", TARGET])?;
    }
    if !installed.join("src/rust/library").is_dir() {
        rustup("add the sources of std", &["component", "add", "rust-src"])?;
    }
    Ok(())
}

fn sysroot() -> Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "sysroot"]).current_dir(root()?);
    let output = rustc.output().with_context(|| format!("cannot start {}", describe(&rustc)))?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn rustup(step: &str, words: &[&str]) -> Result<()> {
    let mut rustup = Command::new("rustup");
    rustup.args(words).current_dir(root()?);
    step::quiet(step, &mut rustup)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_the_lock_file_is_that_of_the_crate_named() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";

        assert_eq!(parse_locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(parse_locked_version(lock, "absent"), None);
    }

    #[test]
    fn a_program_that_is_not_there_has_no_version() {
        assert!(!answers_version(Tool::Trunk, Path::new("/nowhere/trunk"), "0.21.14"));
    }
}
