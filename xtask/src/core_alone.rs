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

/// What the core and its tests use of what the package depends on.
const USED: [&str; 7] =
    ["base64", "miniature-api", "proptest", "serde", "serde_json", "thiserror", "thumbhash"];

/// What the browser's console offers, in types.
const TYPES: &str = "public/cache-monitor.d.ts";

/// Writes it anew and returns its folder.
///
/// # Errors
///
/// If something cannot be read or written.
pub(crate) fn write() -> Result<PathBuf> {
    let (root, folder) = (root()?, target_dir()?.join("core"));
    for part in ["src", "api", "examples"] {
        let old = folder.join(part);
        if old.is_dir() {
            fs::remove_dir_all(&old)?;
        }
    }
    copy(&root.join("src/cache"), &folder.join("src/cache"))?;
    copy(&root.join("api"), &folder.join("api"))?;
    copy(&root.join("examples"), &folder.join("examples"))?;
    // A test compares its names with those of an export.
    fs::create_dir_all(folder.join("public"))?;
    fs::copy(root.join(TYPES), folder.join(TYPES))?;
    fs::write(folder.join("src/lib.rs"), "//! The core.\n\npub mod cache;\n")?;
    let whole = root.join("Cargo.toml");
    let whole = fs::read_to_string(&whole).with_context(|| whole.display().to_string())?;
    fs::write(folder.join("Cargo.toml"), manifest(&whole))?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::copy(root.join("rust-toolchain.toml"), folder.join("rust-toolchain.toml"))?;
    Ok(folder)
}

/// What the manifest of the whole says of the core.
fn manifest(whole: &str) -> String {
    let lines = |section: &str| {
        let heading = format!("[{section}]");
        let lines = whole.lines().skip_while(move |line| *line != heading).skip(1);
        lines.take_while(|line| !line.starts_with('[')).map(str::to_owned).collect::<Vec<_>>()
    };
    let used = |section: &str| {
        let name_of = |line: &str| line.split(['.', ' ']).next().map(str::to_owned);
        let is_used = |line: &String| name_of(line).is_some_and(|name| USED.contains(&&*name));
        lines(section).into_iter().filter(is_used).collect::<Vec<_>>().join("\n")
    };
    format!(
        "[workspace]\nmembers = [\".\", \"api\"]\nresolver = \"3\"\n\n\
         [workspace.package]\n{}\n\n[workspace.dependencies]\n{}\n\n[workspace.lints.rust]\n\n\
         [package]\nname = \"miniature\"\nversion.workspace = true\nedition.workspace = true\n\n\
         [dependencies]\n{}\n\n[dev-dependencies]\n{}\n\n\
         [profile.dev]\ndebug = false\nopt-level = 1\n",
        lines("workspace.package").join("\n"),
        used("workspace.dependencies"),
        used("dependencies"),
        used("dev-dependencies"),
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_has_the_features_that_the_whole_has() {
        let whole = "[workspace.package]\nedition = \"2024\"\n\n[workspace.dependencies]\n\
                     serde = { version = \"1\", features = [\"rc\"] }\ntokio = \"1\"\n\n\
                     [dependencies]\nserde.workspace = true\nleptos = \"0.8\"\n\n[dev-dependencies]\n";
        let manifest = manifest(whole);
        assert!(
            manifest.contains("\nserde = { version = \"1\", features = [\"rc\"] }\n"),
            "{manifest}"
        );
        assert!(manifest.contains("[dependencies]\nserde.workspace = true\n"), "{manifest}");
        assert!(!manifest.contains("tokio") && !manifest.contains("leptos"), "{manifest}");
    }
}
