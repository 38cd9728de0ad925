//! What a developer is told without being asked: fixed rules over what was counted, each with its evidence.

use super::{
    figure::Figure,
    key::Source,
    metrics::{LayerMetrics, Metrics},
    storage::Storage,
};

/// Below this share of requests answered by a cache.
const FEW_HITS: f64 = 0.7;
/// Before so many requests a share says nothing.
const REQUESTS: u64 = 50;
/// Above this share of the origin's quota.
const MUCH_STORED: f64 = 0.8;

/// One piece of advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Names the rule.
    pub rule: &'static str,
    /// What was seen.
    pub evidence: String,
    /// What to do.
    pub action: &'static str,
}

/// All that applies, the most urgent first. What is stored is not always known.
pub fn advise(metrics: &Metrics, storage: Option<&Storage>) -> Vec<Advice> {
    let failing = Source::ALL.into_iter().filter_map(|layer| fails(layer, &metrics.layers[layer]));
    let rest = [
        few_hits(metrics),
        all_stale(metrics),
        storage.and_then(much_stored),
        storage.and_then(no_worker),
    ];
    failing.chain(rest.into_iter().flatten()).collect()
}

fn fails(layer: Source, counted: &LayerMetrics) -> Option<Advice> {
    let errors = counted.errors;
    (errors > 0).then(|| Advice {
        rule: "layer_failing",
        evidence: format!(
            "{} failed {}.",
            layer.label(),
            if errors == 1 { "once".to_owned() } else { format!("{} times", Figure::Count(errors)) }
        ),
        action: match layer {
            Source::Network => "Look at the API's answers in the browser's network panel.",
            Source::Memory | Source::LocalStorage | Source::IndexedDb | Source::ServiceWorker => {
                "Look whether the browser denies it: a private window, blocked cookies, a full disk."
            }
        },
    })
}

fn few_hits(metrics: &Metrics) -> Option<Advice> {
    let is_low = metrics.total_requests >= REQUESTS && metrics.hit_rate < FEW_HITS;
    is_low.then(|| Advice {
        rule: "few_hits",
        evidence: format!(
            "{} of {} requests were answered by a cache.",
            Figure::Share(metrics.hit_rate),
            Figure::Count(metrics.total_requests)
        ),
        action: "See in the table of layers why they missed: raise a limit, or prefetch who is shown next.",
    })
}

fn all_stale(metrics: &Metrics) -> Option<Advice> {
    let is_all = metrics.stale > 0 && metrics.stale >= metrics.total_requests;
    is_all.then(|| Advice {
        rule: "all_stale",
        evidence: format!("All of {} requests were past their lifetime.", Figure::Count(metrics.stale)),
        action: "Look at this device's clock; else lengthen the lifetimes in `Policy`, or let `sync` run.",
    })
}

fn much_stored(storage: &Storage) -> Option<Advice> {
    let (used, quota) = (storage.usage_bytes?, storage.quota_bytes.filter(|quota| *quota > 0)?);
    let share = as_f64(used) / as_f64(quota);
    (share > MUCH_STORED).then(|| Advice {
        rule: "much_stored",
        evidence: format!(
            "The origin stores {}, {} of what it may.",
            Figure::Bytes(used),
            Figure::Share(share)
        ),
        action: "Lower the limits of IndexedDB, or ask the browser to persist the storage.",
    })
}

fn no_worker(storage: &Storage) -> Option<Advice> {
    (storage.has_worker == Some(false)).then(|| Advice {
        rule: "no_worker",
        evidence: "No service worker answers for this page.".to_owned(),
        action: "Without one a reload offline fails. Serve the page over HTTPS, with /sw.js beside it.",
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

    fn rules(metrics: &Metrics, storage: &Storage) -> Vec<&'static str> {
        advise(metrics, Some(storage)).into_iter().map(|advice| advice.rule).collect()
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
            assert_eq!(rules(&metrics, &storage), expected, "{storage:?}");
        }
        assert_eq!(advise(&metrics(), None), []);
    }

    #[test]
    fn a_failing_layer_is_told_first_with_its_count() {
        let mut layers = [LayerMetrics::default(); Source::ALL.len()];
        layers[Source::IndexedDb as usize].errors = 3;
        layers[Source::Network as usize].errors = 1;
        let metrics = Metrics { hit_rate: 0.0, layers: Layers(layers), ..metrics() };
        let told = advise(&metrics, None);
        let evidence: Vec<&str> = told.iter().map(|advice| advice.evidence.as_str()).collect();
        let last = "0% of 100 requests were answered by a cache.";
        assert_eq!(evidence, ["IndexedDB failed 3 times.", "Network failed once.", last]);
    }
}
