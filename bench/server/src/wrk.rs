//! `wrk`, the load tool: as many requests as a server answers, over some connections.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};

/// How many connections ask at once.
const CONNECTIONS: &str = "32";

/// What came of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Answers a second.
    pub per_second: f64,
    /// So many milliseconds 99 of 100 requests took at most.
    pub p99_ms: f64,
}

/// Loads a URL for some time, and blocks as long, with a session's cookie if one is given.
///
/// # Errors
///
/// If `wrk` cannot be run, or any answer was no success.
pub fn load(url: &str, cookie: Option<&str>, lasts: Duration) -> Result<Load> {
    let mut command = Command::new("wrk");
    // One thread: it is enough for both, and leaves the cores to the server.
    command.args(["--threads", "1", "--connections", CONNECTIONS, "--latency", "--duration"]);
    command.arg(format!("{}s", lasts.as_secs()));
    if let Some(cookie) = cookie {
        command.args(["--header", &format!("Cookie: {cookie}")]);
    }
    let output = command.arg(url).output().context("cannot start wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk failed: {text}");
    read(&text).with_context(|| format!("wrk on {url}: {text}"))
}

/// Reads what `wrk` prints. None if an answer was an error, or a connection broke.
fn read(text: &str) -> Option<Load> {
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return None;
    }
    let after = |word: &str| {
        let mut lines = text.lines().filter_map(|line| line.trim().strip_prefix(word));
        lines.next().map(str::trim)
    };
    Some(Load {
        per_second: after("Requests/sec:")?.parse().ok()?,
        p99_ms: milliseconds(after("99%")?)?,
    })
}

/// `850.00us`, `1.23ms`, `2.00s`.
fn milliseconds(text: &str) -> Option<f64> {
    let number_at = |unit: &str| text.strip_suffix(unit)?.parse::<f64>().ok();
    number_at("us")
        .map(|us| us / 1_000.0)
        .or_else(|| number_at("ms"))
        .or_else(|| number_at("s").map(|s| s * 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
Running 3s test @ http://127.0.0.1:1/
  1 threads and 32 connections
  Latency Distribution
     50%  402.00us
     99%    2.43ms
  7000 requests in 3.00s, 1.00MB read
Requests/sec:   2333.21
";

    #[test]
    fn what_wrk_prints_is_read() {
        assert_eq!(read(PRINTED), Some(Load { per_second: 2_333.21, p99_ms: 2.43 }));
    }

    #[test]
    fn a_load_with_errors_is_none() {
        let refused = format!("{PRINTED}  Non-2xx or 3xx responses: 3\n");
        assert_eq!(read(&refused), None);
    }

    #[test]
    fn times_are_read_in_every_unit() {
        for (text, expected) in [("850.00us", 0.85), ("1.25ms", 1.25), ("2.00s", 2_000.0)] {
            assert_eq!(milliseconds(text), Some(expected), "{text}");
        }
        assert_eq!(milliseconds("fast"), None);
    }
}
