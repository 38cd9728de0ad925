//! Journeys through the built app, in one browser, against a real server.
//!
//! ```text
//! browser ─▶ Gate (ours: delays, outages, a moved clock, a log) ─▶ miniature-server
//! ```
//!
//! `cargo xtask test e2e` builds what this needs and runs it three times. By hand:
//!
//! ```text
//! MINIATURE_BROWSER=chromium|firefox|webkit MINIATURE_SERVER_BIN=... MINIATURE_DIST=dist \
//!     MINIATURE_AXE=.../axe.min.js journeys [part of a journey's name]
//! ```
//!
//! Those that take the time run first and alone; then lanes run beside each other, each against a server of its
//! own: one takes those that work, then helps the others with those that wait.
//!
//! **Invariant:** at the end of each journey the page has had no panic, no console error and no
//! violation of its Content-Security-Policy, whatever else the journey was about.

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its report")]

mod journeys;

use crate::journeys::{Company, Journey};
use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use miniature_e2e::{
    counters,
    engine::{Browser, Engine, has_ended},
    gate, page,
    people::pictured_friends,
    sampler,
    sampler::Pictured,
    server::Server,
    stop::asked_to_stop,
    visit,
    visit::Visit,
};
use std::{
    cell::RefCell, collections::VecDeque, env, fmt, path::PathBuf, process::ExitCode,
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// Enough for the slowest engine on a busy machine; a journey that hangs is a failure.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> ExitCode {
    // Dropping what runs ends the browser, the drivers and the server, so a signal only wins a race.
    let outcome = tokio::select! {
        outcome = run() => outcome,
        () = asked_to_stop() => Err(anyhow::anyhow!("stopped")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all journeys, or those whose name contains the first argument; true if none failed.
async fn run() -> Result<bool> {
    let wanted = env::args().nth(1).unwrap_or_default();
    let engine = Engine::from_environment()?;
    println!("{engine}");
    let wanted = journeys::ALL.iter().filter(|journey| journey.name.contains(&wanted));
    let in_company = |company| {
        let journeys = wanted.clone().filter(move |journey| journey.company == company);
        RefCell::new(journeys.collect::<VecDeque<&Journey>>())
    };
    let (timed, busy, patient) =
        (in_company(Company::None), in_company(Company::Patient), in_company(Company::Any));
    let next = |queue: &RefCell<VecDeque<&'static Journey>>| queue.borrow_mut().pop_front();
    let mut walked = vec![walk_all(|| next(&timed), engine).await?];
    let lanes = (0..lanes(engine)).map(|lane| {
        let own = if lane == 0 { &busy } else { &patient };
        walk_all(|| next(own).or_else(|| next(&patient)), engine)
    });
    walked.extend(try_join_all(lanes).await?);
    let (passed, failed) =
        walked.into_iter().fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1));
    println!("\n{passed} passed, {failed} failed");
    Ok(failed == 0 && passed > 0)
}

/// How many journeys run beside each other. WebKitGTK gets slow beside more than one on two cores.
const fn lanes(engine: Engine) -> usize {
    match engine {
        Engine::Chromium | Engine::Firefox => 3,
        Engine::WebKit => 2,
    }
}

/// Walks the next journey until there is none. Returns how many arrived, and how many did not.
///
/// They have a server of their own, whose streams they count, and a display, whose mouse they move.
async fn walk_all(
    next: impl Fn() -> Option<&'static Journey>,
    engine: Engine,
) -> Result<(u32, u32)> {
    let (mut passed, mut failed) = (0, 0);
    let Some(mut journey) = next() else { return Ok((passed, failed)) };
    let browser = Browser::start(engine).await?;
    let server = Server::from_environment().await?;
    let pictured = pictured_friends(server.address(), &["ada", "grace"]).await?;
    loop {
        match walk(journey, &browser, &server, &pictured).await {
            true => passed += 1,
            false => failed += 1,
        }
        match next() {
            Some(after) => journey = after,
            None => return Ok((passed, failed)),
        }
    }
}

/// Walks one journey and prints how it went; true if it arrived.
///
/// A browser that ends by itself, as WebKitGTK's does now and then, says nothing of the page: the journey is
/// walked once more. A page that ends its browser does so again.
async fn walk(journey: &Journey, browser: &Browser, server: &Server, pictured: &Pictured) -> bool {
    let start = Instant::now();
    let mut result = walk_once(journey, browser, server, pictured).await;
    if let Err(failure) = &result
        && has_ended(&failure.error)
    {
        println!("        {}: the browser ended by itself, once more: {failure}", journey.name);
        result = walk_once(journey, browser, server, pictured).await;
    }
    let took = start.elapsed().as_secs_f32();
    match &result {
        Ok(notes) => {
            println!("ok      {} ({took:.1} s)", journey.name);
            notes.iter().for_each(|note| println!("        {note}"));
        }
        Err(failure) => println!("FAILED  {} ({took:.1} s)\n        {failure}", journey.name),
    }
    result.is_ok()
}

/// Why a journey did not arrive, and what is left of it.
struct Failure {
    error: anyhow::Error,
    evidence: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}{}", self.error, self.evidence)
    }
}

/// Walks one journey in a browser of its own. Returns its notes.
async fn walk_once(
    journey: &Journey,
    browser: &Browser,
    server: &Server,
    pictured: &Pictured,
) -> Result<Vec<String>, Failure> {
    let begun = Visit::begin(browser, server).await;
    let mut visit = begun.map_err(|error| Failure { error, evidence: String::new() })?;
    visit.gate.set_pictured(pictured.clone());
    let failure = match try_walk(journey, &mut visit).await {
        Ok(()) => return Ok(visit.end().await),
        Err(error) => {
            let evidence = visit.leave_evidence(&evidence_path(browser, journey)).await;
            Failure { error, evidence }
        }
    };
    visit.end().await;
    Err(failure)
}

async fn try_walk(journey: &Journey, visit: &mut Visit<'_>) -> Result<()> {
    timeout(PATIENCE, (journey.walk)(visit))
        .await
        .with_context(|| format!("not done after {} s", PATIENCE.as_secs()))??;
    visit.require_clean().await
}

/// Where a failed journey leaves its screenshot and log.
fn evidence_path(browser: &Browser, journey: &Journey) -> PathBuf {
    let folder = env::var_os("MINIATURE_EVIDENCE").map_or_else(env::temp_dir, PathBuf::from);
    let words = journey.name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join("-");
    folder.join(format!("miniature-{}-{slug}", browser.engine()))
}
