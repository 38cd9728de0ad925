//! What is counted. The names are a contract: dashboards and tests read them.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Requests, by `route`, `method` and `status`.
pub const HTTP_REQUESTS: &str = "miniature_http_requests_total";
/// How long until the head of an answer was ready, in seconds, by `route`.
pub const HTTP_SECONDS: &str = "miniature_http_request_seconds";
/// Renditions sent, by `route`.
pub const RENDITIONS_SENT: &str = "miniature_renditions_sent_total";
/// Bytes of renditions sent, by `route`.
pub const RENDITION_BYTES_SENT: &str = "miniature_rendition_bytes_sent_total";
/// Answers that a cache had, by `cache` and `layer`.
pub const CACHE_HITS: &str = "miniature_cache_hits_total";
/// Answers that a cache did not have, by `cache` and `layer`.
pub const CACHE_MISSES: &str = "miniature_cache_misses_total";
/// Questions about people that reached the database.
pub const SOURCE_CALLS: &str = "miniature_source_calls_total";
/// Renditions made from a master or an upload.
pub const RENDITIONS_MADE: &str = "miniature_renditions_made_total";
/// Events that happened here, by `event`.
pub const EVENTS_TOLD: &str = "miniature_events_total";
/// Streams of events that are open.
pub const EVENT_STREAMS: &str = "miniature_event_streams";

/// Uploads, by `outcome`: `changed`, `unchanged`, `refused`, `busy` or `failed`.
pub const UPLOADS: &str = "miniature_uploads_total";

/// Whether what the server leans on answers (1) or not (0), by `dependency`.
pub const DEPENDENCY_UP: &str = "miniature_dependency_up";

/// The upper bounds of the histogram, in seconds: from a memory hit to a burst of decoding.
const SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];

/// Starts to count, for the whole process. Returns what renders the counts as Prometheus text.
///
/// # Errors
///
/// If the process counts already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(HTTP_SECONDS.to_owned()), &SECONDS)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    describe_counter!(HTTP_REQUESTS, "Requests answered");
    describe_histogram!(HTTP_SECONDS, "Seconds until the head of an answer was ready");
    describe_counter!(RENDITIONS_SENT, "Renditions sent");
    describe_counter!(RENDITION_BYTES_SENT, "Bytes of renditions sent");
    describe_counter!(CACHE_HITS, "Answers that a cache had");
    describe_counter!(CACHE_MISSES, "Answers that a cache did not have");
    describe_counter!(SOURCE_CALLS, "Questions about people that reached the database");
    describe_counter!(UPLOADS, "Uploads, by what became of them");
    describe_gauge!(DEPENDENCY_UP, "Whether what the server leans on answers");
    describe_counter!(EVENTS_TOLD, "Events that happened here");
    describe_gauge!(EVENT_STREAMS, "Streams of events that are open");
    describe_counter!(RENDITIONS_MADE, "Renditions made from a master or an upload");
}

/// A layer of a cache had this many of the answers.
pub(crate) fn cache_hit(cache: &'static str, layer: &'static str, answers: u64) {
    counter!(CACHE_HITS, "cache" => cache, "layer" => layer).increment(answers);
}

/// A layer of a cache did not have this many of the answers.
pub(crate) fn cache_miss(cache: &'static str, layer: &'static str, answers: u64) {
    counter!(CACHE_MISSES, "cache" => cache, "layer" => layer).increment(answers);
}

/// A rendition goes out by a route.
pub(crate) fn rendition_sent(route: &'static str, bytes: usize) {
    counter!(RENDITIONS_SENT, "route" => route).increment(1);
    counter!(RENDITION_BYTES_SENT, "route" => route).increment(bytes as u64);
}
