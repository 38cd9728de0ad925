//! `cargo xtask test`: everything that must hold, in the order in which it is cheapest to find out.
//!
//! All native steps select the whole workspace, so that each dependency is built with one set of
//! features, once.

use crate::{
    command::{cargo, find, program, root, target_dir},
    dist,
    setup::{self, Purpose},
    step::{self, Stopwatch, readable},
    tools::AXE,
};
use anyhow::{Context, Result, bail};
use std::{
    env,
    ffi::OsString,
    fs,
    net::{TcpStream, ToSocketAddrs},
    path::PathBuf,
    process::Command,
    time::Duration,
};

/// A part that can be run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Formatting, lints, documentation and tests without a browser.
    Native,
    /// Unit tests in Chromium and Firefox.
    Browser,
    /// The release build, and journeys through it in three browsers.
    Journeys,
}

impl Part {
    pub(crate) const ALL: &[Self] = &[Self::Native, Self::Browser, Self::Journeys];

    fn purpose(self) -> Purpose {
        match self {
            Self::Native => Purpose::Native,
            Self::Browser => Purpose::Browser,
            Self::Journeys => Purpose::Journeys,
        }
    }
}

/// Runs the parts, all steps of each whatever fails, and ends with a table.
///
/// # Errors
///
/// If any step fails.
pub(crate) fn run(parts: &[Part]) -> Result<()> {
    let mut report = Report::default();
    let watch = Stopwatch::start();
    for part in parts {
        match setup::prepare(part.purpose()) {
            Ok(path) => run_part(*part, &path, &mut report),
            Err(error) => report.add("setup", Duration::ZERO, Err(error)),
        }
    }
    report.print(watch.elapsed())
}

fn run_part(part: Part, path: &OsString, report: &mut Report) {
    match part {
        Part::Native => native(path, report),
        Part::Browser => browser(path, report),
        Part::Journeys => journeys(path, report),
    }
}

/// Holds dependencies to what is known against them. That is fetched from a server which a build need
/// not reach; where it cannot be reached, this says so.
fn check_advisories(name: &str, path: &OsString) -> Result<()> {
    let (host, within) = (("github.com", 443), Duration::from_secs(3));
    let addresses = host.to_socket_addrs().into_iter().flatten();
    let mut connections =
        addresses.take(2).map(|address| TcpStream::connect_timeout(&address, within));
    if !connections.any(|connection| connection.is_ok()) {
        eprintln!("{name}: NOT CHECKED, their database at {} cannot be reached", host.0);
        return Ok(());
    }
    step::quiet(name, &mut cargo("deny --workspace check advisories", path)?)
}

fn native(path: &OsString, report: &mut Report) {
    report.step("formatting", |name| step::quiet(name, &mut cargo("fmt --all --check", path)?));
    report.step("licences and sources", |name| {
        step::quiet(name, &mut cargo("deny --workspace check bans licenses sources", path)?)
    });
    report.step("advisories", |name| check_advisories(name, path));
    report.step("clippy", |name| {
        let words = "clippy --workspace --all-targets -- -D warnings";
        step::quiet(name, &mut cargo(words, path)?)
    });
    report.step("clippy for wasm32", |name| {
        let words = "clippy -p miniature --target wasm32-unknown-unknown --all-targets \
                     -- -D warnings";
        step::quiet(name, &mut cargo(words, path)?)
    });
    report.step("clippy with the dashboard in the program", |name| {
        let words = "clippy -p miniature --target wasm32-unknown-unknown --lib --features dashboard \
                     -- -D warnings";
        step::quiet(name, &mut cargo(words, path)?)
    });
    report.step("documentation", |name| {
        let mut command = cargo("doc --workspace --no-deps", path)?;
        step::quiet(name, command.env("RUSTDOCFLAGS", "-D warnings"))
    });
    report.step("build the native tests", |name| {
        step::quiet(name, &mut cargo("test --workspace --no-run", path)?)
    });
    report.step("native tests", |name| {
        // Those with several servers wait for minutes, and work little.
        let lanes = ["--lib --bins --test [!m]*", "--test m*", "--doc"];
        let command = |lane| cargo(&format!("test --workspace -q --no-fail-fast {lane}"), path);
        step::tests_beside(name, lanes.map(command).into_iter().collect::<Result<_>>()?)
    });
}

