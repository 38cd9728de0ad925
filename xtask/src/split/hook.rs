//! What trunk runs after a release build: the program in its staging folder becomes several files.

use super::{Parts, constants::Constants, later::part_of, order, parse, split};
use crate::{
    command::{program, root},
    dist::files,
    step,
    tools::{self, Tool},
};
use anyhow::{Context, Result, bail};
use std::{
    collections::HashMap,
    env,
    ffi::OsString,
    fs,
    hash::{DefaultHasher, Hasher as _},
    path::{Path, PathBuf},
};

/// Names streams that a crate offers and the app never makes.
const DEAD: &str = "wasm_streams";
/// What wasm-opt does to each part. Twice more after flattening: 1 % less. Rust's stack lies in the
/// first 1 024 bytes, and no data.
const SMALLER: [&str; 11] = [
    "--detect-features",
    "-Oz",
    "--flatten",
    "--rereloop",
    "-Oz",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "-ocimfs=4",
    "--low-memory-unused",
];
/// What it does then: functions go where [`order`] wants them.
const ORDERED: [&str; 4] = [
    "--detect-features",
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-target-features",
];
/// Where wasm-bindgen's JavaScript meets the loader: what it gives the program, and what it does before
/// the program starts. Each with what follows it now.
const MEETINGS: [(&str, &str); 2] = [
    (
        "\"./miniature-app_bg.js\": import0,\n",
        "        later: { later: () => later.bringNow(), monitor: () => monitor.bringNow() },\n",
    ),
    (
        "await __wbg_load(await module_or_path, imports);\n",
        "    wasm = instance.exports;\n    await laterInTime();\n",
    ),
];
/// Loads the other parts: the end of that JavaScript.
const LOADER: &str = include_str!("../../../scripts/later.js");
/// Names of wasm-bindgen's own helpers, and shorter ones.
const SHORT: [(&str, &str); 9] = [
    ("addToExternrefTable0", "ae"),
    ("getArrayJsValueFromWasm0", "ga"),
    ("getDataViewMemory0", "dv"),
    ("getStringFromWasm0", "gs"),
    ("getUint8ArrayMemory0", "gu"),
    ("handleError", "he"),
    ("isLikeNone", "ln"),
    ("makeMutClosure", "mc"),
    ("passStringToWasm0", "ps"),
];
/// Where the loader names the files of the other parts.
const FILES: [&str; 2] = ["LATER_FILE", "MONITOR_FILE"];

/// Splits the program that trunk has just built, if it is a release.
///
/// # Errors
///
/// If trunk did not start this, or wasm-bindgen's files are not as they are known.
pub(crate) fn after_build() -> Result<()> {
    if env::var("TRUNK_PROFILE").is_ok_and(|profile| profile == "debug") {
        return Ok(());
    }
    let staging = env::var_os("TRUNK_STAGING_DIR").context("trunk runs this, after a build")?;
    let staging = PathBuf::from(staging);
    let path = tools::ensure(&[Tool::WasmOpt])?;
    let wasm = take(&staging, "_bg.wasm")?;
    let js = take(&staging, ".js")?;

    let constants = Constants::read(&linked()?)?;
    let Parts { first, others: [later, monitor], renamed } =
        split(&wasm.content, &constants, part_of, |function| function.contains(DEAD))?;
    let later = write(&staging, "miniature-later", ".wasm", &optimize(&later, &path)?)?;
    let monitor = write(&staging, "miniature-monitor", ".wasm", &optimize(&monitor, &path)?)?;
    let first = write(&staging, "miniature-app", "_bg.wasm", &optimize(&first, &path)?)?;
    let short = SHORT.map(|(old, new)| (old.to_owned(), new.to_owned()));
    let renamed = [renamed.as_slice(), &short].concat();
    let script = with_short_names(std::str::from_utf8(&js.content)?, &renamed);
    let script = with_loader(script, [&later, &monitor])?;
    let script = write(&staging, "miniature-app", ".js", script.as_bytes())?;

    shrink_lab(&staging, &path)?;
    let page = staging.join("index.html");
    let html = fs::read_to_string(&page)?;
    fs::write(page, html.replace(&wasm.name, &first).replace(&js.name, &script))?;
    Ok(())
}

/// The program as the linker made it, before wasm-bindgen.
fn linked() -> Result<Vec<u8>> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or(root()?.join("target"), PathBuf::from);
    let path = target.join("wasm32-unknown-unknown/wasm-release/miniature-app.wasm");
    fs::read(&path).with_context(|| format!("what was linked: {}", path.display()))
}

