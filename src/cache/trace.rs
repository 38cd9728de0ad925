//! Recorded loads in the trace-event format, which Perfetto and Chromium's performance panel open.
//!
//! # Source
//!
//! "Trace Event Format", Google: async events (`b`, `e`) overlap, those of one `id` and `cat` nest.

use serde::Serialize;

use super::{event::Load, metrics::Metrics};

/// A trace, to be written as JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    /// In no order.
    #[serde(rename = "traceEvents")]
    events: Vec<TraceEvent>,
    #[serde(rename = "displayTimeUnit")]
    unit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct TraceEvent {
    name: String,
    cat: &'static str,
    ph: &'static str,
    /// Microseconds since the document began.
    ts: f64,
    pid: u32,
    tid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Args>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Args {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_px: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'static str>,
}

const CATEGORY: &str = "picture";
const PROCESS: u32 = 1;
const THREAD: u32 = 1;
const MICROS: f64 = 1_000.0;

/// The recorded loads, a span each, and in it one for each layer that was asked.
pub fn trace(metrics: &Metrics) -> Trace {
    let named = |name: &str, called| TraceEvent {
        name: name.to_owned(),
        cat: "__metadata",
        ph: "M",
        ts: 0.0,
        pid: PROCESS,
        tid: THREAD,
        id: None,
        args: Some(Args { name: Some(called), ..Args::default() }),
    };
    let mut events =
        vec![named("process_name", "Miniature"), named("thread_name", "Profile pictures")];
    for (number, load) in metrics.recent.iter().enumerate() {
        spans_of(load, &format!("{number:#x}"), &mut events);
    }
    Trace { events, unit: "ms" }
}

fn spans_of(load: &Load, id: &str, events: &mut Vec<TraceEvent>) {
    let mut span = |name: String, from: f64, took: f64, args| {
        let event = |ph, at: f64, args| TraceEvent {
            name: name.clone(),
            cat: CATEGORY,
            ph,
            ts: at * MICROS,
            pid: PROCESS,
            tid: THREAD,
            id: Some(id.to_owned()),
            args,
        };
        events.extend([event("b", from, Some(args)), event("e", from + took, None)]);
    };
    let of_load = Args {
        user: Some(load.user.to_string()),
        size_px: Some(load.size.px()),
        bytes: Some(load.bytes),
        ..Args::default()
    };
    span(load.user.to_string(), load.asked_ms, load.took_ms, of_load);
    let (mut from, end) = (load.asked_ms, load.asked_ms + load.took_ms);
    for step in &load.path {
        // A trip that others had begun took longer than this load waited for it.
        let took = step.took_ms.min(end - from).max(0.0);
        let args = Args { answer: Some(step.answer.as_str()), ..Args::default() };
        span(step.layer.label().to_owned(), from, took, args);
        from += took;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::event::CacheEvent;
    use crate::cache::{
        clock::Timestamp,
        event::{Answer, Outcome, Step},
        key::Source,
        stats::Stats,
    };
    use miniature_api::Size;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn exported() -> Value {
        let mut stats = Stats::new(Timestamp(0));
        for (asked_ms, took_ms, steps) in [(5.0, 40.0, 3), (6.0, 0.0, 1), (20.0, 3.0, 2)] {
            let step = Step { layer: Source::IndexedDb, answer: Answer::Absent, took_ms: 15.0 };
            stats.count(CacheEvent::Loaded(Load {
                user: "ada".parse().unwrap(),
                size: Size::S64,
                outcome: Outcome::Shown(Source::Network),
                asked_ms,
                took_ms,
                bytes: 900,
                path: vec![step; steps],
            }));
        }
        serde_json::to_value(trace(&stats.metrics(|_| None, None))).unwrap()
    }

    /// What the format asks of async events: each has a name, a category, an id, a process, a thread and a time;
    /// of one id each begin has its end, later or at once, and inner spans lie within outer ones.
    #[test]
    fn the_trace_is_one_of_the_format() {
        let exported = exported();
        let mut open: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
        let mut spans = 0;
        for event in exported["traceEvents"].as_array().unwrap() {
            assert!(event["pid"].is_u64() && event["tid"].is_u64() && event["ts"].is_number());
            let (name, kind) = (event["name"].as_str().unwrap(), event["ph"].as_str().unwrap());
            if kind == "M" {
                assert!(event["args"]["name"].is_string());
                continue;
            }
            assert_eq!(event["cat"], "picture");
            let of_id = open.entry(event["id"].as_str().unwrap().to_owned()).or_default();
            let ts = event["ts"].as_f64().unwrap();
            match kind {
                "b" => of_id.push((name.to_owned(), ts)),
                "e" => {
                    let at = of_id.iter().rposition(|(open, _)| open == name).unwrap();
                    let (_, began) = of_id.remove(at);
                    assert!(ts >= began, "{event}");
                    spans += 1;
                }
                other => panic!("{other} is not of this trace"),
            }
        }
        assert!(open.values().all(Vec::is_empty), "{open:?}");
        assert_eq!((spans, open.len()), (3 + 6, 3));
    }

    #[test]
    fn steps_lie_within_their_load() {
        let exported = exported();
        let events = exported["traceEvents"].as_array().unwrap();
        let of_last: Vec<f64> = events
            .iter()
            .filter(|event| event["id"] == "0x2")
            .map(|event| event["ts"].as_f64().unwrap())
            .collect();
        assert_eq!(of_last, [20_000.0, 23_000.0, 20_000.0, 23_000.0, 23_000.0, 23_000.0]);
    }
}
