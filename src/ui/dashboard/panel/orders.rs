//! What memory could have answered of the recorded loads, by the order in which it gives users up.

use crate::cache::{
    figure::Figure,
    key::Source,
    metrics::Metrics,
    orders::{Accesses, Order},
    policy::Policy,
};
use leptos::prelude::*;

/// A row an order; where all people fit, a sentence.
pub(super) fn orders_view(metrics: &Metrics) -> AnyView {
    let accesses: Accesses = metrics.recent.iter().map(|load| &load.user).collect();
    let users = room(metrics);
    let (people, loads) = (Figure::Count(accesses.people() as u64), accesses.len());
    if accesses.is_empty() {
        return ().into_any();
    }
    let (loads, room) = (Figure::Count(loads as u64), Figure::Count(users as u64));
    if accesses.people() <= users {
        let said = format!(
            "The {people} people of the last {loads} loads fit into memory, which holds {room}: no other order \
             of giving them up would answer more."
        );
        return view! { <p class="dashboard-empty" data-testid="orders">{said}</p> }.into_any();
    }
    let rows = Order::ALL.map(|order| row(order, &accesses, users));
    let caption = format!(
        "What memory of {room} could answer of the last {loads} loads, of {people} people, by the order in \
         which it gives them up"
    );
    view! {
        <table class="order-table" data-testid="orders">
            <caption>{caption}</caption>
            <thead>
                <tr>
                    <th scope="col">"Order"</th>
                    <th scope="col">"Hits"</th>
                    <th scope="col">"Hit rate"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// How many users memory holds: as the page said, or else as it is by default.
fn room(metrics: &Metrics) -> usize {
    let limits = metrics.storage.iter().flat_map(|storage| &storage.limits);
    let memory = limits.clone().find(|limit| limit.layer == Source::Memory);
    let told = memory.and_then(|limit| usize::try_from(limit.entries).ok());
    told.unwrap_or_else(|| Policy::default().memory.entries)
}

fn row(order: Order, accesses: &Accesses, users: usize) -> impl IntoView + use<> {
    let hits = accesses.hits(order, users);
    view! {
        <tr data-order=order.as_str()>
            <th scope="row">{order.label()}</th>
            <td>{Figure::Count(hits as u64).to_string()}</td>
            <td>{share(hits, accesses.len()).to_string()}</td>
        </tr>
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn share(hits: usize, of: usize) -> Figure {
    Figure::Share(hits as f64 / of.max(1) as f64)
}