/// The dashboard's panel is a program of its own, under names that stay.
fn shrink_lab(staging: &Path, path: &OsString) -> Result<()> {
    let (wasm, js) = (staging.join("miniature-lab_bg.wasm"), staging.join("miniature-lab.js"));
    fs::write(&wasm, optimize(&parse(&fs::read(&wasm)?)?.emit_wasm(), path)?)?;
    Ok(fs::write(&js, bare(&fs::read_to_string(&js)?))?)
}

/// A file that trunk made.
#[derive(Debug)]
struct Made {
    name: String,
    content: Vec<u8>,
}

/// Takes the program's only file of a kind out of the folder.
fn take(staging: &Path, suffix: &str) -> Result<Made> {
    let name_of = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
    let mut names: Vec<String> = files(staging)?.iter().filter_map(name_of).collect();
    names.retain(|name| name.starts_with("miniature-app-") && name.ends_with(suffix));
    let [name] = names.as_slice() else {
        bail!("the program has not one file *{suffix} but {}: {names:?}", names.len());
    };
    let content = fs::read(staging.join(name))?;
    fs::remove_file(staging.join(name))?;
    Ok(Made { name: name.clone(), content })
}

/// Writes a file named by its content, and returns its name.
fn write(staging: &Path, start: &str, end: &str, content: &[u8]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    let name = format!("{start}-{:016x}{end}", hasher.finish());
    fs::write(staging.join(&name), content)?;
    Ok(name)
}

fn optimize(wasm: &[u8], path: &OsString) -> Result<Vec<u8>> {
    let small = rewrite(wasm, &SMALLER, path)?;
    rewrite(&order::with_places(&small)?, &ORDERED, path)
}

fn rewrite(wasm: &[u8], passes: &[&str], path: &OsString) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let (before, after) = (folder.path().join("before.wasm"), folder.path().join("after.wasm"));
    fs::write(&before, wasm)?;
    let mut command = program("wasm-opt", path)?;
    command.args(passes).arg(&before).arg("-o").arg(&after);
    step::quiet("make WebAssembly small", &mut command)?;
    Ok(fs::read(after)?)
}

/// A name is a word of the JavaScript, and stands nowhere else in it.
fn with_short_names(script: &str, renamed: &[(String, String)]) -> String {
    let new: HashMap<_, _> =
        renamed.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
    let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut short = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(start) = rest.find(is_of_word) {
        let (before, word) = rest.split_at(start);
        let (word, after) = word.split_at(word.find(|c| !is_of_word(c)).unwrap_or(word.len()));
        short.push_str(before);
        short.push_str(new.get(word).unwrap_or(&word));
        rest = after;
    }
    short + rest
}

fn with_loader(mut script: String, files: [&str; 2]) -> Result<String> {
    for (place, addition) in MEETINGS {
        if script.matches(place).count() != 1 {
            bail!("wasm-bindgen's JavaScript has not one `{place}`, where the loader belongs");
        }
        script = script.replace(place, &format!("{place}{addition}"));
    }
    let mut loader = LOADER.to_owned();
    for (place, file) in FILES.into_iter().zip(files) {
        loader = loader.replace(place, file);
    }
    Ok(bare(&[without_unused_classes(&script)?, loader].concat()))
}

/// Without the classes of exports that are gone (see [`super::UNUSED`]), which come first, and what frees
/// their objects.
fn without_unused_classes(script: &str) -> Result<String> {
    let start = script.find("function __wbg_get_imports").context("wasm-bindgen's imports")?;
    let (classes, others) = script.split_at(start);
    let count = |text| classes.matches(text).count();
    if count("export class ") != count("export class IntoUnderlying") {
        bail!("wasm-bindgen's JavaScript has a class that is not known to be unused");
    }
    let mut others = others.to_owned();
    while let Some(start) = others.find("const IntoUnderlying") {
        let end = others[start..].find(";\n").context("the end of a constant")?;
        others.replace_range(start..=start + end, "");
    }
    Ok(others)
}

/// Without comments and indentation. No script has a string of several lines that needs its indentation.
pub(crate) fn bare(script: &str) -> String {
    let is_comment = |line: &&str| ["//", "/*", "*"].iter().any(|start| line.starts_with(start));
    let lines = script.lines().map(str::trim_start);
    lines
        .filter(|line| !line.is_empty())
        .filter(|line| !is_comment(line))
        .fold(String::new(), |script, line| script + line + "\n")
}
