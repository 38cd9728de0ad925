//! A page that is left for another stays as it is, and wants nothing.

use super::{FIRST_PAGE, feed::POSTS_COMPLETE, scroll::VISIBLE_ROWS_COMPLETE, sign_in};
use crate::{gate::Passage, page::hook, sampler::Script, visit::Visit};
use anyhow::{Result, ensure};
use miniature_e2e::people::change_picture;
use serde::Deserialize;
use std::time::Duration;

const FEED: &str = "document.querySelector(\".shell-nav a[href='/feed']\").click()";
const FRIENDS: &str = "document.querySelector(\".shell-nav a[href='/friends']\").click()";
const BACK: &str = "history.back()";
/// A friend of the demo account, among the first of the list.
const FRIEND: &str = "grace";
/// Long enough for a page to ask for what is its own.
const QUIET: Duration = Duration::from_millis(800);
/// How far down list and feed are scrolled, in CSS pixels.
const LIST_TOP: f64 = 1500.0;
const FEED_TOP: f64 = 300.0;

/// The tab was hidden for an hour, and the network is back.
const AN_HOUR_LATER: &str = "window.__setHidden(true); window.__pass(3600e3);
    window.__setHidden(false); dispatchEvent(new Event('online'))";

/// How many rows the list has, drawn or not.
const LISTED: &str =
    "document.querySelector('[data-testid=friend-list]').style.getPropertyValue('--rows')";

/// What was seen in a frame.
#[derive(Debug, Deserialize)]
struct Frame {
    top: f64,
    /// Rows of the list, or posts, in view.
    rows: u32,
    /// Of which show no picture.
    bare: u32,
}

/// The list is left scrolled down, twice each way: it comes back where it was within two frames, from what
/// is there, row by row the same elements. So does the feed.
pub(super) async fn as_it_was(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script::NOTHING_AHEAD);
    sign_in(visit).await?;
    visit.type_into(&hook("friend-filter"), "a").await?;
    // While pages are looked through, the list may get shorter.
    visit.wait("friends of all pages", &format!("return {LISTED} > {FIRST_PAGE}")).await?;
    scroll_to(visit, LIST_TOP).await?;
    visit.wait("pictures where one looks", VISIBLE_ROWS_COMPLETE).await?;
    // Those out of view, too.
    visit.gate.quiet(QUIET).await;
    mark(visit, "friend").await?;
    act(visit, FEED).await?;
    visit.wait("posts with their pictures", POSTS_COMPLETE).await?;
    scroll_to(visit, FEED_TOP).await?;
    mark(visit, "post").await?;
    visit.gate.quiet(QUIET).await;
    let before = visit.counters().await?;
    visit.observe().await?;

    for (way, page, top) in [
        (FRIENDS, "friend", LIST_TOP),
        (BACK, "post", FEED_TOP),
        (BACK, "friend", LIST_TOP),
        (FEED, "post", FEED_TOP),
        (FRIENDS, "friend", LIST_TOP),
    ] {
        let frames: Vec<Frame> = visit.eval_async(&frames_after(way, page)).await?;
        let seen: Vec<&Frame> = frames.iter().filter(|frame| frame.rows > 0).collect();
        let is_whole = |frame: &&Frame| frame.bare == 0 && (frame.top - top).abs() <= 1.0;
        ensure!(seen.len() >= 3 && seen.iter().all(is_whole), "{way}: {frames:?}");
        // Back takes the browser a task or two.
        ensure!(way == BACK || frames.len() - seen.len() <= 1, "{way}: {frames:?}");
        require_marked(visit, page, true).await?;
        ensure!(alone(visit).await?, "two pages are in the document");
    }
    visit.require_no_gap().await?;
    let filter: String = visit
        .eval(&format!("return document.querySelector({:?}).value", hook("friend-filter")))
        .await?;
    ensure!(filter == "a", "what was looked for is forgotten: {filter:?}");
    let counted = visit.counted_since(&before).await?;
    let asked = ["/api/friends", "/api/posts", "/api/users"].map(|route| counted.requests(route));
    ensure!(counted.picture_requests() == 0 && asked == [0; 3], "{counted}");
    Ok(())
}

