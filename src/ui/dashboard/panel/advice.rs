//! What a developer is told without being asked.

use crate::cache::{
    metrics::Metrics,
    recommend::{Recommendation, Severity},
};
use leptos::prelude::*;

/// All recommendations that apply.
pub(super) fn advice_view(metrics: &Metrics) -> impl IntoView + use<> {
    let told = metrics.recommendations.iter().cloned().map(item).collect_view();
    let none = metrics.recommendations.is_empty().then_some("Nothing to say so far.");
    view! {
        <h3>"Advice"</h3>
        <ul class="dashboard-advice">{told}</ul>
        <p class="dashboard-empty">{none}</p>
    }
}

fn item(told: Recommendation) -> impl IntoView {
    let Recommendation { id, severity, message, evidence } = told;
    let severity = match severity {
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    };
    view! {
        <li data-advice=String::from(id) data-severity=severity>
            <b>{String::from(evidence)}</b>
            " "
            {String::from(message)}
        </li>
    }
}
