//! Times how fast pictures are on screen, for our build of the frontend and others in alternation.
//!
//! ```text
//! cargo xtask bench page ─▶ miniature-bench-page ─┬▶ browser ─▶ Gate ─▶ miniature-server, ours
//!                                                 ├▶ browser ─▶ Gate ─▶ miniature-server, another build
//!                                                 └▶ browser ─▶ Gate ─▶ miniature-server, a rival's page
//! ```
//!
//! Each side has its own server with the demo people. `ada` has 100 friends; the first 50, the list's
//! first page, all have a picture. The page times itself (`stopwatch.js`).
//!
//! **Invariant:** a time ends once every picture is decoded and two more animation frames have passed.
//! Initials never count as a picture.

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its interface")]

mod contestant;
mod overview;
mod ratio;
mod report;
mod rival;
mod scenario;
mod side;

use crate::{
    contestant::{Contestant, start_all},
    overview::Overview,
    report::{FEWEST_ROUNDS, Report, Samples, count},
    rival::{Opponent, Rival},
    scenario::{Outcome, Scenario},
    side::Side,
};
use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use miniature_e2e::{
    engine::{Browser, Engine},
    stop::asked_to_stop,
};
use std::{fs, path::PathBuf, process::ExitCode, thread};
use tokio::time::Instant;

/// Times how fast pictures are on screen, for our build of the frontend and others in alternation.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; everything by default.
    scenarios: Vec<Scenario>,

    /// The build under test.
    #[arg(long, value_name = "DIR")]
    ours: PathBuf,

    /// What to compare with, once or more: another build, or `plain`, `plain-list` or `workbox`.
    #[arg(long, value_name = "DIR|RIVAL", required_unless_present_any = ["rivals", "panel"])]
    against: Vec<Opponent>,

    /// Compare with `plain`, `plain-list` and `workbox`.
    #[arg(long)]
    rivals: bool,

    /// Open the dashboard's panel in the build under test; beside the same build, unless something else is named.
    #[arg(long)]
    panel: bool,

    /// What renders the pages: `chromium`, `firefox` or `webkit`. Only Chromium restarts, and reloads offline.
    #[arg(long, default_value = "chromium")]
    browser: Engine,

    /// The server program.
    #[arg(long, value_name = "FILE")]
    server: PathBuf,

    /// The server program for the other builds, if they need another one.
    #[arg(long, value_name = "FILE")]
    against_server: Option<PathBuf>,

    /// A `node_modules` with the packages of Workbox in it.
    #[arg(long, value_name = "DIR")]
    workbox: Option<PathBuf>,

    /// Measured rounds, after one warm-up round.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// A ratio (ours / against) is missed if its whole 95 % interval is above the bar.
    #[arg(long, default_value_t = 1.03)]
    bar: f64,

    /// Exit with an error if a ratio is missed. Needs 6 rounds.
    #[arg(long)]
    strict: bool,

    /// Also write the results as JSON: a list, an entry for each that ours is compared with.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and reports. Returns false if `--strict` is set and a ratio is missed.
async fn run(arguments: &Arguments) -> Result<bool> {
    let enough = usize::try_from(arguments.rounds)? >= FEWEST_ROUNDS;
    ensure!(enough || !arguments.strict, "--strict needs at least {FEWEST_ROUNDS} rounds");
    // Dropping the measurement ends browsers, drivers and servers.
    let reports = tokio::select! {
        reports = measure(arguments) => reports?,
        () = asked_to_stop() => bail!("stopped"),
    };
    print(&reports);
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_vec_pretty(&reports)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    warn_if_busy();
    let missed: usize = reports.iter().map(Report::missed).sum();
    if missed > 0 {
        println!("{missed} missed: the whole interval is above {}", arguments.bar);
    }
    Ok(missed == 0 || !arguments.strict)
}

fn print(reports: &[Report]) {
    for report in reports {
        println!("\n{report}");
    }
    if reports.len() > 1 {
        println!("{}", Overview(reports));
    }
}

