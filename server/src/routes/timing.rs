//! What an answer says of how it came about: `X-Cache` and `Server-Timing`.

use std::fmt::Write;

use axum::{
    http::{HeaderName, HeaderValue},
    response::Response,
};
use tokio::time::Instant;

/// Where it stands which layers were passed.
pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// As long as a line of two layers is, in bytes.
const LINE: usize = 96;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

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
        Self { since: Instant::now(), line: String::with_capacity(LINE), hit: true }
    }

    /// A cache has answered since the last call, from one of its layers; `hit` if that was not its
    /// source.
    pub(crate) fn passed(&mut self, cache: &str, layer: &str, hit: bool) {
        let now = Instant::now();
        let us = (now - self.since).as_micros();
        (self.since, self.hit) = (now, self.hit && hit);
        let separator = if self.line.is_empty() { "" } else { ", " };
        let (whole, thousandths) = (us / 1_000, us % 1_000);
        let entry =
            format_args!("{separator}{cache};desc=\"{layer}\";dur={whole}.{thousandths:03}");
        // Writing into a `String` does not fail.
        let _ = self.line.write_fmt(entry);
    }

    /// Writes it on an answer.
    pub(crate) fn on(self, mut answer: Response) -> Response {
        let hit = if self.hit { "HIT" } else { "MISS" };
        answer.headers_mut().insert(X_CACHE, HeaderValue::from_static(hit));
        if let Ok(line) = HeaderValue::try_from(self.line) {
            answer.headers_mut().insert(SERVER_TIMING, line);
        }
        answer
    }
}
