//! The server is gone, and comes back.

use super::{FIRST_PAGE, sign_in};
use crate::{gate::Network, page::hook, visit::Visit};
use anyhow::Result;

const MODAL: &str = "dialog[data-testid=profile-modal]";
const ROW: &str = "[data-testid=friend]:has(.picture img)";

/// After a visit the server stops: the list and a modal still show, with a plain banner that goes
/// away once a retry succeeds.
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
    // The app may have found out by itself by now, and the banner be gone.
    visit.eval::<serde_json::Value>(RETRY).await?;
    visit.wait_gone(&hook("offline-banner")).await
}

const RETRY: &str = "
    const button = document.querySelector('[data-testid=offline-banner] button');
    if (button) button.click();
    return null";
