//! Times how fast pictures are on screen, for two builds of the frontend in alternation.
//!
//! ```text
//! cargo xtask bench page ─▶ miniature-bench-page ─┬▶ Chromium ─▶ Gate ─▶ miniature-server, ours
//!                                                 └▶ Chromium ─▶ Gate ─▶ miniature-server, the other
//! ```
//!
//! Each side has its own server with the demo people. `ada` has 100 friends; the first 50, the list's
//! first page, all have a picture. The page times itself (`stopwatch.js`).
//!
//! **Invariant:** a time ends once every picture is decoded and two more animation frames have passed.
//! Initials never count as a picture.

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its interface")]

mod ratio;
mod report;
mod scenario;
mod side;

use crate::{
    report::{FEWEST_ROUNDS, Report, Samples, count},
    scenario::{Sample, Scenario},
    side::Side,
};
use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use miniature_e2e::{
    engine::{Browser, Engine},
    server::Server,
    stop::asked_to_stop,
};
use std::{fs, path::PathBuf, process::ExitCode, thread};
use tokio::time::Instant;

/// Times how fast pictures are on screen, for two builds of the frontend in alternation.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; everything by default.
    scenarios: Vec<Scenario>,

    /// The build under test.
    #[arg(long, value_name = "DIR")]
    ours: PathBuf,

    /// The build to compare with.
    #[arg(long, value_name = "DIR")]
    against: PathBuf,

    /// The server program.
    #[arg(long, value_name = "FILE")]
    server: PathBuf,

    /// The server program for the other build, if it needs another one.
    #[arg(long, value_name = "FILE")]
    against_server: Option<PathBuf>,

    /// Measured rounds, after one warm-up round.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// A ratio (ours / against) is missed if its whole 95 % interval is above the bar.
    #[arg(long, default_value_t = 1.03)]
    bar: f64,

    /// Exit with an error if a ratio is missed. Needs 6 rounds.
    #[arg(long)]
    strict: bool,

    /// Also write the results as JSON.
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
    let samples = tokio::select! {
        samples = measure(arguments) => samples?,
        () = asked_to_stop() => bail!("stopped"),
    };
    let report = Report::new(&samples, arguments.bar);
    println!("\n{report}");
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_vec_pretty(&report)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    warn_if_busy();
    let missed = report.missed();
    if missed > 0 {
        println!("{missed} missed: the whole interval is above {}", arguments.bar);
    }
    Ok(missed == 0 || !arguments.strict)
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
async fn measure(arguments: &Arguments) -> Result<Samples> {
    let servers = start_servers(arguments).await?;
    let browser = Browser::start(Engine::Chromium).await?;
    let mut samples = Samples::default();
    let start = Instant::now();
    for round in 0..=arguments.rounds {
        let measured = walk(round, arguments, &browser, &servers).await;
        let [ours, against] = measured.with_context(|| format!("round {round}"))?;
        if round > 0 {
            samples.add(&ours, &against);
        }
        println!("round {round} of {}: {} s", arguments.rounds, start.elapsed().as_secs());
    }
    Ok(samples)
}

async fn start_servers(arguments: &Arguments) -> Result<[Server; 2]> {
    let Arguments { ours, against, server, against_server, .. } = arguments;
    for dist in [ours, against] {
        ensure!(dist.join("index.html").is_file(), "no index.html in {}", dist.display());
    }
    // One at a time: each draws the demo portraits first.
    let ours = Server::start(server, ours, tempfile::tempdir()?).await?;
    let against_server = against_server.as_ref().unwrap_or(server);
    let against = Server::start(against_server, against, tempfile::tempdir()?).await?;
    Ok([ours, against])
}

/// One round: fresh browsers, then each scenario on both sides. The side that goes first alternates.
async fn walk(
    round: u32,
    arguments: &Arguments,
    browser: &Browser,
    servers: &[Server; 2],
) -> Result<[Vec<Sample>; 2]> {
    let [ours, against] = servers;
    let mut sides = [Side::open(browser, ours).await?, Side::open(browser, against).await?];
    let order = if round.is_multiple_of(2) { [0, 1] } else { [1, 0] };
    let mut measured = [Vec::new(), Vec::new()];
    for scenario in arguments.walked() {
        for side in order {
            let samples = sides[side].walk(scenario).await?.into_iter();
            let wanted = samples.filter(|sample| arguments.wants(sample.measure.scenario()));
            measured[side].extend(wanted);
        }
    }
    for side in sides {
        side.close().await;
    }
    Ok(measured)
}

impl Arguments {
    fn wants(&self, scenario: Scenario) -> bool {
        self.scenarios.is_empty() || self.scenarios.contains(&scenario)
    }

    /// The wanted scenarios, after the first visit that they all build on.
    fn walked(&self) -> impl Iterator<Item = Scenario> {
        let all = Scenario::value_variants().iter().copied();
        all.filter(|scenario| *scenario == Scenario::Cold || self.wants(*scenario))
    }
}
