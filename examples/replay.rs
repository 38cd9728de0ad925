//! `cargo xtask replay FILE`: tells a new core what a page's core was told, and says whether it reports the same.

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its report")]
#![allow(clippy::disallowed_methods, reason = "it measures itself")]

use std::{env, error::Error, fs, process::ExitCode, time::Instant};

use miniature::cache::{
    figure::Figure,
    key::Source,
    metrics::Metrics,
    orders::{Accesses, Order},
    replay::{Call, Recording, counts, verify},
};

/// What memory of its size could have answered.
fn print_orders(recording: &Recording) {
    let opened = recording.calls.iter().filter_map(|(_, call)| match call {
        Call::Open(wanted, _) => Some(&wanted.user),
        Call::Event(_) | Call::Poll | Call::Reset => None,
    });
    let accesses: Accesses = opened.collect();
    let users = recording.policy.memory.entries;
    println!(
        "\n{} looks at {} people; memory of {users} could answer, by the order in which it gives them up:",
        accesses.len(),
        accesses.people()
    );
    for order in Order::ALL {
        println!("{:<22} {:>8}", order.label(), accesses.hits(order, users));
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("which file? Export one with names from the dashboard")?;
    let exported: serde_json::Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let metrics: Metrics = serde_json::from_value(exported.clone())?;
    let recording = exported
        .get("recording")
        .ok_or("nothing was recorded: press Record in the dashboard, then export with names")?;
    let recording: Recording = serde_json::from_value(recording.clone())?;
    let begin = Instant::now();
    let replayed = counts(&recording);
    let took = Figure::Millis(begin.elapsed().as_secs_f64() * 1e3);
    println!("{} calls replayed in {took}", recording.calls.len());
    println!("{}", replayed.in_a_line());
    println!(
        "\n{:<16} {:>8} {:>8} {:>8} {:>9} {:>9}",
        "layer", "hits", "misses", "errors", "p50", "p95"
    );
    for source in Source::ALL {
        let layer = replayed.layers[source];
        let time = |ms: Option<f64>| ms.map_or(Figure::Unmeasured, Figure::Millis).to_string();
        let (hits, misses, errors) = (layer.hits, layer.misses, layer.errors);
        let (p50, p95) = (time(layer.p50_ms), time(layer.p95_ms));
        println!("{:<16} {hits:>8} {misses:>8} {errors:>8} {p50:>9} {p95:>9}", source.label());
    }
    print_orders(&recording);
    if recording.is_cut {
        println!(
            "\nThe recording was cut: more happened than it holds, and the counts cannot be compared."
        );
        return Ok(ExitCode::SUCCESS);
    }
    let differs = verify(&recording, &metrics);
    match differs.is_empty() {
        true => {
            println!("\nThe counts are those that the page exported.");
            Ok(ExitCode::SUCCESS)
        }
        false => {
            println!("\nNot as the page exported it:\n{}", differs.join("\n"));
            Ok(ExitCode::FAILURE)
        }
    }
}
