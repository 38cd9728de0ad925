//! What a page or its browser complained about, and when that is no fault of the page.

use std::time::SystemTime;

/// Something that the page or its browser complained about.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) at: f64,
}

/// A time in which requests were made to fail, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) from: f64,
    pub(crate) until: Option<f64>,
}

impl Outage {
    /// How long after its end a browser may still write down what failed in it, in milliseconds.
    const TAIL: f64 = 500.0;

    pub(crate) fn covers(self, at: f64) -> bool {
        at >= self.from - 1.0 && self.until.is_none_or(|until| at <= until + Self::TAIL)
    }
}

/// Milliseconds since the Unix epoch, as the browser stamps its lines.
#[expect(clippy::disallowed_methods, reason = "compared with the stamps of another process")]
pub fn now() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0.0, |now| now.as_secs_f64() * 1000.0)
}

/// The line that Chromium writes when a page without a session asks who is signed in: 401 is the
/// answer of the wire contract, and no page can ask without it being written.
pub(crate) fn is_refusal(line: &str) -> bool {
    line.starts_with("console: ") && line.contains("status of 401")
}

/// Lines that a browser writes when a request does not get through.
pub(crate) fn is_network_failure(line: &str) -> bool {
    let signs =
        ["net::ERR_", "NetworkError", "Failed to fetch", "Load failed", "Failed to load resource"];
    signs.iter().any(|sign| line.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_after_an_outage_is_not_excused() {
        let outage = Outage { from: 1_000.0, until: Some(2_000.0) };
        let cases = [
            ("before", 900.0, false),
            ("within", 1_500.0, true),
            ("written down late", 2_400.0, true),
            ("after", 2_600.0, false),
        ];
        for (name, at, expected) in cases {
            assert_eq!(outage.covers(at), expected, "{name}");
        }
    }

    #[test]
    fn only_failed_requests_are_excused_by_an_outage() {
        let cases = [
            ("console: http://x/api - Failed to load resource: net::ERR_EMPTY_RESPONSE", true),
            ("console.error: panicked at src/app/mod.rs", false),
            ("csp: script-src inline", false),
        ];
        for (line, excused) in cases {
            assert_eq!(is_network_failure(line), excused, "{line}");
        }
    }
}
