//! The hit rate by the minute: a bar a minute of the last hour, and the same as a table.

use crate::cache::{
    figure::Figure,
    metrics::{Metrics, Minute},
};
use leptos::prelude::*;

/// How many minutes are drawn.
const DRAWN: u64 = 60;
/// The height of a bar at which all requests are hits, in pixels of the drawing.
const HEIGHT: u64 = 40;
const WIDTH: u64 = 8;
const GAP: u64 = 2;

/// The chart. Nothing before the second minute: one bar says no more than the total.
pub(super) fn minutes_view(metrics: &Metrics) -> impl IntoView + use<> {
    let minutes = metrics.minutes.clone();
    (minutes.len() > 1).then(|| {
        let last = minutes.last().map_or(0, |minute| minute.minute);
        let bars: Vec<_> = minutes.iter().filter_map(|minute| bar(*minute, last)).collect();
        let size = format!("0 0 {} {HEIGHT}", DRAWN * WIDTH);
        let rows = minutes.iter().map(row).collect_view();
        view! {
            <figure class="minutes">
                <figcaption>"Hit rate by the minute, last hour"</figcaption>
                <svg viewBox=size preserveAspectRatio="none" aria-hidden="true">
                    <path class="minutes-all" d=path(&bars, |_| HEIGHT) />
                    <path class="minutes-hits" d=path(&bars, |bar| bar.height) />
                </svg>
                <table class="visually-hidden">
                    <caption>"Hit rate by the minute"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Minute"</th>
                            <th scope="col">"Requests"</th>
                            <th scope="col">"Hit rate"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </figure>
        }
    })
}

/// A minute's place in the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bar {
    left: u64,
    height: u64,
}

/// The last minute stands at the right. None for one that is too long ago.
fn bar(minute: Minute, last: u64) -> Option<Bar> {
    let ago = last.saturating_sub(minute.minute);
    let left = DRAWN.checked_sub(ago + 1)? * WIDTH;
    Some(Bar { left, height: minute.hits * HEIGHT / minute.requests.max(1) })
}

fn path(bars: &[Bar], height: impl Fn(&Bar) -> u64) -> String {
    let of = |bar: &Bar| {
        let (height, width) = (height(bar), WIDTH - GAP);
        format!("M{} {}h{width}v{height}h-{width}z", bar.left, HEIGHT - height)
    };
    bars.iter().map(of).collect()
}

fn row(minute: &Minute) -> impl IntoView + use<> {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let share = minute.hits as f64 / minute.requests.max(1) as f64;
    view! {
        <tr data-minute=minute.minute.to_string()>
            <td>{minute.minute.to_string()}</td>
            <td>{Figure::Count(minute.requests).to_string()}</td>
            <td>{Figure::Share(share).to_string()}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_minute_is_at_the_right_and_the_height_is_the_share() {
        let minute = |minute, requests, hits| Minute { minute, requests, hits };
        let cases = [
            (minute(99, 4, 4), Some(Bar { left: 59 * 8, height: 40 })),
            (minute(98, 4, 1), Some(Bar { left: 58 * 8, height: 10 })),
            (minute(40, 3, 0), Some(Bar { left: 0, height: 0 })),
            (minute(39, 3, 3), None),
        ];
        for (minute, expected) in cases {
            assert_eq!(bar(minute, 99), expected, "{minute:?}");
        }
        let drawn = path(&[Bar { left: 8, height: 10 }], |bar| bar.height);
        assert_eq!(drawn, "M8 30h6v10h-6z");
    }
}