/// A friend changes their picture while the list is hidden: it is not loaded before the list is shown, and
/// no frame is without one.
pub(super) async fn changed_meanwhile(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script::NOTHING_AHEAD);
    sign_in(visit).await?;
    super::live::one_stream(visit, super::live::FOLLOWED).await?;
    act(visit, "document.querySelector(\".shell-nav a[href='/me']\").click()").await?;
    visit.wait_visible(".me").await?;
    visit.gate.quiet(QUIET).await;
    let passed = visit.passages().len();
    let revision = change_picture(visit.server().address(), FRIEND, [90, 160, 80]).await?;
    let heard = format!(
        "const key = Object.keys(localStorage).find((key) => key.endsWith(':record:{FRIEND}'));
         return localStorage.getItem(key).startsWith('{revision} ')"
    );
    visit.wait("the tab has heard of it", &heard).await?;
    act(visit, AN_HOUR_LATER).await?;
    let asks = |passages: &[Passage]| {
        passages[passed..].iter().any(|passage| passage.target.starts_with("/api/friends"))
    };
    visit.wait_passages("the first page of the list, which is kept up to date", asks).await?;
    visit.gate.quiet(QUIET).await;
    let asked = pictures_asked(visit, passed);
    ensure!(asked.is_empty(), "asked for a page that is hidden: {asked:?}");
    visit.observe().await?;

    act(visit, FRIENDS).await?;

    let shown = format!(
        "const picture = document.querySelector('[data-testid=friend] .picture[data-user-id={FRIEND}]');
         return picture?.dataset.state === 'ready' && picture.dataset.revision === '{revision}'"
    );
    visit.wait("the new picture", &shown).await?;
    visit.require_no_gap().await?;
    let asked = pictures_asked(visit, passed);
    ensure!(asked.len() == 1, "{asked:?}");
    Ok(())
}

/// A hidden page goes with its account, and after a while.
pub(super) async fn given_up(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script::NOTHING_AHEAD);
    sign_in(visit).await?;
    mark(visit, "friend").await?;
    act(visit, FEED).await?;
    visit.wait("posts with their pictures", POSTS_COMPLETE).await?;
    visit.click(&hook("sign-out")).await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    visit.click(&hook("demo-sign-in")).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    require_marked(visit, "friend", false).await?;

    mark(visit, "friend").await?;
    // Five minutes are over at once.
    act(
        visit,
        "const wait = setTimeout; window.setTimeout = (act, ms) => wait(act, ms === 3e5 ? 0 : ms)",
    )
    .await?;
    act(visit, FEED).await?;
    visit.wait("posts with their pictures", POSTS_COMPLETE).await?;
    visit.gate.quiet(QUIET).await;
    act(visit, FRIENDS).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    require_marked(visit, "friend", false).await
}

/// WebKitWebDriver scrolls to the top before it clicks into a header that sticks there.
async fn act(visit: &Visit<'_>, script: &str) -> Result<()> {
    visit.eval::<bool>(&format!("{script}; return true")).await.map(drop)
}

async fn scroll_to(visit: &Visit<'_>, top: f64) -> Result<()> {
    let scroll = format!("scrollTo(0, {top}); return Math.abs(scrollY - {top}) <= 1");
    visit.wait(&format!("scrolled to {top}"), &scroll).await
}

/// Marks the elements of all rows.
async fn mark(visit: &Visit<'_>, rows: &str) -> Result<()> {
    let script = format!(
        "document.querySelectorAll({:?}).forEach((row) => {{ row.dataset.marked = '' }})",
        hook(rows)
    );
    act(visit, &script).await
}

/// Whether all rows in view are those that were marked, or none.
async fn require_marked(visit: &Visit<'_>, rows: &str, marked: bool) -> Result<()> {
    let count: u32 = visit.eval(&format!("{}; return rows.length", in_view(rows))).await?;
    let same: u32 = visit
        .eval(&format!(
            "{}; return rows.filter((row) => 'marked' in row.dataset).length",
            in_view(rows)
        ))
        .await?;
    let expected = if marked { count } else { 0 };
    ensure!(count > 0 && same == expected, "{same} of {count} rows are those of before");
    Ok(())
}

/// Whether there is one page in the document: its heading, its list.
async fn alone(visit: &Visit<'_>) -> Result<bool> {
    let script = "return document.querySelectorAll('h1').length === 1
        && document.querySelectorAll('[data-testid=friend-list], [data-testid=feed]').length === 1
        && document.activeElement === document.querySelector('main')";
    visit.eval(script).await
}

fn in_view(rows: &str) -> String {
    format!(
        "const rows = [...document.querySelectorAll({:?})].filter((row) => {{
             const box = row.getBoundingClientRect();
             return box.height > 0 && box.bottom > 0 && box.top < innerHeight;
         }})",
        hook(rows)
    )
}

/// Goes another way, and calls back with what the next frames showed.
fn frames_after(way: &str, rows: &str) -> String {
    format!(
        "const done = arguments[arguments.length - 1];
         const [frames, painted] = [[], new MessageChannel()];
         painted.port1.onmessage = () => {{
             {};
             const bare = rows.filter((row) => !window.__isComplete(row.querySelector('.picture')));
             frames.push({{ top: scrollY, rows: rows.length, bare: bare.length }});
             if (frames.length < 12) next(); else done(frames);
         }};
         const next = () => requestAnimationFrame(() => painted.port2.postMessage(0));
         {way};
         next()",
        in_view(rows)
    )
}

/// Requests for pictures of others since so many requests.
fn pictures_asked(visit: &Visit<'_>, passed: usize) -> Vec<String> {
    let passages = visit.passages();
    let targets = passages[passed..].iter().map(|passage| passage.target.clone());
    targets
        .filter(|target| target.starts_with("/api/images") && !target.ends_with("users=ada"))
        .collect()
}
