//! What passed the gate.

use super::lock;
use std::{sync::Mutex, time::Duration};
use tokio::time::{Instant, sleep};

const GLANCE: Duration = Duration::from_millis(20);

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// Since the gate was opened.
    pub(crate) at: Duration,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// None while the answer is awaited, and for ever if the network went down first.
    pub(crate) status: Option<u16>,
    /// Of the answer as sent: head and body, in bytes.
    pub(crate) bytes: usize,
}

impl Passage {
    /// Requests that only exist because of the harness.
    fn is_ours(&self) -> bool {
        self.target.starts_with("/__")
    }
}

/// A ticket to note the answer by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(usize);

/// All passages since the gate was opened.
#[derive(Debug)]
pub(super) struct Log {
    start: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    passages: Vec<Passage>,
    last: Duration,
}

impl Log {
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), inner: Mutex::default() }
    }

    pub(super) fn arrive(&self, method: &str, target: &str) -> Ticket {
        let at = self.start.elapsed();
        let mut inner = lock(&self.inner);
        inner.last = at;
        inner.passages.push(Passage {
            at,
            method: method.to_owned(),
            target: target.to_owned(),
            status: None,
            bytes: 0,
        });
        Ticket(inner.passages.len() - 1)
    }

    pub(super) fn leave(&self, ticket: Ticket, status: u16, bytes: usize) {
        let at = self.start.elapsed();
        let mut inner = lock(&self.inner);
        inner.last = at;
        if let Some(passage) = inner.passages.get_mut(ticket.0) {
            passage.status = Some(status);
            passage.bytes = bytes;
        }
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
        let waiting = inner.passages.iter().any(|passage| passage.status.is_none());
        !waiting && self.start.elapsed() >= inner.last + pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_noted_where_its_request_stands() {
        let log = Log::start();
        let first = log.arrive("GET", "/api/friends?limit=50");
        let second = log.arrive("GET", "/__sampler.js");

        log.leave(second, 200, 5);
        log.leave(first, 304, 7);

        let passages = log.passages();
        assert_eq!(passages.len(), 1, "our own requests are not counted");
        assert_eq!((passages[0].status, passages[0].bytes), (Some(304), 7));
    }
}
