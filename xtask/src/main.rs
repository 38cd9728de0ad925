//! What a developer runs: `cargo xtask setup | serve | test | bench | dist`.
//!
//! Every command installs what it needs and is missing, tells what it is doing and how long that
//! took, and is quick the second time. Tools go into a cache of their own (see [`tools`]); nothing
//! that the user has installed is replaced.

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its interface")]

mod bench;
mod check;
mod command;
mod core_alone;
mod debian;
mod dist;
mod group;
mod laws;
mod mutants;
mod previous_build;
mod replay;
mod serve;
mod setup;
mod split;
mod step;
mod stylesheet;
mod tools;
mod worker;

use anyhow::{Result, bail};
use std::{env, process::ExitCode};

const USAGE: &str = "\
cargo xtask <command>

  setup                          install what is missing: tools, browsers, the wasm target
  serve                          run the app in demo mode; rebuilds when a file changes
  test [native|browser|e2e]      check everything, or one part
  bench server [--strict] [part] measure the server: all, or hot, burst, upload, memory, traffic
  bench page --against DIR|RIVAL [scenario]
                                 time pictures on screen beside another dist/, or beside a page that one
                                 would have instead: plain, plain-list, workbox, or --rivals for all;
                                 --panel instead: with the dashboard open, beside the same without;
                                 all scenarios, or cold, reload, list, modal, restart, offline, next-day;
                                 [--browser chromium|firefox|webkit] [--rounds N] [--bar RATIO] [--strict]
                                 [--json FILE]; [--ours DIR] [--server FILE] [--against-server FILE]
                                 name what need not be built
  bench core [--strict]          what a turn costs in the pure core
  replay FILE [--policy name=number ...]
                                 tell the core again what a page recorded, and compare what it counts;
                                 say what comes of it under another policy, or what is advised
  laws [part of a name]          break each law by its patch in tests/laws: the tests notice
  mutants [option of cargo-mutants ...]
                                 change the core in small ways: the tests notice
  dist [--no-server]             release build: dist/ with compressed assets, and the server
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = run(&words);
    match outcome.and(tools::drop_build_files()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["setup"] => setup::prepare(setup::Purpose::Everything).map(drop),
        ["serve"] => serve::serve(),
        ["test"] => check::run(check::Part::ALL),
        ["test", "native"] => check::run(&[check::Part::Native]),
        ["test", "browser"] => check::run(&[check::Part::Browser]),
        ["test", "e2e"] => check::run(&[check::Part::Journeys]),
        ["bench", "server", words @ ..] => bench::server(words),
        ["bench", "page", words @ ..] => bench::page(words),
        ["bench", "core", words @ ..] => bench::core(words),
        ["replay", file, settings @ ..] => replay::run(file, settings),
        ["laws"] => laws::run(""),
        ["laws", wanted] => laws::run(wanted),
        ["mutants", words @ ..] => mutants::run(words),
        ["dist"] => dist::dist(dist::Server::Build),
        ["dist", "--no-server"] => dist::dist(dist::Server::Skip),
        // Not for people: trunk calls these before and after each build.
        ["stylesheet"] => stylesheet::write(),
        ["split"] => split::after_build(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        other => bail!("unknown command `{}`\n\n{USAGE}", other.join(" ")),
    }
}
