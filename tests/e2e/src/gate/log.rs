//! What passed the gate.

use super::lock;
use std::{fmt, sync::Mutex, time::Duration};
use tokio::time::{Instant, sleep};

const GLANCE: Duration = Duration::from_millis(20);

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Since the gate was opened.
    pub at: Duration,
    /// `GET` and its kin.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Of the request's body as announced, in bytes.
    pub sent: usize,
    /// None while the answer is awaited, and for ever if the request was given up first.
    pub status: Option<u16>,
    /// Of the answer as sent: head and body, in bytes.
    pub bytes: usize,
}

impl fmt::Display for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, method, target, sent, status, bytes } = self;
        write!(f, "{:.1} s: {method} {target} ", at.as_secs_f64())?;
        if *sent > 0 {
            write!(f, "({sent} bytes) ")?;
        }
        match status {
            Some(status) => write!(f, "{status}, {bytes} bytes"),
            None => f.write_str("no answer"),
        }
    }
}

impl Passage {
    /// Requests that only exist because of the harness.
    fn is_ours(&self) -> bool {
        self.target.starts_with("/__")
    }
}

/// A request under way. Dropped without [`Ticket::leave`], it was given up: the browser hung up, or
/// the network went down.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    log: &'a Log,
    index: usize,
}

impl Ticket<'_> {
    /// Notes the answer.
    pub(super) fn leave(self, status: u16, bytes: usize) {
        if let Some(passage) = lock(&self.log.inner).passages.get_mut(self.index) {
            passage.status = Some(status);
            passage.bytes = bytes;
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut inner = lock(&self.log.inner);
        inner.last = self.log.start.elapsed();
        inner.under_way -= 1;
    }
}

/// All passages since the gate was opened.
#[derive(Debug)]
pub(super) struct Log {
    start: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    passages: Vec<Passage>,
    under_way: usize,
    last: Duration,
}

impl Log {
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), inner: Mutex::default() }
    }

    pub(super) fn arrive(&self, method: &str, target: &str, sent: usize) -> Ticket<'_> {
        let at = self.start.elapsed();
        let mut inner = lock(&self.inner);
        inner.last = at;
        inner.under_way += 1;
        inner.passages.push(Passage {
            at,
            method: method.to_owned(),
            target: target.to_owned(),
            sent,
            status: None,
            bytes: 0,
        });
        Ticket { log: self, index: inner.passages.len() - 1 }
    }

    pub(super) fn age(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn passages(&self) -> Vec<Passage> {
        lock(&self.inner).passages.iter().filter(|passage| !passage.is_ours()).cloned().collect()
    }

    pub(super) async fn quiet(&self, pause: Duration) {
        while !self.is_quiet(pause) {
            sleep(GLANCE).await;
        }
    }

    fn is_quiet(&self, pause: Duration) -> bool {
        let inner = lock(&self.inner);
        inner.under_way == 0 && self.start.elapsed() >= inner.last + pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_noted_where_its_request_stands() {
        let log = Log::start();
        let first = log.arrive("GET", "/api/friends?limit=50", 0);
        let second = log.arrive("GET", "/__sampler.js", 0);

        second.leave(200, 5);
        first.leave(304, 7);

        let passages = log.passages();
        assert_eq!(passages.len(), 1, "our own requests are not counted");
        assert_eq!((passages[0].status, passages[0].bytes), (Some(304), 7));
    }

    #[test]
    fn a_request_that_is_given_up_is_not_waited_for() {
        let log = Log::start();

        let ticket = log.arrive("GET", "/api/users/grace", 0);
        assert!(!log.is_quiet(Duration::ZERO));
        drop(ticket);

        assert!(log.is_quiet(Duration::ZERO));
        assert_eq!(log.passages()[0].status, None);
    }
}
