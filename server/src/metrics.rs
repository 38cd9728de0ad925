//! What is counted. The names are a contract: dashboards and tests read them.

use std::{cell::RefCell, time::Duration};

use metrics::{
    Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use rustc_hash::FxHashMap;

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
/// Pictures removed because nobody showed them any more.
pub const PICTURES_REMOVED: &str = "miniature_pictures_removed_total";
/// Events that happened here, by `event`.
pub const EVENTS_TOLD: &str = "miniature_events_total";
/// Streams of events that are open.
pub const EVENT_STREAMS: &str = "miniature_event_streams";

/// Uploads, by `outcome`: `changed`, `unchanged`, `refused` (4xx), `busy` (all places taken) or
/// `failed` (what it needs is away, or at fault).
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
    describe_counter!(PICTURES_REMOVED, "Pictures removed because nobody showed them any more");
    describe_counter!(UPLOADS, "Uploads, by what became of them");
    describe_gauge!(DEPENDENCY_UP, "Whether what the server leans on answers");
    describe_counter!(EVENTS_TOLD, "Events that happened here");
    describe_gauge!(EVENT_STREAMS, "Streams of events that are open");
    describe_counter!(RENDITIONS_MADE, "Renditions made from a master or an upload");
}

thread_local! {
    /// Counters that this thread has used. To find one by its labels costs more than to count, so
    /// that is done once a thread; hence [`install`] comes first.
    static COUNTERS: RefCell<FxHashMap<Series, Counter>> = RefCell::default();

    /// What this thread has counted requests with, by route, method and status.
    static REQUESTS: RefCell<FxHashMap<Box<str>, ByOutcome>> = RefCell::default();
}

/// A name and the values of its labels.
type Series = (&'static str, [&'static str; 2]);

/// By method and status.
type ByOutcome = FxHashMap<(&'static str, u16), (Counter, Histogram)>;

/// A request was answered, its head after some time. `method` is one of a closed set.
pub(crate) fn request(route: &str, method: &'static str, status: u16, took: Duration) {
    REQUESTS.with_borrow_mut(|routes| {
        let known = routes.get_mut(route).and_then(|route| route.get_mut(&(method, status)));
        if let Some((requests, seconds)) = known {
            requests.increment(1);
            seconds.record(took.as_secs_f64());
            return;
        }
        let requests = counter!(
            HTTP_REQUESTS,
            "route" => route.to_owned(), "method" => method, "status" => status.to_string()
        );
        let seconds = histogram!(HTTP_SECONDS, "route" => route.to_owned());
        requests.increment(1);
        seconds.record(took.as_secs_f64());
        let route = routes.entry(route.into()).or_default();
        route.insert((method, status), (requests, seconds));
    });
}

/// A layer of a cache had this many of the answers.
pub(crate) fn cache_hit(cache: &'static str, layer: &'static str, answers: u64) {
    count((CACHE_HITS, [cache, layer]), ["cache", "layer"], answers);
}

/// A layer of a cache did not have this many of the answers.
pub(crate) fn cache_miss(cache: &'static str, layer: &'static str, answers: u64) {
    count((CACHE_MISSES, [cache, layer]), ["cache", "layer"], answers);
}

/// Renditions go out by a route: so many, of so many bytes in all.
pub(crate) fn renditions_sent(route: &'static str, renditions: u64, bytes: u64) {
    let by_route = |name, amount| {
        COUNTERS.with_borrow_mut(|counters| {
            let counter = counters.entry((name, [route, ""]));
            counter.or_insert_with(|| counter!(name, "route" => route)).increment(amount);
        });
    };
    by_route(RENDITIONS_SENT, renditions);
    by_route(RENDITION_BYTES_SENT, bytes);
}

fn count((name, values): Series, labels: [&'static str; 2], amount: u64) {
    let [first, second] = labels;
    COUNTERS.with_borrow_mut(|counters| {
        let counter = counters.entry((name, values));
        let new = || counter!(name, first => values[0], second => values[1]);
        counter.or_insert_with(new).increment(amount);
    });
}
