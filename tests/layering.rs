//! Holds the order of the house: `api < cache < browser < store < ui < app`.
//!
//! A module imports only from its left, and the pure core names no browser crate, waits for nothing
//! and shares nothing: it decides. The driver in the store, which acts, stays small.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the sources fails")]

use std::{
    fs,
    path::{Path, PathBuf},
};

const ORDER: [&str; 5] = ["cache", "browser", "store", "ui", "app"];

/// What the pure core must do without: the browser, signals, and any clock but the one passed in.
const NOT_IN_CACHE: [&str; 9] = [
    "web_sys",
    "js_sys",
    "wasm_bindgen",
    "leptos",
    "gloo",
    "rexie",
    "SystemTime",
    "Instant::now",
    "std::thread",
];

/// What the core must do without, as whole words: it is plain data with plain calls. Its tests may
/// share what stands for the world around it.
const NOT_WORDS_OF_CACHE: [&str; 9] =
    ["async", "await", "Future", "Cell", "RefCell", "OnceCell", "Mutex", "Timer", "spawn"];

/// Folders of `src/cache` that only tests are built with.
const TEST_FOLDERS: [&str; 3] = ["tests", "testing", "simulation"];

/// Lines in a file of the core; and in the driver, which decides nothing.
const CACHE_LINES: usize = 400;
const DRIVER_LINES: usize = 300;

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The code without its comments: these may name what they like.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that code names as `crate::module` or in `crate::{module, ...}`.
fn named(code: &str) -> Vec<&'static str> {
    let compact: String = code.split_whitespace().collect();
    let mut found = Vec::new();
    for (at, _) in compact.match_indices("crate::") {
        let rest = &compact[at + "crate::".len()..];
        let parts = if rest.starts_with('{') { top_level(rest) } else { vec![rest] };
        for module in ORDER {
            let starts = |part: &&str| {
                part.strip_prefix(module).is_some_and(|after| {
                    !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            };
            if parts.iter().any(starts) {
                found.push(module);
            }
        }
    }
    found
}

/// The parts of `{a::b, c::{d, e}}` at its own level.
fn top_level(braced: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 1, Vec::new());
    for (at, character) in braced.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                parts.push(&braced[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            parts.push(&braced[from..at]);
            break;
        }
    }
    parts
}

fn violations(module: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let place = |name: &str| ORDER.iter().position(|module| *module == name);
    let mut found: Vec<String> = named(&code)
        .iter()
        .filter(|other| place(other) > place(module))
        .map(|other| format!("names {other}"))
        .collect();
    if module == "cache" {
        let foreign = NOT_IN_CACHE.iter().filter(|name| code.contains(**name));
        found.extend(foreign.map(|name| format!("names {name}")));
    }
    found
}

/// Which of what the core must do without its code names.
fn impure(text: &str) -> Vec<&'static str> {
    let code = code(text);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words: Vec<&str> = code.split(|c| !is_word(c)).collect();
    NOT_WORDS_OF_CACHE.into_iter().filter(|word| words.contains(word)).collect()
}

fn is_for_tests(path: &Path) -> bool {
    path.iter().any(|part| TEST_FOLDERS.iter().any(|folder| part == *folder))
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap().lines().count()
}

#[test]
fn a_module_imports_only_from_its_left() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for module in ORDER {
        for path in sources(&src.join(module)) {
            let found = violations(module, &fs::read_to_string(&path).unwrap());
            assert!(found.is_empty(), "{} {found:?}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} files were found");
}

#[test]
fn the_core_is_plain_data_with_plain_calls() {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cache");
    let files = sources(&cache);
    for path in files.iter().filter(|path| !is_for_tests(path.strip_prefix(&cache).unwrap())) {
        let found = impure(&fs::read_to_string(path).unwrap());
        assert!(found.is_empty(), "{} names {found:?}", path.display());
    }
    for path in &files {
        let lines = lines(path);
        assert!(lines < CACHE_LINES, "{} has {lines} lines", path.display());
    }
    assert!(files.len() > 20, "only {} files were found", files.len());
}

#[test]
fn the_driver_is_small() {
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/driver.rs");
    let lines = lines(&driver);
    assert!(lines < DRIVER_LINES, "{lines} lines");
}

#[test]
fn what_the_core_must_not_name_is_noticed_as_a_word() {
    let cases = [
        ("a cell", "use std::cell::RefCell;", 1),
        ("a word that only begins alike", "struct Cells(CellX, FutureTense);", 0),
        ("an async function", "async fn f() { g().await }", 2),
        ("a comment", "let x = 1; // no Future, no Cell", 0),
        ("an own field", "self.timers.spawned = 1;", 0),
    ];
    for (name, text, expected) in cases {
        assert_eq!(impure(text).len(), expected, "{name}");
    }
}

#[test]
fn a_breach_is_noticed() {
    let cases = [
        ("a path", "cache", "use crate::browser::clock;", 1),
        ("a group", "store", "use crate::{\n    cache::key,\n    ui::{self, Initials},\n};", 1),
        ("deep within a group", "browser", "use crate::{api, cache::{app, ui}};", 0),
        ("to the left", "app", "use crate::{ui, store::Session};", 0),
        ("a word that only begins alike", "cache", "use crate::apple;", 0),
        ("a comment", "cache", "// see crate::browser and web_sys", 0),
        ("a foreign crate", "cache", "fn f(w: web_sys::Window) {}", 1),
        ("the machine's clock", "cache", "let t = std::time::SystemTime::now();", 1),
    ];
    for (name, module, text, expected) in cases {
        assert_eq!(violations(module, text).len(), expected, "{name}");
    }
}
