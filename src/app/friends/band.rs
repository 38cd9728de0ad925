//! Which rows are near the viewport.

use super::super::position::{scrolled_to, use_position};
use crate::{
    browser::number,
    store::{react, use_page_shown},
};
use leptos::{ev, prelude::*};
use std::ops::Range;

/// The least height of a row, in CSS pixels, and how many lines of type it is high at least, as in
/// `style/friends.css`.
const ROW: f64 = 72.0;
const ROW_LINES: f64 = 3.1;

/// How far from the viewport a row is still drawn, in CSS pixels.
const REACH: f64 = 4000.0;

/// How near the viewport may come to the last row before the next page is asked for, in CSS
/// pixels: about two screens, a second and a half of fast scrolling.
const MARGIN: f64 = 1500.0;

/// In what steps the scroll position is followed, in CSS pixels.
const STEP: f64 = 360.0;

/// The rows around the viewport, by index.
///
/// Rows have one height, so this is arithmetic: the rows of the first frame are known before there
/// is a layout, and no row waits for an observer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Band {
    held: Range<usize>,
    seen: Range<usize>,
    wanted: Range<usize>,
}

impl Band {
    /// The band around a viewport at `top` of the list and `height` high, of rows `row` high, in CSS
    /// pixels.
    fn around(top: f64, height: f64, row: f64) -> Self {
        let (top, end) = (top.max(0.0), top.max(0.0) + height.max(0.0));
        let row_at = |y| row_at(y, row);
        Self {
            held: row_at(top - REACH)..row_at(end + REACH) + 1,
            seen: row_at(top)..row_at(end) + 1,
            wanted: row_at(top - MARGIN)..row_at(end + MARGIN) + 1,
        }
    }

    /// On paper every row stands.
    fn printed(self) -> Self {
        Self { held: 0..usize::MAX, ..self }
    }

    /// The rows that are near enough to be drawn, of `rows` rows.
    pub(super) fn drawn(&self, rows: usize) -> Range<usize> {
        self.held.start.min(rows)..self.held.end.min(rows)
    }

    /// The rows that are needed soon, whether there are that many or not.
    pub(super) fn wanted(&self) -> Range<usize> {
        self.wanted.clone()
    }

    /// The rows in view, of `rows` rows.
    pub(super) fn in_view(&self, rows: usize) -> Range<usize> {
        self.seen.start.min(rows)..self.seen.end.min(rows)
    }
}

/// Follows the scrolling of the page, from where the list begins, while the list is shown.
pub(super) fn use_band() -> Memo<Band> {
    let position = use_position();
    let viewport = RwSignal::new(viewport(position.first()));
    let printed = RwSignal::new(false);
    position.restore();
    let shown = use_page_shown();
    let follow = move || {
        if shown.try_get_untracked() == Some(true) {
            let now = self::viewport(scrolled_to());
            if viewport.get_untracked() != now {
                viewport.set(now);
            }
        }
    };
    // The window may have another size than when it was hidden. The first time, that was just measured: to
    // measure lays the page out.
    let mut was_shown = true;
    react(move || {
        let is_back = shown.get() && !was_shown;
        was_shown = shown.get();
        if is_back {
            follow();
        }
    });
    let print = move |prints: bool| {
        if !prints || shown.try_get_untracked() == Some(true) {
            let _ = printed.try_set(prints);
        }
    };
    let listeners = [
        window_event_listener(ev::scroll, move |_| follow()),
        // Another size of type comes with the size of the window, or with a zoom.
        window_event_listener(ev::resize, move |_| follow()),
        window_event_listener(ev::beforeprint, move |_| print(true)),
        window_event_listener(ev::afterprint, move |_| print(false)),
    ];
    on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
    Memo::new(move |_| {
        let (top, height, row) = viewport.get();
        let band = Band::around(top, height, row);
        if printed.get() { band.printed() } else { band }
    })
}

/// `top` in steps, how high the window is, and how high a row, in CSS pixels.
fn viewport(top: f64) -> (f64, f64, f64) {
    let height = window().inner_height().ok().and_then(|height| height.as_f64());
    ((top / STEP).floor() * STEP, height.unwrap_or(REACH), row_height())
}

/// The height of the first row, in CSS pixels; before there is one, as the type would make it.
fn row_height() -> f64 {
    let row = document().query_selector(".friend").ok().flatten();
    let height = row.map(|row| row.get_bounding_client_rect().height());
    height.filter(|height| *height > 0.0).unwrap_or_else(height_by_type)
}

fn height_by_type() -> f64 {
    let style =
        document().body().and_then(|body| window().get_computed_style(&body).ok().flatten());
    let line = style.and_then(|style| style.get_property_value("line-height").ok());
    let pixels = line.and_then(|line| number::parse(&line)).unwrap_or_default();
    // What is no number is not larger.
    (pixels * ROW_LINES).max(ROW)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below 0")]
fn row_at(y: f64, row: f64) -> usize {
    (y.max(0.0) / row).floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_is_drawn_in_the_first_frame() {
        assert_eq!(Band::around(0.0, 640.0, ROW).drawn(50), 0..50);
    }

    #[test]
    fn rows_far_from_view_are_not_drawn() {
        let band = Band::around(10_800.0, 720.0, ROW);
        assert_eq!(band.drawn(1000), 94..216);
        assert_eq!(band.drawn(150), 94..150, "the end of the list");
        assert_eq!(band.drawn(50), 50..50, "a list that shrank");
    }

    #[test]
    fn the_next_page_is_asked_for_before_the_end_is_in_view() {
        let cases = [
            ("at the top of one page", 0.0, 720.0, 0..31),
            ("two screens before the end", 1440.0, 720.0, 0..51),
            ("at the end", 2880.0, 720.0, 19..71),
            ("a window as high as the list", 0.0, 8000.0, 0..132),
        ];
        for (name, top, height, expected) in cases {
            assert_eq!(Band::around(top, height, ROW).wanted(), expected, "{name}");
        }
    }

    #[test]
    fn larger_type_makes_fewer_rows() {
        let (plain, large) = (Band::around(1440.0, 720.0, ROW), Band::around(1440.0, 720.0, 144.0));
        assert_eq!((plain.in_view(99), large.in_view(99)), (20..31, 10..16));
    }

    #[test]
    fn on_paper_every_row_is_drawn() {
        let band = Band::around(0.0, 720.0, ROW).printed();
        assert_eq!((band.drawn(10_000), band.in_view(99)), (0..10_000, 0..11));
    }

    #[test]
    fn what_is_in_view_ends_with_the_list() {
        let cases = [
            ("the top", 0.0, 50, 0..11),
            ("the end", 3600.0, 55, 50..55),
            ("bounced over the top", -80.0, 50, 0..11),
            ("beyond a list that shrank", 3600.0, 10, 10..10),
        ];
        for (name, top, rows, expected) in cases {
            assert_eq!(Band::around(top, 720.0, ROW).in_view(rows), expected, "{name}");
        }
    }
}
