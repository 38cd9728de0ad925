//! What an answer says of how it came about: `X-Cache` and `Server-Timing`.

use std::{fmt::Write, time::Duration};

use axum::{http::HeaderValue, response::Response};
use tokio::time::Instant;

/// Keeps which layers were passed, and how long each took.
///
/// # Source
///
/// W3C Server Timing; durations in milliseconds.
#[derive(Debug)]
pub(crate) struct Timing {
    since: Instant,
    line: String,
    hit: bool,
}

impl Timing {
    /// Starts to measure.
    pub(crate) fn start() -> Self {
        Self { since: Instant::now(), line: String::new(), hit: true }
    }

    /// A cache has answered since the last call, from one of its layers; `hit` if that was not its
    /// source.
    pub(crate) fn passed(&mut self, cache: &str, layer: &str, hit: bool) {
        let took = milliseconds(self.since.elapsed());
        self.since = Instant::now();
        self.hit &= hit;
        let separator = if self.line.is_empty() { "" } else { ", " };
        let entry = format_args!("{separator}{cache};desc=\"{layer}\";dur={took:.3}");
        // Writing into a `String` does not fail.
        let _ = self.line.write_fmt(entry);
    }

    /// Writes it on an answer.
    pub(crate) fn on(self, mut answer: Response) -> Response {
        let hit = if self.hit { "HIT" } else { "MISS" };
        answer.headers_mut().insert("x-cache", HeaderValue::from_static(hit));
        if let Ok(line) = HeaderValue::from_str(&self.line) {
            answer.headers_mut().insert("server-timing", line);
        }
        answer
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
