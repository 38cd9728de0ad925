//! `cargo xtask replay FILE [--policy name=number ...]`: tells new cores what those of a page were told, says
//! whether they report the same, and what comes of the session under another policy, or what is advised.

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its report")]
#![allow(clippy::disallowed_methods, reason = "it measures itself")]

use std::{env, error::Error, fs, process::ExitCode, time::Instant};

use miniature::cache::{
    figure::Figure,
    key::Source,
    metrics::Metrics,
    orders::{Accesses, Order},
    policy::Policy,
    replay::{Hollow, Recording, counts, verify},
    what_if::{Advice, Change, Forecast, Trial, forecast},
};

type Failure = Box<dyn Error>;

/// What is asked for.
struct Asked {
    file: String,
    /// Settings of another policy, each with its number.
    settings: Vec<(String, u64)>,
}

fn asked() -> Result<Asked, Failure> {
    let mut words = env::args().skip(1);
    let file = words.next().ok_or("which file? Export one from the dashboard")?;
    let mut settings = Vec::new();
    for word in words.filter(|word| word != "--policy") {
        let (name, number) =
            word.split_once('=').ok_or_else(|| format!("`{word}` is not `name=number`"))?;
        let number = number.parse().map_err(|_| format!("`{number}` is not a whole number"))?;
        settings.push((name.to_owned(), number));
    }
    Ok(Asked { file, settings })
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode, Failure> {
    let Asked { file, settings } = asked()?;
    let exported: serde_json::Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let metrics: Metrics = serde_json::from_value(exported.clone())?;
    let session: Vec<Recording> = match exported.get("recordings") {
        Some(recordings) => serde_json::from_value(recordings.clone())?,
        None => Vec::new(),
    };
    let last = session
        .last()
        .ok_or("nothing was recorded: press Record in the dashboard, use the page, then export")?;
    let is_same = print_counts(last, &metrics);
    print_orders(&session, last.policy.memory.entries);
    if settings.is_empty() {
        print_advice(session);
    } else {
        print_forecast(&session, &last.policy, &settings)?;
    }
    Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the last document counted, and whether that is what was exported.
fn print_counts(recording: &Recording, metrics: &Metrics) -> bool {
    let begin = Instant::now();
    let replayed = counts(recording);
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
    if recording.is_cut {
        println!(
            "\nThe recording was cut: more happened than it holds, and the counts cannot be compared."
        );
        return true;
    }
    let differs = verify(recording, metrics);
    match differs.is_empty() {
        true => println!("\nThe counts are those that the page exported."),
        false => println!("\nNot as the page exported it:\n{}", differs.join("\n")),
    }
    differs.is_empty()
}

/// What memory of its size could have answered.
fn print_orders(session: &[Recording], users: usize) {
    // Memory ends with its document.
    let accesses: Vec<Accesses> = session.iter().map(Recording::accesses).collect();
    println!(
        "\n{} looks; memory of {users} could answer, by the order in which it gives people up:",
        accesses.iter().map(Accesses::len).sum::<usize>(),
    );
    for order in Order::ALL {
        let hits: usize = accesses.iter().map(|of| of.hits(order, users)).sum();
        println!("{:<22} {hits:>8}", order.label());
    }
}

fn print_forecast(
    session: &[Recording],
    policy: &Policy,
    settings: &[(String, u64)],
) -> Result<(), Failure> {
    let mut other = policy.clone();
    for (name, number) in settings {
        other.set(name, *number)?;
    }
    let begin = Instant::now();
    let now = forecast::<Hollow>(session, policy.clone());
    let then = forecast::<Hollow>(session, other);
    let took = Figure::Millis(begin.elapsed().as_secs_f64() * 1e3);
    println!("\n{} documents under both policies, in {took}:", session.len());
    print_heads();
    print_row("as it was", &now);
    print_row("with these", &then);
    Ok(())
}

fn print_advice(session: Vec<Recording>) {
    let (documents, begin) = (session.len(), Instant::now());
    let mut trial = Trial::<Hollow>::new(session);
    while trial.step() {}
    let advised = trial.advised();
    let took = Figure::Millis(begin.elapsed().as_secs_f64() * 1e3);
    println!("\n{documents} documents under other policies, in {took}:");
    print_heads();
    print_row("as it was", &advised.now);
    for Advice { changes, then } in &advised.advice {
        print_row("with", then);
        for Change { name, from, to } in changes {
            println!("    {name}={to} (is {from})");
        }
    }
    if advised.advice.is_empty() {
        println!("No change of the policy gains anything in this session.");
    }
}

fn print_heads() {
    println!(
        "{:<12} {:>8} {:>9} {:>8} {:>10} {:>9} {:>10}",
        "", "pictures", "hit rate", "to API", "received", "median", "stored"
    );
}

fn print_row(name: &str, forecast: &Forecast) {
    println!(
        "{name:<12} {:>8} {:>9} {:>8} {:>10} {:>9} {:>10}",
        forecast.requests,
        Figure::Share(forecast.hit_rate()).to_string(),
        forecast.api_requests,
        Figure::Bytes(forecast.bytes_from_network).to_string(),
        forecast.median_ms.map_or(Figure::Unmeasured, Figure::Millis).to_string(),
        Figure::Bytes(forecast.stored_bytes).to_string(),
    );
}
