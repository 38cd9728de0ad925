//! What the core was told, without bytes, and the same told again.
//!
//! The core starts no task and reads no clock: told the same at the same times, it does the same. A recording
//! is all that it was told in one document; told again, it must report exactly what was reported then
//! ([`verify`]).

mod hollow;
mod inventory;
mod pseudonyms;
mod tape;

pub use hollow::{Hollow, found_with, hollow, hollow_found, with_bytes};
pub use inventory::Inventory;
pub use pseudonyms::{Pseudonyms, Renamed};
pub use tape::{Call, Recording, Tape};

use super::{
    core::{Core, Effect},
    event::CacheEvent,
    metrics::Metrics,
    stats::Stats,
};

/// Tells a new core all that was recorded. Returns what it reports, since counting began anew.
pub fn replay(recording: &Recording) -> Vec<CacheEvent> {
    let Recording { policy, seed, visible, began, .. } = recording;
    let mut core = Core::<Hollow>::new(policy.clone(), *seed, *visible, *began);
    let mut reports = Vec::new();
    for (now, call) in &recording.calls {
        match call {
            Call::Open(wanted, found) => {
                let _ = core.open(wanted.clone(), found.clone(), *now);
            }
            Call::Event(event) => core.handle(event.as_ref().clone(), *now),
            Call::Reset => reports.clear(),
            Call::Poll => {
                if let Some(Effect::Report(report)) = core.poll(*now) {
                    reports.push(report);
                }
            }
        }
    }
    reports
}

/// What was counted then, as a replay counts it.
pub fn counts(recording: &Recording) -> Metrics {
    let mut stats = Stats::new(recording.began.wall);
    replay(recording).into_iter().for_each(|report| stats.count(report));
    stats.metrics(|_| None, None)
}

/// How a replay differs from what was counted when the recording was made; nothing if it does not.
pub fn verify(recording: &Recording, recorded: &Metrics) -> Vec<String> {
    let replayed = counts(recording);
    let numbers = |metrics: &Metrics| {
        let Metrics { total_requests, coalesced, stale, negative, api_requests, .. } = *metrics;
        let Metrics { bytes_from_network, bytes_saved, .. } = *metrics;
        let all = [
            ("total_requests", total_requests),
            ("coalesced", coalesced),
            ("stale", stale),
            ("negative", negative),
            ("api_requests", api_requests),
            ("bytes_from_network", bytes_from_network),
            ("bytes_saved", bytes_saved),
        ];
        let mut numbers: Vec<(String, u64)> =
            all.into_iter().map(|(name, number)| (name.to_owned(), number)).collect();
        for source in super::key::Source::ALL {
            let layer = metrics.layers[source];
            for (name, number) in
                [("hits", layer.hits), ("misses", layer.misses), ("errors", layer.errors)]
            {
                numbers.push((format!("{source} {name}"), number));
            }
        }
        numbers
    };
    let pairs = numbers(recorded).into_iter().zip(numbers(&replayed));
    let differing = pairs.filter(|(then, now)| then != now);
    differing
        .map(|((name, then), (_, now))| format!("{name}: {then} recorded, {now} replayed"))
        .collect()
}

#[cfg(test)]
mod tests;
