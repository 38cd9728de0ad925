//! Tells the service worker what this build is made of, and the page that there is one.
//!
//! `trunk serve` does neither: there the script names no files, and no page registers it.

use crate::{dist::MONITOR, previous_build::own_files, split::bare};
use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

/// The worker's script in `public/` and `dist/`.
pub(crate) const SCRIPT: &str = "sw.js";
/// What an installed app needs beside what its page loads by names of their content.
const OTHERS: [&str; 4] = ["icon-192.png", "icon-512.png", "icon.svg", "manifest.webmanifest"];
/// What stands in the script, each with what precedes its value.
const FILES: &str = "const FILES = []";
const PAGE_HASH: &str = "const PAGE_HASH = \"\"";
const VERSION: &str = "const VERSION = \"\"";
/// Where the page is told.
const HEAD_ENDS: &str = "</head>";

/// Completes a build in `folder`, before it is compressed.
///
/// # Errors
///
/// If a file is missing, or the script or the page is not as it is known.
pub(crate) fn fill_in(folder: &Path) -> Result<()> {
    let page = folder.join("index.html");
    let html = fs::read_to_string(&page)?;
    let version = &hash_of(&html)[..16];
    let html = replace_once(&html, HEAD_ENDS, &format!("{}{HEAD_ENDS}", told(version)))?;
    fs::write(page, &html)?;

    let mut files = own_files(folder)?;
    // A developer asks for it, and an installed app would load it for everybody.
    files.retain(|file| !file.to_string_lossy().starts_with(MONITOR));
    files.extend(OTHERS.map(Into::into));
    for file in &files {
        ensure!(folder.join(file).exists(), "dist/ has no {}", file.display());
    }
    let names: Vec<String> = files.iter().map(|file| format!("\"/{}\"", file.display())).collect();
    let path = folder.join(SCRIPT);
    let script = fs::read_to_string(&path).context("the service worker")?;
    let script = replace_once(&script, FILES, &format!("const FILES = [{}]", names.join(", ")))?;
    let hash = hash_of(&html);
    let script = replace_once(&script, PAGE_HASH, &format!("const PAGE_HASH = \"{hash}\""))?;
    let script = replace_once(&script, VERSION, &format!("const VERSION = \"{version}\""))?;
    Ok(fs::write(path, bare(&script))?)
}

/// What tells the page that it has a worker, and what the build is called. The server takes it out where
/// there is to be none.
fn told(version: &str) -> String {
    format!(r#"<meta name="miniature-worker" content="/sw.js" data-version="{version}">"#)
}

fn hash_of(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn replace_once(text: &str, old: &str, new: &str) -> Result<String> {
    ensure!(text.matches(old).count() == 1, "{old:?} does not stand there once");
    Ok(text.replace(old, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_names_what_the_page_loads_and_the_page_as_it_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let get = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        put("index.html", "<head></head><script src=/app-0123456789abcdef.js></script>");
        let monitor = format!("{MONITOR}0123456789abcdef.wasm");
        let program = format!("'app-0123456789abcdef_bg.wasm', '{monitor}'");
        put("app-0123456789abcdef.js", &program);
        put(&monitor, "program");
        put("app-0123456789abcdef_bg.wasm", "program");
        put("app-aaaaaaaaaaaaaaaa.js", "of the build before");
        put(SCRIPT, &format!("// Why.\n{VERSION};\n  {FILES};\n{PAGE_HASH};\n"));
        assert!(fill_in(folder.path()).is_err(), "no icons");

        put("index.html", "<head></head><script src=/app-0123456789abcdef.js></script>");
        OTHERS.iter().for_each(|name| put(name, "icon"));
        fill_in(folder.path()).unwrap();

        let (page, script) = (get("index.html"), get(SCRIPT));
        assert!(script.contains(&hash_of(&page)), "{script}");
        let version = script.split('"').nth(1).unwrap();
        assert!(page.starts_with(&format!("<head>{}</head>", told(version))), "{page}");
        assert!(script.contains("\"/app-0123456789abcdef.js\", \"/app-0123456789abcdef_bg.wasm\""));
        assert!(script.contains("\"/icon.svg\""), "{script}");
        assert!(!script.contains("aaaaaaaaaaaaaaaa") && !script.contains(&monitor), "{script}");
        assert!(!script.contains("Why") && !script.contains("\n "), "{script}");
    }
}