fn browser(path: &OsString, report: &mut Report) {
    report.step("build the browser tests", |name| {
        let mut command = browser_tests(path)?;
        step::quiet(name, command.arg("--no-run"))
    });
    report.step("browser tests in Chromium", |name| {
        let driver = find("chromedriver").context("chromedriver is missing")?;
        let mut command = browser_tests(path)?;
        step::tests(name, command.env_remove("GECKODRIVER").env("CHROMEDRIVER", driver))
    });
    report.step("browser tests in Firefox", |name| {
        let mut command = browser_tests(path)?;
        step::tests(name, command.env_remove("CHROMEDRIVER").env("GECKODRIVER", "geckodriver"))
    });
}

/// The runner reads what to tell the browser from `webdriver.json`.
fn browser_tests(path: &OsString) -> Result<Command> {
    let mut command =
        cargo("test -p miniature --target wasm32-unknown-unknown --test browser", path)?;
    command
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner")
        // Seconds, for all tests together: filling a quota takes its time.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "30");
    Ok(command)
}

fn journeys(path: &OsString, report: &mut Report) {
    let built = report.step("release build", |_| dist::build_frontend(path));
    if built {
        report.step("weight of the program", |_| dist::weigh());
    }
    let served = report.step("build the server and the journeys", |name| {
        // With the tests, so that features are those of the other native steps.
        step::quiet(name, &mut cargo("build --workspace --bins --tests", path)?)
    });
    let peopled = served && report.step("demo people", |name| demo_people(name, path));
    for (browser, name) in
        [("chromium", "Chromium"), ("firefox", "Firefox"), ("webkit", "WebKitGTK")]
    {
        report.step(&format!("journeys in {name}"), |name| {
            if !(built && peopled) {
                bail!("not run: there is nothing to run it against");
            }
            step::tests(name, &mut journeys_in(browser, path)?)
        });
    }
}

/// Draws the demo people once, for all browsers.
fn demo_people(name: &str, path: &OsString) -> Result<()> {
    let folder = demo_folder()?;
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    let server = target_dir()?.join("debug/miniature-server");
    let mut command = program(&server.to_string_lossy(), path)?;
    // Someone has a list that takes long to scroll through.
    step::quiet(name, command.args(["demo", "--crowd", "10000", "--data"]).arg(folder))
}

fn demo_folder() -> Result<PathBuf> {
    Ok(target_dir()?.join("journeys/demo"))
}

fn journeys_in(browser: &str, path: &OsString) -> Result<Command> {
    let debug = target_dir()?.join("debug");
    let mut command = program(&debug.join("journeys").to_string_lossy(), path)?;
    command
        .env("MINIATURE_BROWSER", browser)
        .env("MINIATURE_SERVER_BIN", debug.join("miniature-server"))
        .env("MINIATURE_DIST", root()?.join("dist"))
        .env("MINIATURE_DEMO_DATA", demo_folder()?)
        .env("MINIATURE_AXE", axe_in(path).context("axe is not installed")?)
        .env("MINIATURE_EVIDENCE", target_dir()?.join("journeys"));
    Ok(command)
}

/// Where the script of [`Tool::Axe`](crate::tools::Tool::Axe) lies.
fn axe_in(path: &OsString) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(AXE)).find(|file| file.is_file())
}

/// What each step came to.
#[derive(Debug, Default)]
struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    took: Duration,
    error: Option<String>,
}

impl Report {
    /// Runs a step and notes it; true if it succeeded.
    fn step(&mut self, name: &str, run: impl FnOnce(&str) -> Result<()>) -> bool {
        let watch = Stopwatch::start();
        let result = run(name);
        let succeeded = result.is_ok();
        self.add(name, watch.elapsed(), result);
        succeeded
    }

    fn add(&mut self, name: &str, took: Duration, result: Result<()>) {
        let error = result.err().map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            eprintln!("error: {error}");
        }
        self.rows.push(Row { name: name.to_owned(), took, error });
    }

    fn print(&self, took: Duration) -> Result<()> {
        println!();
        for row in &self.rows {
            let verdict = row.error.as_deref().unwrap_or("ok");
            println!("{:<36} {:>12}  {verdict}", row.name, readable(row.took));
        }
        println!("{:<36} {:>12}", "in all", readable(took));
        let failed = self.rows.iter().filter(|row| row.error.is_some()).count();
        if failed > 0 {
            bail!("{failed} of {} steps failed", self.rows.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_step_fails_the_run_and_stops_no_other() {
        let mut report = Report::default();

        report.step("first", |_| bail!("broken"));
        report.step("second", |_| Ok(()));

        assert_eq!(report.rows.len(), 2);
        let error = report.print(Duration::ZERO).unwrap_err();
        assert_eq!(error.to_string(), "1 of 2 steps failed");
    }
}
