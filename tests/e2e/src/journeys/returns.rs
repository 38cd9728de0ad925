//! A page that is left alone, and one that shows more than usual.

use super::{FIRST_PAGE, FRIENDS, sign_in};
use crate::{gate::Passage, page::hook, sampler::Script, visit::Visit};
use anyhow::{Result, ensure};

/// How high the window is, in CSS pixels: higher than all friends.
const HIGH: u32 = 8_000;
/// Rows are 72 px high: what a window that was not allowed to grow would show.
const LOW: u32 = 7_300;

/// A tab is hidden for an hour: nothing is asked in that time, and as it is shown again the page asks
/// about what is on screen, which stays there.
pub(super) async fn hidden_for_an_hour(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let before = visit.counters().await?;
    run(visit, "window.__setHidden(true); window.__pass(3600e3)").await?;
    let hidden = visit.counted_since(&before).await?;
    let asked = hidden.requests("/api/friends") + hidden.picture_requests();
    ensure!(asked == 0, "a hidden page asked: {hidden}");
    let before = visit.counters().await?;
    let passed = visit.passages().len();
    visit.observe().await?;

    run(visit, "window.__setHidden(false)").await?;

    let asks = |passages: &[Passage]| {
        passages.iter().skip(passed).any(|passage| {
            ["/api/friends", "/api/images/"].iter().any(|path| passage.target.starts_with(path))
        })
    };
    visit.wait_passages("a request for what is on screen", asks).await?;
    let shown = visit.counted_since(&before).await?;
    let asked = shown.requests("/api/friends") + shown.picture_requests();
    ensure!(asked >= 1, "the page asked about nothing on screen: {shown}");
    ensure!(shown.renditions() == 0, "renditions were sent again: {shown}");
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.require_no_gap().await
}

/// A window that shows more than a page of friends gets all of them, without a scroll.
pub(super) async fn high_window(visit: &mut Visit<'_>) -> Result<()> {
    visit.resize(1_200, HIGH).await?;
    visit.open("/sign-in").await?;
    let height: u32 = visit.eval("return innerHeight").await?;
    if height < LOW {
        visit.note(format!("this screen allows a window of {height} px: made higher by script"));
        visit.gate.set_script(Script { height: Some(HIGH), ..Script::default() });
    }
    sign_in(visit).await?;

    visit.wait_pictures(FRIENDS).await
}

/// Someone comes back to a list that has got shorter meanwhile, and scrolls: the page stays where they scrolled.
pub(super) async fn shorter_list(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.click("a[href='/feed']").await?;
    visit.wait_visible(&hook("post")).await?;
    run(visit, LEAVES_DEEP).await?;
    visit.reload().await?;
    visit.wait_visible(&hook("post")).await?;
    visit.back().await?;
    visit.wait("the end of the list", "return scrollY > 1000").await?;
    let tops: Vec<f64> = visit.eval_async(SCROLLS_UP).await?;
    ensure!(tops.iter().all(|top| *top < 500.0), "scrolled against the person: {tops:?}");
    Ok(())
}

/// The tab remembers of the list what one of thousands of rows would leave.
const LEAVES_DEEP: &str =
    "addEventListener('pagehide', () => sessionStorage.setItem('miniature:v1:position', '99999'))";
/// Scrolls to the top, and says where the page is in each of the next 30 frames.
const SCROLLS_UP: &str = "
    const done = arguments[arguments.length - 1], tops = [];
    scrollTo(0, 0);
    const look = () => {
        tops.push(scrollY);
        if (tops.length < 30) requestAnimationFrame(look);
        else done(tops);
    };
    requestAnimationFrame(look)";

async fn run(visit: &Visit<'_>, script: &str) -> Result<()> {
    visit.eval::<serde_json::Value>(&format!("{script}; return null")).await.map(drop)
}
