//! The server is gone, busy or far, and comes back.

use super::{FIRST_PAGE, MODAL, ROW, sign_in, sign_in_without_the_app};
use crate::{
    gate::{Fault, FaultKind, Network, Passage},
    page::hook,
    sampler::Script,
    visit::Visit,
};
use anyhow::{Result, ensure};
use std::time::Duration;
use tokio::time::Instant;

const BANNER_BUTTON: &str = "[data-testid=offline-banner] button";

/// After a visit the server stops: the list and a modal still show, with a plain banner that goes
/// away by itself when the server is back.
pub(super) async fn server_stopped(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.click("a[href='/me']").await?;
    visit.wait_gone(&hook("friend-list")).await?;
    visit.set_network(Network::Down);
    visit.observe().await?;

    visit.click("a[href='/friends']").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.require_no_gap().await?;
    visit.click(ROW).await?;
    visit.wait_visible(&format!("{MODAL} .picture img")).await?;
    visit.wait_visible(&hook("offline-banner")).await?;

    visit.press(thirtyfour::Key::Escape).await?;
    visit.wait_gone(MODAL).await?;
    visit.set_network(Network::Up);
    visit.wait_for(BY_ITSELF, "the banner is gone", &crate::page::is_gone(BANNER)).await
}

const BANNER: &str = "[data-testid=offline-banner]";
/// The longest pause between two attempts, and the attempt.
const BY_ITSELF: Duration = Duration::from_secs(65);

/// A `Retry-After` that ends long after the journey, in seconds: until then nothing is asked unless a
/// person asks.
const LONG: u32 = 600;

/// The server wants to be left alone for ten minutes: nothing is asked, until a click asks at once.
pub(super) async fn try_again(visit: &mut Visit<'_>) -> Result<()> {
    sign_in_without_the_app(visit).await?;
    visit.set_faults(&[
        Fault { path: "/api/friends", kind: FaultKind::Unavailable(LONG) },
        Fault { path: "/api/images/", kind: FaultKind::Unavailable(LONG) },
    ]);
    visit.open("/friends").await?;
    visit.wait_visible(BANNER_BUTTON).await?;
    visit.set_faults(&[]);
    // Longer than the first pauses of a page that does not listen to Retry-After.
    visit.gate.quiet(Duration::from_secs(3)).await;
    let before = lists(&visit.passages());
    ensure!(before == 1, "a server that wanted to be left alone was asked {before} times");

    visit.click(BANNER_BUTTON).await?;

    visit.wait_pictures(FIRST_PAGE).await?;
    visit.wait_gone(BANNER).await
}

/// How often the list was asked for.
fn lists(passages: &[Passage]) -> usize {
    passages.iter().filter(|passage| passage.target.starts_with("/api/friends")).count()
}

/// How long a request for the list may be silent before the page offers something to do.
const OFFER: Duration = Duration::from_secs(20);

/// The list's request gets no answer at all: there is a button within 20 s, and it brings the list once
/// the server answers again.
pub(super) async fn list_held(visit: &mut Visit<'_>) -> Result<()> {
    sign_in_without_the_app(visit).await?;
    visit.set_faults(&[Fault { path: "/api/friends", kind: FaultKind::Held }]);
    visit.open("/friends").await?;
    visit.wait_passages("a request for the list", |passages| lists(passages) >= 1).await?;

    visit.wait_for(OFFER, "a button that says Try again", MARK_BUTTON).await?;
    // While nothing can arrive, or the button may go between being found and the click.
    visit.click("button[data-marked]").await?;
    visit.set_faults(&[]);

    visit.wait_pictures(FIRST_PAGE).await?;
    visit.wait_gone(BANNER).await
}

/// Marks the first visible button that asks again.
const MARK_BUTTON: &str = "
    const button = [...document.querySelectorAll('main button, [data-testid=offline-banner] button')]
        .find((button) => button.textContent.trim() === 'Try again' && button.getClientRects().length > 0);
    if (button) button.dataset.marked = '';
    return !!button";

/// The server answers 503 to the list and to pictures, for as long as three of them: both come without
/// anybody doing anything.
pub(super) async fn busy_for_a_while(visit: &mut Visit<'_>) -> Result<()> {
    sign_in_without_the_app(visit).await?;
    visit.set_faults(&[
        Fault { path: "/api/friends", kind: FaultKind::Unavailable(1) },
        Fault { path: "/api/images/", kind: FaultKind::Unavailable(1) },
    ]);
    visit.open("/friends").await?;
    visit.wait_visible(BANNER).await?;
    visit.wait_passages("three requests for the list", |passages| lists(passages) >= 3).await?;
    visit.set_faults(&[]);

    visit.wait_pictures(FIRST_PAGE).await?;
    visit.wait_gone(BANNER).await
}

/// 40 kbit/s, in bytes per second.
const SLOW: u32 = 5_000;
/// How long a page waits in silence: the list must take longer than that, or it shows nothing.
const SILENCE: Duration = Duration::from_secs(15);
/// A first page with pictures for two device pixels to one weighs some 150 kB.
const ARRIVAL: Duration = Duration::from_secs(80);

/// 40 kbit/s: the list takes longer than the page waits in silence, and arrives all the same.
pub(super) async fn slow_line(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script { pixel_ratio: Some(2), ..Script::NOTHING_AHEAD });
    visit.open("/sign-in").await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    visit.gate.set_bandwidth(SLOW);
    visit.click(&hook("demo-sign-in")).await?;
    visit.wait_passages("a request for the list", |passages| lists(passages) >= 1).await?;
    let start = Instant::now();

    let rows = |count| format!("{} >= {count}", crate::page::COMPLETE_ROWS);
    visit.wait_for(ARRIVAL, "the first picture", &rows(1)).await?;
    let first = start.elapsed();
    visit.wait_for(ARRIVAL, "the list and its pictures", &rows(FIRST_PAGE)).await?;

    let took = start.elapsed();
    let (first_s, took_s) = (first.as_secs_f32(), took.as_secs_f32());
    visit
        .note(format!("the first picture came after {first_s:.1} s, the last after {took_s:.0} s"));
    ensure!(first < took / 4, "the first picture waits for the others: {first_s:.1} s");
    ensure!(took > SILENCE, "a list in {} s shows nothing", took.as_secs());
    let lists = lists(&visit.passages());
    ensure!(lists == 1, "the list was asked for {lists} times");
    visit.wait_gone(BANNER).await
}
