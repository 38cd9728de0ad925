//! What comes of a session.

use serde::{Deserialize, Serialize};

use super::{Handle, facts::Facts, play::Play};
use crate::cache::{key::Source, metrics::Metrics, policy::Policy, replay::Recording};

/// What comes of a session under a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Pictures asked for.
    pub requests: u64,
    /// Those of them that were not answered by the network.
    pub hits: u64,
    /// Those of them that memory answered.
    pub from_memory: u64,
    /// Requests for pictures sent to the API.
    pub api_requests: u64,
    /// Encoded images received, in bytes.
    pub bytes_from_network: u64,
    /// The median time from asking to having something to paint, in milliseconds; none if nothing was shown.
    pub median_ms: Option<f64>,
    /// The 95th percentile of the same.
    pub p95_ms: Option<f64>,
    /// What the layers hold at the end that outlive documents, in bytes.
    pub stored_bytes: u64,
}

impl Forecast {
    pub(in crate::cache) fn of(metrics: &Metrics, took_ms: &[f64], stored_bytes: u64) -> Self {
        let network = metrics.layers[Source::Network];
        let answered: u64 = Source::ALL.into_iter().map(|layer| metrics.layers[layer].hits).sum();
        let mut sorted = took_ms.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| sorted.get(sorted.len() * percent / 100).copied();
        Self {
            requests: metrics.total_requests,
            hits: answered - network.hits,
            from_memory: metrics.layers[Source::Memory].hits,
            api_requests: metrics.api_requests,
            bytes_from_network: metrics.bytes_from_network,
            median_ms: at(50),
            p95_ms: at(95),
            stored_bytes,
        }
    }

    /// Requests not answered by the network, of all; 0 to 1.
    pub fn hit_rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
        let share = self.hits as f64 / self.requests.max(1) as f64;
        share
    }
}

/// What would have come of the documents of one tab, in their order, under this policy.
pub fn forecast<B: Handle>(session: &[Recording], policy: Policy) -> Forecast {
    let facts = Facts::<B>::of(session);
    let mut play = Play::new(&facts, policy);
    while play.step(&facts) {}
    play.forecast()
}
