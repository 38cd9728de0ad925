//! What a developer is told without being asked.

use crate::cache::{
    advice::{Advice, advise},
    metrics::Metrics,
    storage::Storage,
};
use leptos::prelude::*;

/// All advice that applies; nothing where none does.
pub(super) fn advice_view(metrics: &Metrics, storage: Option<&Storage>) -> impl IntoView + use<> {
    let told: Vec<Advice> = advise(metrics, storage);
    (!told.is_empty()).then(|| {
        let items = told.into_iter().map(|Advice { rule, evidence, action }| {
            view! { <li data-rule=rule><b>{evidence}</b> " " {action}</li> }
        });
        view! {
            <h3>"Advice"</h3>
            <ul class="dashboard-advice">{items.collect_view()}</ul>
        }
    })
}
