//! The profile modal.

use super::sign_in;
use crate::{gate::Delays, page::hook, visit::Visit};
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use thirtyfour::Key;

/// As long as a hand rests on a row before it clicks.
const HOVER: Duration = Duration::from_millis(400);
/// The modal's rendition, in pixels.
const SHARP: u32 = 256;
const MODAL: &str = "dialog[data-testid=profile-modal]";
/// A friend with a picture: the first row that shows one.
const ROW: &str = "[data-testid=friend]:has(.picture img)";

/// Hovered for 400 ms, pictures 50 ms away: the first frame of the modal is sharp.
pub(super) async fn sharp_at_once(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.set_delays(Delays { api: Duration::ZERO, ..Delays::DISTANT });

    visit.hover_then_click(ROW, HOVER).await?;
    visit.wait_visible(MODAL).await?;
    visit.wait("a frame with the modal", "return !!window.__seen.modal").await?;

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
