//! The profile modal.

use super::{MODAL, ROW, sign_in};
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

/// Nothing is loaded in idle time and the server is 300 ms away: what is asked for as a row is hovered
/// is there when it is clicked, 400 ms later.
pub(super) async fn sharp_at_once(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script::NOTHING_AHEAD);
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

/// A profile opened by a link: the keyboard stays in it, its button closes it. One of a user that does not
/// exist says so, and so does an address that names no page.
pub(super) async fn by_link(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.open("/friends/grace").await?;
    visit.wait_visible(&format!("{MODAL} .picture img")).await?;
    let mut visited = 0;
    for step in 0..12 {
        match step % 4 {
            3 => visit.press_with_shift(Key::Tab).await?,
            _ => visit.press(Key::Tab).await?,
        }
        let place: String = visit.eval(FOCUS).await?;
        ensure!(place != "behind", "step {step}: the focus is behind the profile");
        visited += u32::from(place == "within");
    }
    ensure!(visited > 0, "the keyboard never reached the profile");
    visit.click(&format!("{MODAL} .modal-close")).await?;
    visit.wait_gone(MODAL).await?;
    visit.wait("its button leads to the list", AT_THE_LIST).await?;

    visit.open("/friends/somebody-who-never-was").await?;
    visit.wait("nobody is said to be there", &says("There is nobody here.")).await?;
    let heading: bool = visit.eval(HAS_HEADING).await?;
    ensure!(heading, "the dialog has no name to be read out");
    visit.press(Key::Escape).await?;
    visit.wait_gone(MODAL).await?;
    visit.wait("Escape leads back to the list", AT_THE_LIST).await?;
    // Chromium writes each 404 to its console, whatever the page makes of it.
    visit.forgive().await?;

    for path in ["/no/such/page", "/friends/no%20id"] {
        visit.open(path).await?;
        visit
            .wait("no page is said to be there", &says("There is no page at this address."))
            .await?;
        ensure!(visit.path().await? == path, "{path} led to {}", visit.path().await?);
        visit.forgive().await?;
        visit.click("main a.button").await?;
        visit.wait_visible(&hook("friend")).await?;
        visit.wait("the way out leads to the list", AT_THE_LIST).await?;
    }
    Ok(())
}

/// Where the keyboard is: within the profile, at the browser's own parts, or behind the profile.
const FOCUS: &str = "
    const modal = document.querySelector('dialog[data-testid=profile-modal]');
    const at = document.activeElement;
    if (!at || at === document.body || at === document.documentElement) return 'away';
    return modal.contains(at) ? 'within' : 'behind'";

const HAS_HEADING: &str = "
    const modal = document.querySelector('dialog[data-testid=profile-modal]');
    const heading = document.getElementById(modal.getAttribute('aria-labelledby'));
    return !!heading && heading.textContent.trim() !== ''";

fn says(text: &str) -> String {
    format!("return document.querySelector('main').textContent.includes({text:?})")
}

const AT_THE_LIST: &str = "return location.pathname === '/friends'";

const FOCUS_IN_LIST: &str = "
    return !!document.activeElement && !!document.activeElement.closest('[data-testid=friend-list]')";
