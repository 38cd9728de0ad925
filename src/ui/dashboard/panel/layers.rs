//! A row a layer: how often it helped, how fast, and what it holds.

use crate::cache::{
    figure::Figure,
    key::Source,
    metrics::{LayerMetrics, Metrics, Missed},
};
use leptos::prelude::*;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    Hits,
    Misses,
    Errors,
    P50,
    P95,
    Entries,
    Bytes,
}

impl Metric {
    const ALL: [Self; 7] =
        [Self::Hits, Self::Misses, Self::Errors, Self::P50, Self::P95, Self::Entries, Self::Bytes];

    /// As in the exported metrics.
    const fn key(self) -> &'static str {
        match self {
            Self::Hits => "hits",
            Self::Misses => "misses",
            Self::Errors => "errors",
            Self::P50 => "p50_ms",
            Self::P95 => "p95_ms",
            Self::Entries => "entries",
            Self::Bytes => "bytes",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Hits => "Hits",
            Self::Misses => "Misses",
            Self::Errors => "Errors",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::Entries => "Entries",
            Self::Bytes => "Size",
        }
    }

    fn of(self, layer: LayerMetrics) -> Figure {
        match self {
            Self::Hits => Figure::Count(layer.hits),
            Self::Misses => Figure::Count(layer.misses),
            Self::Errors => Figure::Count(layer.errors),
            Self::P50 => layer.p50_ms.map_or(Figure::Unmeasured, Figure::Millis),
            Self::P95 => layer.p95_ms.map_or(Figure::Unmeasured, Figure::Millis),
            Self::Entries => layer.entries.map_or(Figure::Unmeasured, Figure::Count),
            Self::Bytes => layer.bytes.map_or(Figure::Unmeasured, Figure::Bytes),
        }
    }
}

/// What each layer did, and what it holds.
pub(super) fn layer_table(metrics: &Metrics) -> impl IntoView + use<> {
    view! {
        <div class="dashboard-scroll" role="region" aria-label="Layers" tabindex="0">
            <table class="layer-table">
                <caption class="visually-hidden">"What each layer did"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Layer"</th>
                        {Metric::ALL.map(|metric| view! { <th scope="col">{metric.label()}</th> })}
                    </tr>
                </thead>
                <tbody>{Source::ALL.map(|source| row(source, metrics))}</tbody>
            </table>
        </div>
    }
}

fn row(source: Source, metrics: &Metrics) -> impl IntoView + use<> {
    let layer = metrics.layers[source];
    view! {
        <tr data-layer=source.as_str()>
            <th scope="row">
                <span class="layer-dot" aria-hidden="true"></span>
                {source.label()}
                <small class="layer-why">{reasons(layer.missed)}</small>
            </th>
            {Metric::ALL.map(|metric| cell(metric, layer))}
        </tr>
    }
}

fn cell(metric: Metric, layer: LayerMetrics) -> impl IntoView + use<> {
    let figure = metric.of(layer);
    let alarming = metric == Metric::Errors && layer.errors > 0;
    view! {
        <td data-metric=metric.key() data-value=figure.value() class:alarming=alarming>
            {figure.to_string()}
        </td>
    }
}

/// How many misses had which reason, the reasons that there were.
fn reasons(missed: Missed) -> String {
    let reasons = [
        (missed.absent, "held nothing"),
        (missed.other_revision, "held another picture"),
        (missed.too_small, "too small"),
    ];
    let told = reasons.into_iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> =
        told.map(|(count, why)| format!("{} {why}", Figure::Count(count))).collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reasons_that_there_were_are_told() {
        let cases = [
            (Missed::default(), ""),
            (Missed { absent: 12, ..Missed::default() }, "12 held nothing"),
            (
                Missed { absent: 1, other_revision: 2, too_small: 1_000 },
                "1 held nothing, 2 held another picture, 1\u{202f}000 too small",
            ),
        ];
        for (missed, expected) in cases {
            assert_eq!(reasons(missed), expected);
        }
    }
}