/// Warns if the load average of the last 5 minutes exceeds the number of cores.
///
/// # Source
///
/// proc_loadavg(5): the second number.
fn warn_if_busy() {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = text.split_whitespace().nth(1).and_then(|load| load.parse::<f64>().ok());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if let Some(load) = load.filter(|load| *load > count(cores)) {
        println!("busy machine, wide intervals: load average {load} on {cores} cores");
    }
}

/// Runs all rounds. Round 0 is not counted: it fills the servers' caches.
async fn measure(arguments: &Arguments) -> Result<Vec<Report>> {
    let contestants = start_all(arguments).await?;
    let browser = Browser::start(arguments.browser).await?;
    let mut samples = Samples::default();
    let start = Instant::now();
    for round in 0..=arguments.rounds {
        let measured = walk(round, arguments, &browser, &contestants).await;
        let measured = measured.with_context(|| format!("round {round}"))?;
        if round > 0 {
            samples.add(measured);
        }
        println!("round {round} of {}: {} s", arguments.rounds, start.elapsed().as_secs());
    }
    let others = contestants.iter().enumerate().skip(1);
    let report = |(side, other): (usize, &Contestant)| {
        Report::new(&samples, side, &other.name, arguments.bar)
    };
    Ok(others.map(report).collect())
}

/// One round: fresh browsers, then each scenario on all sides. The side that goes first changes.
async fn walk(
    round: u32,
    arguments: &Arguments,
    browser: &Browser,
    contestants: &[Contestant],
) -> Result<Vec<Vec<Outcome>>> {
    let mut sides = Vec::new();
    for Contestant { server, rival, panel, .. } in contestants {
        let mut side = Side::open(browser, server, *rival).await?;
        if *panel {
            side.open_panel().await?;
        }
        sides.push(side);
    }
    let mut order: Vec<usize> = (0..sides.len()).collect();
    order.rotate_left(usize::try_from(round)? % sides.len());
    let mut measured = vec![Vec::new(); sides.len()];
    for scenario in arguments.walked() {
        for &side in &order {
            let outcomes = sides[side].walk(scenario).await;
            let outcomes = outcomes.with_context(|| contestants[side].name.clone())?.into_iter();
            let wanted = outcomes.filter(|out| arguments.wants(out.measure().scenario()));
            measured[side].extend(wanted);
        }
    }
    for side in sides {
        side.close().await;
    }
    Ok(measured)
}

impl Arguments {
    /// What ours is compared with, each once.
    fn opponents(&self) -> Vec<Opponent> {
        let rivals = if self.rivals { Rival::value_variants() } else { &[] };
        let mut opponents = self.against.clone();
        opponents.extend(rivals.iter().copied().map(Opponent::Rival));
        if opponents.is_empty() && self.panel {
            opponents.push(Opponent::Build(self.ours.clone()));
        }
        let mut seen = Vec::new();
        opponents.retain(|opponent| {
            let is_new = !seen.contains(opponent);
            seen.push(opponent.clone());
            is_new
        });
        opponents
    }

    fn wants(&self, scenario: Scenario) -> bool {
        self.scenarios.is_empty() || self.scenarios.contains(&scenario)
    }

    /// The wanted scenarios, after the first visit that they all build on.
    fn walked(&self) -> impl Iterator<Item = Scenario> {
        let all = Scenario::value_variants().iter().copied();
        all.filter(|scenario| *scenario == Scenario::Cold || self.wants(*scenario))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, clap::Error> {
        let program = "bench --ours dist --server server";
        Arguments::try_parse_from(program.split(' ').chain(words.split(' ')))
    }

    #[test]
    fn opponents_are_named_one_by_one_or_all_rivals_at_once() {
        let plain = Opponent::Rival(Rival::Plain);
        let cases = [
            ("--against plain cold", vec![plain.clone()]),
            ("--against old --against plain", vec![Opponent::Build("old".into()), plain.clone()]),
            (
                "--rivals --against plain",
                vec![plain, Opponent::Rival(Rival::PlainList), Opponent::Rival(Rival::Workbox)],
            ),
        ];
        for (words, expected) in cases {
            assert_eq!(parse(words).unwrap().opponents(), expected, "{words}");
        }
    }

    #[test]
    fn there_is_something_to_compare_with() {
        assert!(parse("cold").is_err());
        assert!(parse("--rivals --browser opera").is_err());
    }
}
