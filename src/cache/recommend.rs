//! What a developer is told without being asked: fixed rules over what was counted, each with its evidence.

use serde::{Deserialize, Serialize};

use super::{
    figure::Figure,
    key::Source,
    metrics::{LayerMetrics, Metrics},
    policy::Policy,
    storage::Storage,
};

/// Below this share of requests answered by a cache.
const FEW_HITS: f64 = 0.7;
/// Before so many requests a share says nothing.
const REQUESTS: u64 = 50;
/// One recommendation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Names the rule.
    pub id: Box<str>,
    /// How much it matters.
    pub severity: Severity,
    /// What to do.
    pub message: Box<str>,
    /// What was seen.
    pub evidence: Box<str>,
}

/// How much a recommendation matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// People who use the page lose something by it.
    Warning,
    /// It could be better.
    Notice,
}

/// All that applies, the most urgent first. What is stored is not always known.
pub fn recommend(metrics: &Metrics) -> Vec<Recommendation> {
    let failing = Source::ALL.into_iter().filter_map(|layer| fails(layer, &metrics.layers[layer]));
    let storage = metrics.storage.as_ref();
    let rest = [
        few_hits(metrics),
        all_stale(metrics),
        storage.and_then(much_stored),
        storage.and_then(no_worker),
    ];
    failing.chain(rest.into_iter().flatten()).collect()
}

fn recommendation(id: &str, severity: Severity, evidence: String, message: &str) -> Recommendation {
    Recommendation { id: id.into(), severity, message: message.into(), evidence: evidence.into() }
}

fn fails(layer: Source, counted: &LayerMetrics) -> Option<Recommendation> {
    let errors = counted.errors;
    let times = match errors {
        0 => return None,
        1 => "once".to_owned(),
        _ => format!("{} times", Figure::Count(errors)),
    };
    let message = match layer {
        Source::Network => "Look at the API's answers in the browser's network panel.",
        Source::Memory | Source::LocalStorage | Source::IndexedDb | Source::ServiceWorker => {
            "Look whether the browser denies it: a private window, blocked cookies, a full disk."
        }
    };
    let evidence = format!("{} failed {times}.", layer.label());
    Some(recommendation("layer_failing", Severity::Warning, evidence, message))
}

fn few_hits(metrics: &Metrics) -> Option<Recommendation> {
    let is_low = metrics.total_requests >= REQUESTS && metrics.hit_rate < FEW_HITS;
    is_low.then(|| {
        recommendation("few_hits", Severity::Notice, format!(
            "{} of {} requests were answered by a cache.",
            Figure::Share(metrics.hit_rate),
            Figure::Count(metrics.total_requests)
        ), "See in the table of layers why they missed: raise a limit, or prefetch who is shown next.")
    })
}

fn all_stale(metrics: &Metrics) -> Option<Recommendation> {
    let is_all = metrics.stale > 0 && metrics.stale >= metrics.total_requests;
    is_all.then(|| {
        recommendation("all_stale", Severity::Notice, format!("All of {} requests were past their lifetime.", Figure::Count(metrics.stale)), "Look at this device's clock; else lengthen the lifetimes in `Policy`, or let `sync` run.")
    })
}

fn much_stored(storage: &Storage) -> Option<Recommendation> {
    let (used, quota) = (storage.usage_bytes?, storage.quota_bytes.filter(|quota| *quota > 0)?);
    let share = as_f64(used) / as_f64(quota);
    let much = f64::from(Policy::default().shed.above_percent) / 100.0;
    (share > much).then(|| {
        recommendation(
            "much_stored",
            Severity::Warning,
            format!(
                "The origin stores {}, {} of what it may.",
                Figure::Bytes(used),
                Figure::Share(share)
            ),
            "Lower the limits of IndexedDB, or ask the browser to persist the storage.",
        )
    })
}

fn no_worker(storage: &Storage) -> Option<Recommendation> {
    (storage.has_worker == Some(false)).then(|| {
        recommendation(
            "no_worker",
            Severity::Warning,
            "No service worker answers for this page.".to_owned(),
            "Without one a reload offline fails. Serve the page over HTTPS, with /sw.js beside it.",
        )
    })
}

#[expect(clippy::cast_precision_loss, reason = "bytes stay far below 2^53")]
fn as_f64(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{clock::Timestamp, metrics::Layers};

    fn metrics() -> Metrics {
        Metrics {
            schema: 2,
            since: Timestamp(0),
            total_requests: 100,
            hit_rate: 0.9,
            coalesced: 0,
            stale: 0,
            negative: 0,
            api_requests: 1,
            average_load_ms: 1.0,
            bytes_from_network: 0,
            bytes_saved: 0,
            time_saved_ms: 0.0,
            layers: Layers::default(),
            minutes: Vec::new(),
            storage: None,
            recommendations: Vec::new(),
            recent: Vec::new(),
        }
    }

    fn storage(used: u64, quota: u64, has_worker: Option<bool>) -> Storage {
        Storage {
            usage_bytes: Some(used),
            quota_bytes: Some(quota),
            persisted: None,
            has_worker,
            limits: Vec::new(),
        }
    }

    fn rules(metrics: &Metrics) -> Vec<Box<str>> {
        recommend(metrics).into_iter().map(|told| told.id).collect()
    }

    #[test]
    fn each_rule_speaks_where_it_applies_and_not_before() {
        let quiet = || storage(80, 100, Some(true));
        let cases: [(&[&str], Metrics, Storage); 9] = [
            (&[], metrics(), quiet()),
            (&[], Metrics { hit_rate: 0.7, ..metrics() }, quiet()),
            (&["few_hits"], Metrics { hit_rate: 0.699, ..metrics() }, quiet()),
            (&[], Metrics { hit_rate: 0.0, total_requests: 49, ..metrics() }, quiet()),
            (&["all_stale"], Metrics { stale: 100, ..metrics() }, quiet()),
            (&[], Metrics { stale: 99, ..metrics() }, quiet()),
            (&["much_stored"], metrics(), storage(81, 100, Some(true))),
            (&["no_worker"], metrics(), storage(0, 100, Some(false))),
            (&[], metrics(), storage(1, 0, None)),
        ];
        for (expected, metrics, storage) in cases {
            let metrics = Metrics { storage: Some(storage), ..metrics };
            let expected: Vec<Box<str>> = expected.iter().map(|id| (*id).into()).collect();
            assert_eq!(rules(&metrics), expected, "{metrics:?}");
        }
        assert_eq!(recommend(&metrics()), []);
    }

    #[test]
    fn a_failing_layer_is_told_first_with_its_count() {
        let mut layers = [LayerMetrics::default(); Source::ALL.len()];
        layers[Source::IndexedDb as usize].errors = 3;
        layers[Source::Network as usize].errors = 1;
        let metrics = Metrics { hit_rate: 0.0, layers: Layers(layers), ..metrics() };
        let told = recommend(&metrics);
        let evidence: Vec<&str> = told.iter().map(|told| &*told.evidence).collect();
        let last = "0% of 100 requests were answered by a cache.";
        assert_eq!(evidence, ["IndexedDB failed 3 times.", "Network failed once.", last]);
    }
}
