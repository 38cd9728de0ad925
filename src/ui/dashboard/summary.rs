//! The cache in a few numbers, and where pictures came from.

use super::{super::figure::Figure, layers::layer_label};
use crate::cache::{key::Source, stats::Metrics};
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

#[component]
pub(super) fn Summary(metrics: Memo<Metrics>) -> impl IntoView {
    view! {
        <dl class="dashboard-totals">
            {Total::ALL.map(|total| view! { <TotalFigure total metrics /> })}
        </dl>
        <SourceBar metrics />
    }
}

#[component]
fn TotalFigure(total: Total, metrics: Memo<Metrics>) -> impl IntoView {
    let figure = Memo::new(move |_| metrics.with(|metrics| total.of(metrics)));
    view! {
        <div>
            <dt>{total.label()}</dt>
            <dd data-metric=total.key() data-value=move || figure.get().value()>
                {move || figure.get().to_string()}
            </dd>
        </div>
    }
}

/// A bar of the layers' hits, nearest first.
#[component]
fn SourceBar(metrics: Memo<Metrics>) -> impl IntoView {
    let hits = move |source| metrics.with(|m| m.layers.get(&source).map_or(0, |layer| layer.hits));
    let spoken = move || {
        let part = |source| format!("{} {}", hits(source), layer_label(source));
        format!("Where pictures came from: {}", Source::ALL.map(part).join(", "))
    };
    view! {
        <div class="source-bar" role="img" aria-label=spoken>
            {Source::ALL
                .map(|source| {
                    view! {
                        <span data-layer=source.as_str() style:flex-grow=move || hits(source).to_string()></span>
                    }
                })}
        </div>
    }
}
