//! How long ago something was.

use crate::browser::{clock, schedule::Timer};
use leptos::prelude::*;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// A time, as how long ago it is; kept up to date while it is shown.
#[component]
pub(super) fn Ago(
    /// Seconds since 1970.
    at: u64,
) -> impl IntoView {
    let text = RwSignal::new(words(at));
    keep(at, text);
    view! { <time class="post-time" datetime=clock::iso(at)>{text}</time> }
}

/// Says it anew when it is said otherwise. The timer goes with its owner.
fn keep(at: u64, text: RwSignal<String>) {
    let timer = StoredValue::new_local(None::<Timer>);
    let wait = Duration::from_secs(if age(at) < HOUR { MINUTE / 2 } else { HOUR / 2 });
    let ring = move || {
        let _ = text.try_set(words(at));
        if !timer.is_disposed() {
            keep(at, text);
        }
    };
    timer.set_value(Timer::set(wait, ring));
}

/// What is still to come, by a clock that is behind, is now.
fn age(at: u64) -> u64 {
    (clock::now().wall.0 / 1000).saturating_sub(at)
}

fn words(at: u64) -> String {
    match age(at) {
        0..MINUTE => "now".to_owned(),
        age @ MINUTE..HOUR => format!("{} min", age / MINUTE),
        age @ HOUR..DAY => format!("{} h", age / HOUR),
        age @ DAY..WEEK => format!("{} d", age / DAY),
        _ => clock::date(at),
    }
}
