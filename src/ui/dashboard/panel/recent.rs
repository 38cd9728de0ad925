//! The last loads, one by one, newest first.

use super::layers::layer_label;
use crate::cache::{
    event::{Answer, Load, Outcome, Step},
    metrics::Metrics,
};
use crate::ui::figure::Figure;
use leptos::prelude::*;

/// How many loads are listed.
const LISTED: usize = 20;

/// The last loads, newest first.
pub(super) fn recent_loads(metrics: &Metrics) -> impl IntoView + use<> {
    let loads = metrics.recent.iter().rev().take(LISTED).map(row).collect_view();
    let none = metrics.recent.is_empty().then_some("Nothing loaded yet.");
    view! {
        <h3>"Recent loads"</h3>
        <div class="dashboard-scroll" role="region" aria-label="Recent loads" tabindex="0">
            <table class="recent-loads">
                <thead>
                    <tr>
                        <th scope="col">"User"</th>
                        <th scope="col">"Size"</th>
                        <th scope="col">"From"</th>
                        <th scope="col">"Time"</th>
                        <th scope="col">"Path"</th>
                    </tr>
                </thead>
                <tbody>{loads}</tbody>
            </table>
        </div>
        <p class="dashboard-empty">{none}</p>
    }
}

fn row(load: &Load) -> impl IntoView + use<> {
    let (from, layer) = outcome(load.outcome);
    view! {
        <tr data-layer=layer>
            <td>{load.user.to_string()}</td>
            <td>{load.size.px()}</td>
            <td><span class="layer-dot" aria-hidden="true"></span>{from}</td>
            <td>{Figure::Millis(load.took_ms).to_string()}</td>
            <td>{load.path.iter().map(step).collect::<Vec<_>>().join(" › ")}</td>
        </tr>
    }
}

/// What came of a load, for people; and the layer that decided it.
fn outcome(outcome: Outcome) -> (&'static str, Option<&'static str>) {
    match outcome {
        Outcome::Shown(source) => (layer_label(source), Some(source.as_str())),
        Outcome::Negative(source) => ("No picture", Some(source.as_str())),
        Outcome::Failed => ("Failed", None),
    }
}

fn step(step: &Step) -> String {
    let mark = match step.answer {
        Answer::Hit => "✓",
        Answer::Miss => "–",
        Answer::Failed => "✗",
    };
    format!("{} {mark}", layer_label(step.layer))
}
