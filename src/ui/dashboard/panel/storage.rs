//! What each layer holds beside its limit, and what the browser says of the origin's storage.

use super::{Shown, ask_for_storage, button::lone_button};
use crate::browser::schedule;
use crate::cache::{
    figure::Figure,
    key::Source,
    metrics::Metrics,
    storage::{LayerLimit, Storage},
};
use leptos::prelude::*;

/// The part of the panel, once it is known what may be stored.
pub(super) fn storage_view(metrics: &Metrics, shown: Shown) -> impl IntoView + use<> {
    let known = metrics.storage.as_ref().map(|storage| known(storage, metrics, shown));
    known.map(|known| view! { <section data-panel="storage">{known}</section> })
}

fn known(storage: &Storage, metrics: &Metrics, shown: Shown) -> impl IntoView + use<> {
    let can_ask = storage.persisted == Some(false) && !shown.is_imported.get_untracked();
    let rows = storage.limits.iter().map(|limit| row(*limit, metrics)).collect_view();
    view! {
        <h3>"Storage"</h3>
        <div class="dashboard-scroll" role="region" aria-label="Storage" tabindex="0">
            <table class="storage-table">
                <thead>
                    <tr>
                        <th scope="col">"Layer"</th>
                        <th scope="col">"Entries"</th>
                        <th scope="col">"Size"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <p class="storage-origin">{origin(storage)}</p>
        <p class="storage-origin" data-testid="shed">{shed(metrics)}</p>
        {can_ask.then(|| lone_button("persist", "Ask to keep it", move || persist(shown)))}
    }
}

fn persist(shown: Shown) {
    let Some(monitor) = shown.monitor.try_get_value() else { return };
    schedule::spawn(async move {
        // Whatever comes of it is looked at.
        let _ = monitor.persist().await;
        ask_for_storage(shown);
    });
}

fn row(limit: LayerLimit, metrics: &Metrics) -> impl IntoView + use<> {
    let held = metrics.layers[limit.layer];
    let entries = held.entries.map_or(Figure::Unmeasured, Figure::Count);
    let bytes = held.bytes.map_or(Figure::Unmeasured, Figure::Bytes);
    view! {
        <tr data-layer=limit.layer.as_str()>
            <th scope="row">
                <span class="layer-dot" aria-hidden="true"></span>
                {limit.layer.label()}
            </th>
            <td>{format!("{entries} of {}", Figure::Count(limit.entries))}</td>
            <td>{format!("{bytes} of {}", Figure::Bytes(limit.bytes))}</td>
        </tr>
    }
}

/// What was given up because the origin stored too much.
fn shed(metrics: &Metrics) -> Option<String> {
    let gave = Source::ALL.map(|layer| (layer.label(), metrics.layers[layer].shed_bytes));
    let told: Vec<String> = gave
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(layer, bytes)| format!("{layer} {}", Figure::Bytes(bytes)))
        .collect();
    (!told.is_empty())
        .then(|| format!("Above 80 % of that, these gave some up: {}.", told.join(", ")))
}

/// A sentence or two.
fn origin(storage: &Storage) -> String {
    let mut said = match (storage.usage_bytes, storage.quota_bytes) {
        (Some(used), Some(quota)) => {
            let (used, quota) = (Figure::Bytes(used), Figure::Bytes(quota));
            format!("The origin stores {used} of {quota} that the browser allows.")
        }
        _ => "The browser does not say how much the origin stores.".to_owned(),
    };
    said += match storage.persisted {
        Some(true) => " It is kept when the disk is full.",
        Some(false) => " It may be removed when the disk is full.",
        None => "",
    };
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_told_of_as_far_as_it_is_known() {
        let storage = |bytes: Option<(u64, u64)>, persisted| Storage {
            usage_bytes: bytes.map(|(used, _)| used),
            quota_bytes: bytes.map(|(_, quota)| quota),
            persisted,
            has_worker: None,
            limits: Vec::new(),
        };
        let cases = [
            (
                storage(Some((1_450, 52_428_800)), Some(true)),
                "The origin stores 1.5 kB of 52.4 MB that the browser allows. It is kept when the disk is full.",
            ),
            (
                storage(None, Some(false)),
                "The browser does not say how much the origin stores. It may be removed when the disk is full.",
            ),
            (storage(None, None), "The browser does not say how much the origin stores."),
        ];
        for (storage, expected) in cases {
            assert_eq!(origin(&storage), expected);
        }
    }
}
