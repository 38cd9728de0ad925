//! The command `miniature-bench`, which `cargo xtask bench server` builds and runs.

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its interface")]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use miniature_bench::{
    burst, hot, memory,
    people::People,
    process::Server,
    report::{Report, Row},
    traffic, upload,
};

/// Measures the server beside something to compare with.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; all of it if nothing is named.
    parts: Vec<Part>,

    /// Fail if a bar is missed.
    #[arg(long)]
    strict: bool,
}

/// What can be measured by itself, in the order in which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Hot routes beside a bare handler.
    Hot,
    /// A thousand first requests at once.
    Burst,
    /// A photograph of 12 megapixels.
    Upload,
    /// A hundred thousand requests of every kind.
    Memory,
    /// A day of traffic through the caches of profiles.
    Traffic,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut parts = arguments.parts.clone();
    if parts.is_empty() {
        parts = Part::value_variants().to_vec();
    }
    // It fails only when one is chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let people = People::create()?;
    let mut report = Report::default();
    for part in parts {
        println!("measuring: {part:?}");
        report.0.extend(measure(part, &people).await?);
    }
    println!("\n{report}");
    let missed = arguments.strict && !report.is_met();
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Each part gets a server of its own.
async fn measure(part: Part, people: &People) -> Result<Vec<Row>> {
    let server = || async { Server::start(&people.data()).await };
    match part {
        Part::Hot => hot::measure(&server().await?).await,
        Part::Burst => burst::measure(people).await,
        Part::Upload => upload::measure(&server().await?).await,
        Part::Memory => memory::measure(people).await,
        Part::Traffic => traffic::measure().await,
    }
}
