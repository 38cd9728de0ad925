//! What the dashboard shows: counted from [`CacheEvent`]s, never assumed.

use std::collections::VecDeque;

use super::{
    clock::Timestamp,
    event::{Answer, CacheEvent, Load, Outcome},
    eviction::Usage,
    key::Source,
    metrics::{LayerMetrics, Layers, Metrics, Minute, Missed, SCHEMA},
    recommend::recommend,
    storage::Storage,
};

/// How many loads are remembered one by one.
const RECENT: usize = 500;
/// How many minutes are.
const MINUTES: usize = 60;
const MINUTE_MS: f64 = 60_000.0;

/// Counts what happens in the cache.
#[derive(Clone, Debug)]
pub struct Stats {
    since: Timestamp,
    layers: [LayerStats; Source::ALL.len()],
    requests: u64,
    not_from_network: u64,
    coalesced: u64,
    stale: u64,
    negative: u64,
    api_requests: u64,
    bytes_from_network: u64,
    bytes_saved: u64,
    time_saved_ms: f64,
    total_ms: f64,
    /// The median of the last loads from the network.
    network_ms: Option<f64>,
    minutes: VecDeque<Minute>,
    recent: VecDeque<Load>,
}

#[derive(Clone, Debug, Default)]
struct LayerStats {
    hits: u64,
    missed: Missed,
    errors: u64,
    shed_bytes: u64,
    /// Of the last pictures shown, in milliseconds.
    took_ms: VecDeque<f64>,
}

impl Stats {
    /// Nothing counted yet.
    pub fn new(since: Timestamp) -> Self {
        Self {
            since,
            layers: Default::default(),
            requests: 0,
            not_from_network: 0,
            coalesced: 0,
            stale: 0,
            negative: 0,
            api_requests: 0,
            bytes_from_network: 0,
            bytes_saved: 0,
            time_saved_ms: 0.0,
            total_ms: 0.0,
            network_ms: None,
            minutes: VecDeque::new(),
            recent: VecDeque::new(),
        }
    }

    /// Counts an event.
    pub fn count(&mut self, event: CacheEvent) {
        match event {
            CacheEvent::Loaded(load) => self.count_load(load),
            CacheEvent::Coalesced => self.coalesced += 1,
            CacheEvent::Stale => self.stale += 1,
            CacheEvent::LayerFailed(source, _) => self.layer(source).errors += 1,
            CacheEvent::Requested => self.api_requests += 1,
            CacheEvent::OriginFailed(_) => self.layer(Source::Network).errors += 1,
            CacheEvent::Received(bytes) => self.bytes_from_network += bytes,
            CacheEvent::Shed(source, bytes) => self.layer(source).shed_bytes += bytes,
        }
    }

    /// What was counted so far, beside what each layer holds now and what may be stored, as far as that is
    /// known.
    pub fn metrics(
        &self,
        usage: impl Fn(Source) -> Option<Usage>,
        storage: Option<Storage>,
    ) -> Metrics {
        let layers = Source::ALL.map(|source| self.of(source).metrics(usage(source)));
        let mut metrics = Metrics {
            schema: SCHEMA,
            since: self.since,
            total_requests: self.requests,
            hit_rate: ratio(as_f64(self.not_from_network), self.requests),
            coalesced: self.coalesced,
            stale: self.stale,
            negative: self.negative,
            api_requests: self.api_requests,
            average_load_ms: ratio(self.total_ms, self.requests),
            bytes_from_network: self.bytes_from_network,
            bytes_saved: self.bytes_saved,
            time_saved_ms: self.time_saved_ms,
            layers: Layers(layers),
            minutes: self.minutes.iter().copied().collect(),
            storage,
            recommendations: Vec::new(),
            recent: self.recent.iter().cloned().collect(),
        };
        metrics.recommendations = recommend(&metrics);
        metrics
    }

    fn of(&self, source: Source) -> &LayerStats {
        &self.layers[source as usize]
    }

    fn layer(&mut self, source: Source) -> &mut LayerStats {
        &mut self.layers[source as usize]
    }

    fn count_load(&mut self, load: Load) {
        self.requests += 1;
        self.total_ms += load.took_ms;
        for step in &load.path {
            let missed = &mut self.layer(step.layer).missed;
            match step.answer {
                Answer::Absent => missed.absent += 1,
                Answer::OtherRevision => missed.other_revision += 1,
                Answer::TooSmall => missed.too_small += 1,
                Answer::Hit | Answer::Stale => {}
                Answer::Denied | Answer::TimedOut | Answer::Failed => {}
            }
        }
        let before = self.not_from_network;
        match load.outcome {
            Outcome::Shown(source) => self.count_hit(source, &load),
            Outcome::Negative(source) => {
                self.negative += 1;
                self.layer(source).hits += 1;
                self.not_from_network += u64::from(source != Source::Network);
            }
            Outcome::Failed => {}
        }
        self.count_minute(&load, self.not_from_network - before);
        self.recent.push_back(load);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// Counts it in the minute in which it was answered.
    fn count_minute(&mut self, load: &Load, hits: u64) {
        let minute = whole((load.asked_ms + load.took_ms) / MINUTE_MS);
        let last = self.minutes.back_mut().filter(|last| last.minute >= minute);
        if let Some(last) = last {
            last.requests += 1;
            last.hits += hits;
            return;
        }
        self.minutes.push_back(Minute { minute, requests: 1, hits });
        if self.minutes.len() > MINUTES {
            self.minutes.pop_front();
        }
    }

    fn count_hit(&mut self, source: Source, load: &Load) {
        if source != Source::Network {
            self.not_from_network += 1;
            self.bytes_saved += load.bytes;
            self.time_saved_ms += self.network_ms.map_or(0.0, |ms| (ms - load.took_ms).max(0.0));
        }
        let layer = self.layer(source);
        layer.hits += 1;
        layer.took_ms.push_back(load.took_ms);
        if layer.took_ms.len() > RECENT {
            layer.took_ms.pop_front();
        }
        if source == Source::Network {
            self.network_ms = self.of(source).percentile(0.5);
        }
    }
}

impl LayerStats {
    fn metrics(&self, usage: Option<Usage>) -> LayerMetrics {
        LayerMetrics {
            hits: self.hits,
            misses: self.missed.sum(),
            missed: self.missed,
            errors: self.errors,
            shed_bytes: self.shed_bytes,
            p50_ms: self.percentile(0.5),
            p95_ms: self.percentile(0.95),
            entries: usage.map(|usage| usage.entries as u64),
            bytes: usage.map(|usage| usage.bytes),
        }
    }

    /// The nearest-rank percentile of the last pictures' times; none if there were none.
    fn percentile(&self, share: f64) -> Option<f64> {
        let mut sorted: Vec<f64> = self.took_ms.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let below = |rank: &usize| as_f64(*rank as u64 + 1) < share * as_f64(sorted.len() as u64);
        let rank = (0..sorted.len()).take_while(below).count();
        sorted.get(rank).copied()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(number: f64) -> u64 {
    number as u64
}

fn ratio(part: f64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part / as_f64(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
