//! What the server says it did: its Prometheus counters.

use std::collections::BTreeMap;

/// Requests answered, by route, method and status.
const REQUESTS: &str = "miniature_http_requests_total";
/// Renditions sent, by route.
const RENDITIONS: &str = "miniature_renditions_sent_total";

/// Event streams that are open.
const STREAMS: &str = "miniature_event_streams";

/// The counters at one moment, or the difference between two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<String, u64>);

impl Counters {
    /// Reads the text format. Only whole, positive values are counts.
    ///
    /// # Source
    ///
    /// Prometheus text exposition format 0.0.4.
    pub fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        Self(samples.filter_map(parse_sample).collect())
    }

    /// What was counted since `before`; series that did not move are left out.
    pub fn since(&self, before: &Self) -> Self {
        let moved = self.0.iter().filter_map(|(series, now)| {
            let grown = now.saturating_sub(before.0.get(series).copied().unwrap_or(0));
            (grown > 0).then(|| (series.clone(), grown))
        });
        Self(moved.collect())
    }

    /// Requests to routes that begin so.
    pub fn requests(&self, route: &str) -> u64 {
        self.sum(REQUESTS, route)
    }

    /// Requests whose only purpose is pictures.
    pub fn picture_requests(&self) -> u64 {
        self.requests("/api/images/") + self.requests("/images/")
    }

    /// Event streams that are open; only of the counters at one moment.
    pub fn streams(&self) -> u64 {
        self.0.get(STREAMS).copied().unwrap_or(0)
    }

    /// Renditions sent, by whatever route.
    pub fn renditions(&self) -> u64 {
        self.sum(RENDITIONS, "")
    }

    fn sum(&self, name: &str, route: &str) -> u64 {
        let label = format!("route=\"{route}");
        let wanted = |series: &str| series.starts_with(name) && series.contains(&label);
        self.0.iter().filter(|(series, _)| wanted(series)).map(|(_, count)| count).sum()
    }
}

impl std::fmt::Display for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ours = self
            .0
            .iter()
            .filter(|(series, _)| series.starts_with(REQUESTS) || series.starts_with(RENDITIONS));
        for (series, count) in ours {
            write!(f, "{} x {}; ", count, series.trim_start_matches("miniature_"))?;
        }
        Ok(())
    }
}

fn parse_sample(line: &str) -> Option<(String, u64)> {
    let (series, value) = line.rsplit_once(' ')?;
    Some((series.to_owned(), value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# TYPE miniature_http_requests_total counter
miniature_http_requests_total{route=\"/api/friends\",method=\"GET\",status=\"200\"} 3
miniature_http_requests_total{route=\"/images/{image_id}\",method=\"GET\",status=\"200\"} 7
miniature_renditions_sent_total{route=\"/api/friends\"} 42
";

    #[test]
    fn routes_are_summed_apart() {
        let counters = Counters::parse(TEXT);

        assert_eq!(counters.requests("/api/friends"), 3);
        assert_eq!(counters.picture_requests(), 7);
        assert_eq!(counters.renditions(), 42);
    }

    #[test]
    fn a_difference_holds_what_moved() {
        let before = Counters::parse(TEXT);
        let after = Counters::parse(&TEXT.replace("} 3", "} 5"));

        let moved = after.since(&before);

        assert_eq!(moved.requests("/api/friends"), 2);
        assert_eq!(moved.picture_requests(), 0);
        assert_eq!(moved.renditions(), 0);
    }
}
