//! The pure core as a workspace of its own, which builds in seconds: without the browser, the
//! signals and the app.
//!
//! `cargo xtask laws` and `cargo xtask mutants` change its code; a copy keeps their hands off the
//! repository.

use crate::command::{root, target_dir};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

const MANIFEST: &str = r#"[workspace]
members = [".", "api"]
resolver = "3"

[workspace.package]
version = "0.1.0"
edition = "2024"
rust-version = "1.95"
license = "MIT OR Apache-2.0"
publish = false

[workspace.dependencies]
miniature-api = { path = "api" }
proptest = { version = "1.12", default-features = false, features = ["std"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
thiserror = "2"

[workspace.lints.rust]

[package]
name = "miniature"
version.workspace = true
edition.workspace = true

[dependencies]
miniature-api.workspace = true
base64 = { version = "0.23", default-features = false, features = ["alloc"] }
thumbhash = "0.1"
serde.workspace = true
thiserror.workspace = true

[dev-dependencies]
proptest.workspace = true
serde_json.workspace = true

[profile.dev]
debug = false
opt-level = 1
"#;

/// Writes it anew and returns its folder.
///
/// # Errors
///
/// If something cannot be read or written.
pub(crate) fn write() -> Result<PathBuf> {
    let (root, folder) = (root()?, target_dir()?.join("core"));
    for part in ["src", "api"] {
        let old = folder.join(part);
        if old.is_dir() {
            fs::remove_dir_all(&old)?;
        }
    }
    copy(&root.join("src/cache"), &folder.join("src/cache"))?;
    copy(&root.join("api"), &folder.join("api"))?;
    fs::write(folder.join("src/lib.rs"), "//! The core.\n\npub mod cache;\n")?;
    fs::write(folder.join("Cargo.toml"), MANIFEST)?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::copy(root.join("rust-toolchain.toml"), folder.join("rust-toolchain.toml"))?;
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
