//! The profile modal.

use super::sign_in;
use crate::{gate::Delays, page::hook, sampler::Script, visit::Visit};
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use thirtyfour::Key;

/// As long as a hand rests on a row before it clicks.
const HOVER: Duration = Duration::from_millis(400);
/// How long every answer is held back: nearly as long as the hand rests, so that a picture that is asked
/// for at the click comes too late.
const AWAY: Duration = Duration::from_millis(300);
/// The modal's rendition, in pixels.
const SHARP: u32 = 256;
const MODAL: &str = "dialog[data-testid=profile-modal]";
/// A friend with a picture: the first row that shows one.
const ROW: &str = "[data-testid=friend]:has(.picture img)";

/// Nothing is loaded in idle time and the server is 300 ms away: what is asked for as a row is hovered
/// is there when it is clicked, 400 ms later.
pub(super) async fn sharp_at_once(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script { save_data: true, ..Script::default() });
    sign_in(visit).await?;
    visit.gate.quiet(Duration::from_millis(800)).await;
    let before = visit.passages().len();
    visit.gate.set_delays(Delays { pictures: AWAY, api: AWAY });

    visit.hover_then_click(ROW, HOVER).await?;
    visit.wait_visible(MODAL).await?;
    visit.wait("a frame with the modal", "return !!window.__seen.modal").await?;

    let asked: Vec<String> =
        visit.passages().into_iter().skip(before).map(|passage| passage.target).collect();
    let is_sharp = |target: &&String| target.contains("/images") && target.contains("size=256");
    ensure!(
        asked.iter().filter(is_sharp).count() == 1,
        "the hovered picture was not asked for once: {asked:?}"
    );
    let first = visit.seen().await?.modal.context("no frame with the modal was seen")?;
    ensure!(
        first.shown && first.complete && first.width >= SHARP,
        "the first frame showed {} px, complete={}, shown={}",
        first.width,
        first.complete,
        first.shown
    );
    Ok(())
}

/// A modal has an address; Escape and Back close it, and the focus returns to its row.
pub(super) async fn linkable(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;

    visit.click(ROW).await?;
    visit.wait_visible(MODAL).await?;
    let address = visit.path().await?;
    ensure!(address.starts_with("/friends/"), "the modal's address is {address}");
    visit.press(Key::Escape).await?;
    visit.wait_gone(MODAL).await?;
    visit.wait("Escape leads back to the list", AT_THE_LIST).await?;
    visit.wait("the focus is back in the list", FOCUS_IN_LIST).await?;

    visit.click(ROW).await?;
    visit.wait_visible(MODAL).await?;
    visit.back().await?;
    visit.wait_gone(MODAL).await?;
    visit.wait("Back leads to the list", AT_THE_LIST).await?;

    visit.require_clean().await?;
    visit.open(&address).await?;
    visit.wait_visible(MODAL).await?;
    visit.wait_visible(&format!("{MODAL} .picture img")).await?;
    visit.wait("the list behind it", &crate::page::is_visible(&hook("friend-list"))).await
}

const AT_THE_LIST: &str = "return location.pathname === '/friends'";

const FOCUS_IN_LIST: &str = "
    return !!document.activeElement && !!document.activeElement.closest('[data-testid=friend-list]')";
