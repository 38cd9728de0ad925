//! What is loaded before it is asked for, and what is not.

use super::{
    FRIENDS, MODAL, ROW,
    feed::POSTS_COMPLETE,
    scroll::{VISIBLE_ROWS_COMPLETE, scrolled_to},
    sign_in,
};
use crate::{
    gate::{Fault, FaultKind, Passage},
    page::hook,
    sampler::Script,
    visit::Visit,
};
use anyhow::{Result, ensure};
use miniature_e2e::engine::Engine;
use std::time::Duration;

/// A row from which a finger can move up and stay in the window.
const TOUCHED: &str = "li:nth-child(n+6):nth-child(-n+9) [data-testid=friend]:has(.picture img)";
/// How long a finger lies on a row that it taps.
const TAP: Duration = Duration::from_millis(120);
/// Longer than a list has to lie still before anything is loaded ahead.
const CALM: Duration = Duration::from_millis(1_500);

/// Of how many users a picture of the profile's size was asked for.
fn asked_for_sharp(passages: &[Passage]) -> usize {
    let targets = passages.iter().map(|passage| passage.target.as_str());
    let sharp = targets.filter(|target| target.contains("/images") && target.contains("size=256"));
    sharp.map(|target| target.matches(',').count() + 1).sum()
}

/// A finger opens the profile that it taps; one that scrolls opens nothing.
pub(super) async fn touch(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    if visit.engine() == Engine::WebKit {
        visit.note("not run: WebKitWebDriver has no fingers".to_owned());
        return Ok(());
    }
    visit.touch(TOUCHED, 200, TAP).await?;
    visit.gate.quiet(CALM).await;
    ensure!(visit.path().await? == "/friends", "a finger that scrolled opened a profile");

    visit.touch(TOUCHED, 0, TAP).await?;
    visit.wait_visible(MODAL).await?;
    visit.wait_visible(&format!("{MODAL} .picture img")).await?;
    ensure!(visit.path().await?.starts_with("/friends/"), "{}", visit.path().await?);
    visit.touch(&format!("{MODAL} .modal-close"), 0, TAP).await?;
    visit.wait_gone(MODAL).await
}

/// Someone points at a row and lets the list lie: the pictures of the rows in view are loaded ahead. For
/// someone who saves data, only the one that is pointed at.
pub(super) async fn save_data(visit: &mut Visit<'_>) -> Result<()> {
    for saves in [true, false] {
        visit.gate.set_script(Script { save_data: saves, ..Script::default() });
        sign_in(visit).await?;
        let before = visit.passages().len();
        visit.hover(ROW).await?;
        visit
            .wait_passages("the picture pointed at", |all| asked_for_sharp(&all[before..]) > 0)
            .await?;
        visit.gate.quiet(CALM).await;
        let asked = asked_for_sharp(&visit.passages()[before..]);
        let is_right = if saves { asked == 1 } else { asked > 1 };
        ensure!(is_right, "saves data: {saves}; {asked} sharp pictures were asked for");
        if saves {
            visit.start_afresh().await?;
        }
    }
    Ok(())
}

/// Nobody moves: the next page of friends, the newest posts and the pictures of those who wrote them are
/// loaded ahead, and are there at once without the server. For someone who saves data nothing is.
pub(super) async fn next_pages(visit: &mut Visit<'_>) -> Result<()> {
    for saves in [true, false] {
        visit.gate.set_script(Script { save_data: saves, ..Script::default() });
        let before = visit.passages().len();
        sign_in(visit).await?;
        if !saves {
            let of_feed = |passage: &Passage| passage.target.starts_with("/api/posts");
            visit.wait_passages("the newest posts", |all| all.iter().any(of_feed)).await?;
        }
        visit.gate.quiet(CALM).await;
        let passages = &visit.passages()[before..];
        let count = |start| passages.iter().filter(|p| p.target.starts_with(start)).count();
        let asked = (count("/api/friends"), count("/api/posts"));
        ensure!(asked == if saves { (1, 0) } else { (2, 1) }, "saves data: {saves}; {asked:?}");
        if saves {
            visit.start_afresh().await?;
        }
    }

    visit.set_faults(&[Fault { path: "/api/", kind: FaultKind::Held }]);
    visit.click("a[href='/feed']").await?;
    visit.wait("posts with their pictures", POSTS_COMPLETE).await?;
    visit.click("a[href='/friends']").await?;
    visit.wait_visible(&hook("friend-list")).await?;
    visit.wait("the end of the second page", &scrolled_to(FRIENDS)).await?;
    visit.wait("pictures where one looks", VISIBLE_ROWS_COMPLETE).await?;
    visit.set_faults(&[]);
    Ok(())
}
