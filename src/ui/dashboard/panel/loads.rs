//! The recorded loads, newest first: which layers each asked, how long each took, and in words why.

use super::{
    Shown,
    button::lone_button,
    details::details,
    filter::{Filter, decided_by},
};
use crate::cache::{
    event::{Answer, Load, Outcome, Step},
    figure::Figure,
    key::Source,
    metrics::Metrics,
    waterfall::offsets,
};
use leptos::prelude::*;
use web_sys::HtmlInputElement;

/// How many loads are drawn at first, and with each press of the button below them.
const DRAWN: usize = 25;

/// A load with its place.
#[derive(Clone, Debug, PartialEq)]
struct Placed {
    /// Since counting began: it stays its own as newer ones come.
    number: u64,
    /// How long after the first of its burst it was asked for.
    offset_ms: f64,
    load: Load,
}

/// The list, its filter, and the load that is open.
#[component]
pub(super) fn Loads(shown: Shown) -> impl IntoView {
    let metrics = shown.metrics;
    let filter = RwSignal::new(Filter::default());
    let (drawn, opened) = (RwSignal::new(DRAWN), RwSignal::new(None::<u64>));
    let listed = Memo::new(move |_| {
        let metrics = metrics.read();
        let filter = filter.read();
        metrics.as_ref().map(|metrics| listed(metrics, &filter)).unwrap_or_default()
    });
    let rows = move || {
        let loads = listed.read();
        let drawn = || loads.iter().take(drawn.get());
        let longest = drawn().map(|placed| placed.offset_ms + placed.load.took_ms);
        let longest = longest.fold(0.0, f64::max);
        drawn().map(|placed| rows_of(placed, longest, opened, shown)).collect_view()
    };
    let rest = move || listed.read().len().saturating_sub(drawn.get());
    view! {
        <section data-panel="loads">
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
                <tbody>{rows}</tbody>
            </table>
        </div>
        <p class="dashboard-empty">
            {move || listed.read().is_empty().then_some("No such load was recorded.")}
        </p>
        {move || {
            let label = format!("{} more", Figure::Count(rest() as u64));
            (rest() > 0).then(|| lone_button("more", label, move || drawn.update(|n| *n += DRAWN)))
        }}
        </section>
    }
}

/// Those that the filter admits, newest first.
fn listed(metrics: &Metrics, filter: &Filter) -> Vec<Placed> {
    let first = metrics.total_requests.saturating_sub(metrics.recent.len() as u64);
    let numbered = (first..).zip(&metrics.recent).zip(offsets(&metrics.recent));
    let mut listed: Vec<Placed> = numbered
        .filter(|((_, load), _)| filter.admits(load))
        .map(|((number, load), offset_ms)| Placed { number, offset_ms, load: load.clone() })
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
    placed: &Placed,
    longest: f64,
    opened: RwSignal<Option<u64>>,
    shown: Shown,
) -> impl IntoView + use<> {
    let Placed { number, load, .. } = placed;
    let number = *number;
    let is_open = opened.get() == Some(number);
    let toggle = move |_| opened.set((!is_open).then_some(number));
    let (from, layer) = (outcome(load.outcome), decided_by(load.outcome).map(Source::as_str));
    let details = is_open.then(|| {
        view! {
            <tr>
                <td colspan="5">{details(load, shown)}</td>
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
            <td>{Figure::Millis(load.took_ms).to_string()} {bar(placed, longest)}</td>
            <td>{load.path.iter().map(step).collect::<Vec<_>>().join(" › ")}</td>
        </tr>
        {details}
    }
}

/// When in its burst it was asked for, and how the time was spent, by layer. The text beside it says how long it
/// took.
fn bar(placed: &Placed, longest: f64) -> impl IntoView + use<> {
    let share = |ms: f64| Figure::Share(if longest > 0.0 { ms / longest } else { 0.0 }).to_string();
    let Placed { offset_ms, load, .. } = placed;
    let asked = load.path.iter().map(|step| step.took_ms).sum::<f64>();
    // Between layers, and for what others had begun.
    let waited = (load.took_ms - asked).max(0.0);
    let segments = load.path.iter().filter(|step| step.took_ms > 0.0).map(|step| {
        view! { <span data-layer=step.layer.as_str() style:width=share(step.took_ms)></span> }
    });
    let segments = segments.collect_view();
    view! {
        <span class="load-bar" aria-hidden="true">
            <span class="load-before" style:width=share(*offset_ms)></span>
            {segments}
            <span class="load-waited" style:width=share(waited)></span>
        </span>
    }
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
