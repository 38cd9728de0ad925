//! Long lists.

use super::{FIRST_PAGE, FRIENDS, own_page, sign_in, sign_in_by_api};
use crate::{page::hook, visit::Visit};
use anyhow::{Result, ensure};
use miniature_e2e::engine::Engine;
use serde::Deserialize;
use std::time::Duration;

/// Page after page to the end: all show, and what is far from view is let go.
pub(super) async fn through_all(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;

    visit.wait("the end of the list", &scrolled_to(FRIENDS)).await?;
    visit.wait("pictures where one looks", VISIBLE_ROWS_COMPLETE).await?;
    let far: u32 = visit.eval(PICTURES_FAR_AWAY).await?;
    ensure!(far == 0, "{far} rows far from view still hold a picture");

    visit.click("a[href='/me']").await?;
    visit.wait_gone(&hook("friend-list")).await?;
    visit.click("a[href='/friends']").await?;
    visit.wait_pictures(FIRST_PAGE.min(5)).await
}

/// How many thousand friends the one with very many has.
const CROWD: usize = 10;
/// Through how many thousand there is time to scroll in WebKitGTK, which draws without a graphics card.
const CROWD_IN_WEBKIT: usize = 4;
/// How long scrolling through all of them may take.
const LONG: Duration = Duration::from_secs(110);
/// How much more the last thousands may cost than the first.
const GROWTH: f64 = 1.3;
/// Of so many thousands the median counts: another process may take a second.
const BESIDE: usize = 3;

/// What scrolling through a thousand friends took.
#[derive(Debug, Deserialize)]
struct Thousand {
    /// In which the main thread was busy, in milliseconds.
    busy: f64,
    /// The longest task, in milliseconds.
    longest: f64,
    /// Elements of the document at its end.
    elements: u32,
}

/// Ten thousand friends are scrolled through: the last thousand costs no more than the first.
pub(super) async fn crowd(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_page(own_page(""));
    visit.open("/__page").await?;
    let status = sign_in_by_api(visit, "crowd", "miniature").await?;
    ensure!(status == 200, "the sign-in answered {status}");
    visit.open("/friends").await?;
    visit.wait("a first screen", VISIBLE_ROWS_COMPLETE).await?;
    visit.rest().await?;
    let count = if visit.engine() == Engine::WebKit { CROWD_IN_WEBKIT } else { CROWD };
    visit.eval::<()>(&format!("window.__count = {count}; {SCROLL}")).await?;

    let end = format!("return window.__thousands.length >= {count}");
    visit.wait_for(LONG, "the end of the friends", &end).await?;

    let thousands: Vec<Thousand> = visit.eval("return window.__thousands").await?;
    let (first, last) = (&thousands[..BESIDE], &thousands[thousands.len() - BESIDE..]);
    let (before, after) = (median(first), median(last));
    let longest = thousands.iter().map(|thousand| thousand.longest).fold(0.0, f64::max);
    let elements = |of: &[Thousand]| of.iter().map(|thousand| thousand.elements).max();
    visit.note(format!(
        "main thread: {before:.0} ms for each of the first thousands, {after:.0} for each of the last of {count}; \
         {:?} and {:?} elements; longest frame {longest:.0} ms",
        elements(first), elements(last)
    ));
    ensure!(after <= before * GROWTH, "{thousands:?}");
    ensure!(elements(last) <= elements(first).map(|elements| elements + 50), "{thousands:?}");
    visit.wait("pictures where one looks", VISIBLE_ROWS_COMPLETE).await
}

fn median(of: &[Thousand]) -> f64 {
    let mut busy: Vec<f64> = of.iter().map(|thousand| thousand.busy).collect();
    busy.sort_by(f64::total_cmp);
    busy[busy.len() / 2]
}

/// Scrolls on by half a screen a frame, and notes at each thousand rows how long the main thread was
/// busy: from the beginning of each frame to where it had nothing more to do.
const SCROLL: &str = "
    window.__thousands = [];
    const at = document.scrollingElement;
    let [busy, longest, row] = [0, 0, 0];
    const idle = new MessageChannel();
    let began = 0;
    idle.port1.onmessage = () => {
        const took = performance.now() - began;
        busy += took;
        longest = Math.max(longest, took);
    };
    const step = () => {
        began = performance.now();
        at.scrollBy(0, innerHeight / 2);
        const list = document.querySelector('[data-testid=friend-list]');
        const rows = [...list.querySelectorAll('[aria-posinset]')];
        row = Math.max(row, ...rows.map((row) => Number(row.ariaPosInSet ?? row.getAttribute('aria-posinset'))));
        if (row >= 1000 * (window.__thousands.length + 1)) {
            window.__thousands.push({ busy, longest, elements: document.querySelectorAll('*').length });
            [busy, longest] = [0, 0];
        }
        idle.port2.postMessage(0);
        if (window.__thousands.length < window.__count) requestAnimationFrame(step);
    };
    requestAnimationFrame(step)";

/// Scrolls on by a screen each time it is asked; true at the end, with so many rows.
fn scrolled_to(rows: u32) -> String {
    format!(
        "const at = document.scrollingElement;
         at.scrollBy(0, innerHeight * 0.8);
         const end = at.scrollTop + at.clientHeight >= at.scrollHeight - 2;
         const drawn = [...document.querySelectorAll('[data-testid=friend-list] [aria-posinset]')];
         return end && drawn.some((row) => Number(row.getAttribute('aria-posinset')) === {rows})"
    )
}

const VISIBLE_ROWS_COMPLETE: &str = "
    const rows = [...document.querySelectorAll('[data-testid=friend]')].filter((row) => {
        const box = row.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight;
    });
    return rows.length > 0 && rows.every((row) => window.__isComplete(row.querySelector('.picture')))";

/// Rows more than 5 000 CSS pixels away that still hold an image; a first page is 3 600 high, and is
/// to be complete as a whole.
const PICTURES_FAR_AWAY: &str = "
    return [...document.querySelectorAll('[data-testid=friend]')].filter((row) => {
        const box = row.getBoundingClientRect();
        const far = box.bottom < -5000 || box.top > innerHeight + 5000;
        return far && row.querySelector('.picture img');
    }).length";
