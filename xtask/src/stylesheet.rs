//! One stylesheet out of many: a file a component to write, one request to load.
//!
//! trunk runs this before each build (`Trunk.toml`) and gives the result its hashed name.

use crate::command::root;
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Declares what every other file uses, so it comes first.
const FIRST: &str = "tokens.css";

/// Joins `style/*.css` into `target/miniature.css`, which `index.html` links.
///
/// # Errors
///
/// If a file cannot be read or written.
pub(crate) fn write() -> Result<()> {
    let root = root()?;
    let css = join(&root.join("style"))?;
    // Not cargo's target folder, which can be elsewhere: index.html names this one.
    fs::create_dir_all(root.join("target"))?;
    fs::write(root.join("target/miniature.css"), css).context("cannot write the stylesheet")
}

fn join(folder: &Path) -> Result<String> {
    let mut css = String::new();
    for file in ordered(folder)? {
        let part =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        css.push_str(&part);
        css.push('\n');
    }
    Ok(css)
}

/// The stylesheets by name, with the tokens first.
fn ordered(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).context("cannot read style/")? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "css") {
            files.push(file);
        }
    }
    files.sort_by_key(|file| (!file.ends_with(FIRST), file.clone()));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_come_first_and_the_rest_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["modal.css", "tokens.css", "avatar.css", "notes.txt"] {
            fs::write(folder.path().join(name), format!("/* {name} */")).unwrap();
        }

        let css = join(folder.path()).unwrap();

        assert_eq!(css, "/* tokens.css */\n/* avatar.css */\n/* modal.css */\n");
    }
}
