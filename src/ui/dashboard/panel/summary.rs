//! The cache in a few numbers, and where pictures came from.

use crate::cache::{figure::Figure, key::Source, metrics::Metrics};
use leptos::prelude::*;

/// A number of the whole cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Total {
    HitRate,
    Requests,
    Coalesced,
    Stale,
    ApiRequests,
    BytesSaved,
}

impl Total {
    const ALL: [Self; 6] = [
        Self::HitRate,
        Self::Requests,
        Self::ApiRequests,
        Self::BytesSaved,
        Self::Coalesced,
        Self::Stale,
    ];

    /// As in the exported metrics.
    const fn key(self) -> &'static str {
        match self {
            Self::HitRate => "hit_rate",
            Self::Requests => "total_requests",
            Self::Coalesced => "coalesced",
            Self::Stale => "stale",
            Self::ApiRequests => "api_requests",
            Self::BytesSaved => "bytes_saved",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::HitRate => "Hit rate",
            Self::Requests => "Requests",
            Self::Coalesced => "Coalesced",
            Self::Stale => "Stale",
            Self::ApiRequests => "API requests",
            Self::BytesSaved => "Bytes saved",
        }
    }

    fn of(self, metrics: &Metrics) -> Figure {
        match self {
            Self::HitRate => Figure::Share(metrics.hit_rate),
            Self::Requests => Figure::Count(metrics.total_requests),
            Self::Coalesced => Figure::Count(metrics.coalesced),
            Self::Stale => Figure::Count(metrics.stale),
            Self::ApiRequests => Figure::Count(metrics.api_requests),
            Self::BytesSaved => Figure::Bytes(metrics.bytes_saved),
        }
    }
}

/// The totals, and where pictures came from.
pub(super) fn summary(metrics: &Metrics) -> impl IntoView + use<> {
    view! {
        <dl class="dashboard-totals">{Total::ALL.map(|total| total_figure(total, metrics))}</dl>
        {source_bar(metrics)}
    }
}

fn total_figure(total: Total, metrics: &Metrics) -> impl IntoView + use<> {
    let figure = total.of(metrics);
    view! {
        <div>
            <dt>{total.label()}</dt>
            <dd data-metric=total.key() data-value=figure.value()>
                {figure.to_string()}
            </dd>
        </div>
    }
}

/// A bar of the layers' hits, nearest first.
fn source_bar(metrics: &Metrics) -> impl IntoView + use<> {
    let hits = |source| metrics.layers[source].hits;
    let spoken = Source::ALL.map(|source| format!("{} {}", hits(source), source.label()));
    view! {
        <div
            class="source-bar"
            role="img"
            aria-label=format!("Where pictures came from: {}", spoken.join(", "))
        >
            {Source::ALL.map(|source| {
                let share = hits(source).to_string();
                view! { <span data-layer=source.as_str() style:flex-grow=share></span> }
            })}
        </div>
    }
}
