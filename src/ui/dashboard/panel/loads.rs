//! The recorded loads, newest first: which layers each asked, how long each took, and in words why.

use super::{
    button::lone_button,
    filter::{Filter, decided_by},
};
use crate::cache::{
    event::{Answer, Load, Outcome, Step},
    explain::explain,
    figure::Figure,
    key::Source,
    metrics::Metrics,
};
use leptos::prelude::*;
use web_sys::HtmlInputElement;

/// How many loads are drawn at first, and with each press of the button below them.
const DRAWN: usize = 25;

/// A load with its number since counting began, which stays its own as newer ones come.
type Numbered = (u64, Load);

/// The list, its filter, and the load that is open.
#[component]
pub(super) fn Loads(metrics: RwSignal<Option<Metrics>, LocalStorage>) -> impl IntoView {
    let filter = RwSignal::new(Filter::default());
    let (drawn, opened) = (RwSignal::new(DRAWN), RwSignal::new(None::<u64>));
    let listed = Memo::new(move |_| {
        let metrics = metrics.read();
        let filter = filter.read();
        metrics.as_ref().map(|metrics| listed(metrics, &filter)).unwrap_or_default()
    });
    let shown = move || {
        let loads = listed.read();
        let slowest = loads.iter().map(|(_, load)| load.took_ms).fold(0.0, f64::max);
        let rows = loads.iter().take(drawn.get());
        rows.map(|(number, load)| rows_of(*number, load, slowest, opened)).collect_view()
    };
    let rest = move || listed.read().len().saturating_sub(drawn.get());
    view! {
        <h3>"Loads"</h3>
        <FilterForm filter />
        <div class="dashboard-scroll" role="region" aria-label="Loads" tabindex="0">
            <table class="recent-loads">
                <thead>
                    <tr>
                        <th scope="col">"User"</th>
                        <th scope="col">"Size"</th>
                        <th scope="col">"From"</th>
                        <th scope="col">"Time"</th>
                        <th scope="col">"Layers asked"</th>
                    </tr>
                </thead>
                <tbody>{shown}</tbody>
            </table>
        </div>
        <p class="dashboard-empty">
            {move || listed.read().is_empty().then_some("No such load was recorded.")}
        </p>
        {move || {
            let label = format!("{} more", Figure::Count(rest() as u64));
            (rest() > 0).then(|| lone_button("more", label, move || drawn.update(|n| *n += DRAWN)))
        }}
    }
}

/// Those that the filter admits, newest first.
fn listed(metrics: &Metrics, filter: &Filter) -> Vec<Numbered> {
    let first = metrics.total_requests.saturating_sub(metrics.recent.len() as u64);
    let numbered = (first..).zip(&metrics.recent);
    let mut listed: Vec<Numbered> = numbered
        .filter(|(_, load)| filter.admits(load))
        .map(|(number, load)| (number, load.clone()))
        .collect();
    listed.reverse();
    listed
}

#[component]
fn FilterForm(filter: RwSignal<Filter>) -> impl IntoView {
    let layers = Source::ALL.map(|source| {
        view! { <option value=source.as_str()>{source.label()}</option> }
    });
    let layer_of = |name: &str| Source::ALL.into_iter().find(|source| source.as_str() == name);
    view! {
        <form class="loads-filter" on:submit=|event| event.prevent_default()>
            <label>
                "User "
                <input
                    type="search"
                    data-filter="user"
                    on:input=move |event| filter.update(|f| f.user = event_target_value(&event))
                />
            </label>
            <label>
                "From "
                <select
                    data-filter="layer"
                    on:change=move |event| {
                        filter.update(|f| f.layer = layer_of(&event_target_value(&event)));
                    }
                >
                    <option value="">"any layer"</option>
                    {layers}
                </select>
            </label>
            <label>
                "Slower than "
                <input
                    type="number"
                    data-filter="slower"
                    min="0"
                    step="any"
                    inputmode="decimal"
                    on:input=move |event| {
                        // The browser reads fractions: Rust's own way would weigh 10 kB.
                        let ms = event_target::<HtmlInputElement>(&event).value_as_number();
                        filter.update(|f| f.slower_than = if ms.is_nan() { 0.0 } else { ms });
                    }
                />
                " ms"
            </label>
        </form>
    }
}

/// A load's row, and below it, if it is open, what each layer said in words.
fn rows_of(
    number: u64,
    load: &Load,
    slowest: f64,
    opened: RwSignal<Option<u64>>,
) -> impl IntoView + use<> {
    let is_open = opened.get() == Some(number);
    let toggle = move |_| opened.set((!is_open).then_some(number));
    let (from, layer) = (outcome(load.outcome), decided_by(load.outcome).map(Source::as_str));
    let details = is_open.then(|| {
        let sentences = explain(load).into_iter().map(|sentence| view! { <li>{sentence}</li> });
        view! {
            <tr class="load-details">
                <td colspan="5"><ol>{sentences.collect_view()}</ol></td>
            </tr>
        }
    });
    view! {
        <tr data-layer=layer data-load=number.to_string()>
            <td>
                <button
                    type="button"
                    class="load-toggle"
                    aria-expanded=is_open.to_string()
                    on:click=toggle
                >
                    {load.user.to_string()}
                </button>
            </td>
            <td>{load.size.px()}</td>
            <td><span class="layer-dot" aria-hidden="true"></span>{from}</td>
            <td>{Figure::Millis(load.took_ms).to_string()} {bar(load, slowest)}</td>
            <td>{load.path.iter().map(step).collect::<Vec<_>>().join(" › ")}</td>
        </tr>
        {details}
    }
}

/// How the time was spent, by layer, beside the slowest load that is listed. The text beside it says the same.
fn bar(load: &Load, slowest: f64) -> impl IntoView + use<> {
    let share = |ms: f64| Figure::Share(if slowest > 0.0 { ms / slowest } else { 0.0 }).to_string();
    let segments = load.path.iter().filter(|step| step.took_ms > 0.0).map(|step| {
        view! { <span data-layer=step.layer.as_str() style:width=share(step.took_ms)></span> }
    });
    view! { <span class="load-bar" aria-hidden="true">{segments.collect_view()}</span> }
}

/// What came of a load, for people.
fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Shown(source) => source.label(),
        Outcome::Negative(_) => "No picture",
        Outcome::Failed => "Failed",
    }
}

fn step(step: &Step) -> String {
    let said = match step.answer {
        Answer::Hit => "✓",
        Answer::Stale => "✓ (past its lifetime)",
        Answer::Absent => "– (nothing)",
        Answer::OtherRevision => "– (another picture)",
        Answer::TooSmall => "– (too small)",
        Answer::Denied => "✗ (denied)",
        Answer::TimedOut => "✗ (no answer in time)",
        Answer::Failed => "✗",
    };
    format!("{} {said}", step.layer.label())
}
