//! Long lists.

use super::{FIRST_PAGE, FRIENDS, own_page, sign_in, sign_in_by_api};
use crate::{page::hook, visit::Visit};
use anyhow::{Result, ensure};
use miniature_e2e::engine::Engine;
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
/// How much more main-thread time the last thousands may take than the first.
const GROWTH: f64 = 1.3;
/// How much more memory the page may hold after the last thousand than after the first, in MiB: twice
/// what pictures may take.
const KEPT: u64 = 64;
/// Of so many the median counts: a browser collects its garbage in every second or third.
const BESIDE: usize = 3;

/// What scrolling through a thousand friends took.
#[derive(Debug)]
struct Thousand {
    /// For which the main thread was on a processor.
    busy: Duration,
    /// The longest frame of it, in milliseconds.
    longest: f64,
    /// Frames over 50 ms, where the browser tells (Chromium).
    long_frames: Option<u32>,
    /// Elements of the document at its end.
    elements: u32,
    /// What the page's process held at its end, in MiB.
    memory: u64,
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
    let (mut thousands, mut is_clean) = (Vec::new(), false);
    for number in 1..=count {
        let before = visit.main_thread_time()?;
        let (longest, long_frames, elements) =
            visit.eval_async(&scroll_to_row(1_000 * number)).await?;
        let busy = visit.main_thread_time()?.saturating_sub(before);
        is_clean = visit.collect_garbage().await?;
        let memory = visit.page_memory()? / 1024;
        thousands.push(Thousand { busy, longest, long_frames, elements, memory });
    }

    let (first, last) = (&thousands[..BESIDE], &thousands[count - BESIDE..]);
    let busy = |of: &[Thousand]| {
        let mut busy: Vec<Duration> = of.iter().map(|thousand| thousand.busy).collect();
        busy.sort();
        busy[busy.len() / 2]
    };
    let elements = |of: &[Thousand]| of.iter().map(|thousand| thousand.elements).max();
    let growth = busy(last).as_secs_f64() / busy(first).as_secs_f64();
    let longest = thousands.iter().map(|thousand| thousand.longest).fold(0.0, f64::max);
    let each: Vec<_> = thousands.iter().map(|thousand| thousand.busy.as_millis()).collect();
    let memory: Vec<u64> = thousands.iter().map(|thousand| thousand.memory).collect();
    let with = if is_clean { "without" } else { "with" };
    visit.note(format!("the page's process, {with} garbage: {memory:?} MiB"));
    let long: Option<u32> = thousands.iter().map(|thousand| thousand.long_frames).sum();
    if let Some(long) = long {
        visit.note(format!("{long} frames over 50 ms"));
    }
    visit.note(format!(
        "main thread: {each:?} ms of processor time for each thousand, in the median {growth:.2} times the \
         first {BESIDE} for the last; {:?} and {:?} elements; longest frame {longest:.0} ms",
        elements(first), elements(last)
    ));
    ensure!(growth <= GROWTH, "{thousands:?}");
    ensure!(elements(last) <= elements(first).map(|count| count + 50), "{thousands:?}");
    let kept = memory[count - 1].saturating_sub(memory[0]);
    ensure!(!is_clean || kept <= KEPT, "it keeps {kept} MiB more than after the first");
    visit.wait("pictures where one looks", VISIBLE_ROWS_COMPLETE).await
}

/// Scrolls on by half a screen a frame, until a row is drawn. Calls back with the longest time in
/// milliseconds from the beginning of a frame to where it had nothing more to do, the number of frames
/// over 50 ms, and that of elements.
fn scroll_to_row(row: usize) -> String {
    format!(
        "const done = arguments[0];
         const at = document.scrollingElement;
         const list = document.querySelector('[data-testid=friend-list]');
         const told = PerformanceObserver.supportedEntryTypes.includes('long-animation-frame');
         const frames = new PerformanceObserver((seen) => long += seen.getEntries().length);
         if (told) frames.observe({{ type: 'long-animation-frame' }});
         const idle = new MessageChannel();
         let [longest, began, long] = [0, 0, 0];
         idle.port1.onmessage = () => longest = Math.max(longest, performance.now() - began);
         const step = () => {{
             began = performance.now();
             at.scrollBy(0, innerHeight / 2);
             const rows = [...list.querySelectorAll('[aria-posinset]')];
             if (rows.some((drawn) => Number(drawn.getAttribute('aria-posinset')) >= {row})) {{
                 long += frames.takeRecords().length;
                 return done([longest, told ? long : null, document.querySelectorAll('*').length]);
             }}
             idle.port2.postMessage(0);
             requestAnimationFrame(step);
         }};
         requestAnimationFrame(step)"
    )
}

/// Scrolls on by a screen each time it is asked; true at the end, with so many rows.
pub(super) fn scrolled_to(rows: u32) -> String {
    format!(
        "const at = document.scrollingElement;
         at.scrollBy(0, innerHeight * 0.8);
         const end = at.scrollTop + at.clientHeight >= at.scrollHeight - 2;
         const drawn = [...document.querySelectorAll('[data-testid=friend-list] [aria-posinset]')];
         return end && drawn.some((row) => Number(row.getAttribute('aria-posinset')) === {rows})"
    )
}

pub(super) const VISIBLE_ROWS_COMPLETE: &str = "
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
