//! Figures for people and programs.

use std::ops::Index;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use miniature_api::UserId;

use super::{
    clock::Timestamp, event::Load, figure::Figure, key::Source, recommend::Recommendation,
    storage::Storage,
};

/// The version of the shape of [`Metrics`].
pub(super) const SCHEMA: u32 = 2;

/// What `window.cacheMonitor.getMetrics()` returns and `export` saves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The last 60 minutes in which there was a request, oldest first.
    pub minutes: Vec<Minute>,
    /// What may be stored, and what is; none until somebody has asked.
    pub storage: Option<Storage>,
    /// What to look at, the most urgent first.
    pub recommendations: Vec<Recommendation>,
    /// The last 500 loads, oldest first.
    pub recent: Vec<Load>,
}

/// What was counted in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    /// Which, since the document began.
    pub minute: u64,
    /// Requests answered in it.
    pub requests: u64,
    /// Those of them not answered by the network.
    pub hits: u64,
}

impl Metrics {
    /// Whether its shape is of the version that is written now.
    pub fn is_of_this_schema(&self) -> bool {
        self.schema == SCHEMA
    }

    /// The same with `person-1`, `person-2` and so on in the place of ids, in the order in which they first
    /// appear. The same person is the same throughout.
    #[must_use]
    pub fn pseudonymous(mut self) -> Self {
        let mut seen: Vec<UserId> = Vec::new();
        for load in &mut self.recent {
            let known = seen.iter().position(|user| *user == load.user);
            let number = known.unwrap_or_else(|| {
                seen.push(load.user.clone());
                seen.len() - 1
            });
            if let Ok(pseudonym) = format!("person-{}", number + 1).parse() {
                load.user = pseudonym;
            }
        }
        self
    }

    /// The same with other names in the place of ids.
    #[must_use]
    pub fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        for load in &mut self.recent {
            if let Ok(other) = name(load.user.as_str()).parse() {
                load.user = other;
            }
        }
        self
    }

    /// The totals, for people.
    pub fn in_a_line(&self) -> String {
        let (share, requests) = (Figure::Share(self.hit_rate), Figure::Count(self.total_requests));
        let (asked, saved) = (Figure::Count(self.api_requests), Figure::Bytes(self.bytes_saved));
        format!(
            "{share} of {requests} pictures came from a cache; requests to the API: {asked}; \
             not sent again: {saved}"
        )
    }
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

impl<'de> Deserialize<'de> for Layers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The map, with a name for each layer.
        #[derive(Deserialize)]
        struct Named {
            memory: LayerMetrics,
            local_storage: LayerMetrics,
            indexed_db: LayerMetrics,
            service_worker: LayerMetrics,
            network: LayerMetrics,
        }
        let Named { memory, local_storage, indexed_db, service_worker, network } =
            Named::deserialize(deserializer)?;
        Ok(Self([memory, local_storage, indexed_db, service_worker, network]))
    }
}

/// One layer's part of [`Metrics`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerMetrics {
    /// Requests that it answered.
    pub hits: u64,
    /// Requests that it was asked and had nothing for.
    pub misses: u64,
    /// The same by their reason.
    pub missed: Missed,
    /// Calls that failed.
    pub errors: u64,
    /// Bytes that it gave up because the origin stored too much.
    pub shed_bytes: u64,
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

/// Why a layer had nothing that answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// It held no picture of the user.
    pub absent: u64,
    /// It held another image than the one that the user is known to have.
    pub other_revision: u64,
    /// It held the image, smaller than asked for.
    pub too_small: u64,
}

impl Missed {
    pub(super) fn sum(self) -> u64 {
        self.absent + self.other_revision + self.too_small
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{
        event::{Answer, Outcome, Step},
        policy::Policy,
        recommend::Severity,
        storage::limits,
    };
    use miniature_api::Size;
    use serde_json::Value;

    const TYPES: &str = include_str!("../../public/cache-monitor.d.ts");

    fn metrics() -> Metrics {
        let step = Step { layer: Source::Memory, answer: Answer::TooSmall, took_ms: 0.5 };
        let outcomes = [
            Outcome::Shown(Source::Network),
            Outcome::Negative(Source::IndexedDb),
            Outcome::Failed,
        ];
        let load = |outcome| Load {
            user: "ada".parse().unwrap(),
            size: Size::S64,
            outcome,
            asked_ms: 3.0,
            took_ms: 1.5,
            bytes: 900,
            path: vec![step],
        };
        Metrics {
            schema: 2,
            since: Timestamp(7),
            total_requests: 3,
            hit_rate: 0.25,
            coalesced: 1,
            stale: 1,
            negative: 1,
            api_requests: 1,
            average_load_ms: 1.5,
            bytes_from_network: 900,
            bytes_saved: 0,
            time_saved_ms: 0.0,
            layers: Layers([LayerMetrics { p50_ms: Some(1.5), ..LayerMetrics::default() }; 5]),
            minutes: vec![Minute { minute: 0, requests: 3, hits: 1 }],
            storage: Some(Storage {
                usage_bytes: Some(1),
                quota_bytes: None,
                persisted: Some(false),
                has_worker: None,
                limits: limits(&Policy::default()),
            }),
            recommendations: vec![Recommendation {
                id: "few_hits".into(),
                severity: Severity::Notice,
                message: "Do something.".into(),
                evidence: "It is so.".into(),
            }],
            recent: outcomes.map(load).into(),
        }
    }

    fn names(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                found.push(name.clone());
                names(value, found);
            }),
            Value::Array(values) => values.iter().for_each(|value| names(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn what_is_exported_is_read_again() {
        let text = serde_json::to_string(&metrics()).unwrap();
        assert_eq!(serde_json::from_str::<Metrics>(&text).unwrap(), metrics());
    }

    #[test]
    fn every_name_of_an_export_is_in_the_typings() {
        let mut found = Vec::new();
        names(&serde_json::to_value(metrics()).unwrap(), &mut found);
        assert!(found.len() > 40, "{found:?}");
        for name in found {
            let (field, text) = (format!("{name}: "), format!("\"{name}\""));
            assert!(TYPES.contains(&field) || TYPES.contains(&text), "{name}");
        }
    }

    #[test]
    fn a_pseudonym_stands_for_one_person_and_no_other() {
        let [ada, grace]: [UserId; 2] = ["ada", "grace"].map(|name| name.parse().unwrap());
        let mut metrics = metrics();
        for (load, user) in metrics.recent.iter_mut().zip([&grace, &ada, &grace]) {
            load.user = user.clone();
        }
        let told = metrics.clone().pseudonymous();
        let users: Vec<&str> = told.recent.iter().map(|load| load.user.as_str()).collect();
        assert_eq!(users, ["person-1", "person-2", "person-1"]);
        assert_eq!(told.layers, metrics.layers);
    }

    #[test]
    fn the_totals_fit_in_a_line() {
        let line =
            "25% of 3 pictures came from a cache; requests to the API: 1; not sent again: 0 B";
        assert_eq!(metrics().in_a_line(), line);
    }
}
