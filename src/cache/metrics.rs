//! Figures for people and programs.

use std::ops::Index;

use serde::{Serialize, Serializer};

use super::{clock::Timestamp, event::Load, key::Source};

/// What `window.cacheMonitor.getMetrics()` returns and `export` saves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    /// The version of this shape.
    pub schema: u32,
    /// Since when it was counted, in milliseconds since the Unix epoch.
    pub since: Timestamp,
    /// Requests answered.
    pub total_requests: u64,
    /// Requests not answered by the network, of all; 0 to 1, and 0 before the first.
    pub hit_rate: f64,
    /// Requests that joined one under way.
    pub coalesced: u64,
    /// Requests answered at once with something past its lifetime.
    pub stale: u64,
    /// Requests answered with "has no picture".
    pub negative: u64,
    /// Requests for pictures sent to the API.
    pub api_requests: u64,
    /// The mean time from asking to having something to paint, in milliseconds.
    pub average_load_ms: f64,
    /// Encoded images received, in bytes.
    pub bytes_from_network: u64,
    /// Encoded images shown from a layer other than the network, in bytes.
    pub bytes_saved: u64,
    /// For each load from another layer, the median measured network load so far minus what it
    /// took, in milliseconds; 0 until a network load was measured.
    pub time_saved_ms: f64,
    /// By the layer's name.
    pub layers: Layers,
    /// The last 500 loads, oldest first.
    pub recent: Vec<Load>,
}

/// Every layer's part of [`Metrics`], written as a map by name.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Layers(pub(super) [LayerMetrics; Source::ALL.len()]);

impl Index<Source> for Layers {
    type Output = LayerMetrics;

    fn index(&self, source: Source) -> &LayerMetrics {
        &self.0[source as usize]
    }
}

impl Serialize for Layers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Source::ALL.map(|source| (source, self[source])))
    }
}

/// One layer's part of [`Metrics`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LayerMetrics {
    /// Requests that it answered.
    pub hits: u64,
    /// Requests that it was asked and had nothing for.
    pub misses: u64,
    /// Calls that failed.
    pub errors: u64,
    /// The median time of the last 500 pictures shown from it, in milliseconds; none before the
    /// first.
    pub p50_ms: Option<f64>,
    /// The 95th percentile of the same.
    pub p95_ms: Option<f64>,
    /// Keys held; none if that is not known.
    pub entries: Option<u64>,
    /// Bytes held; none if that is not known.
    pub bytes: Option<u64>,
}
