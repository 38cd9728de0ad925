//! Pictures that are already there. Nothing is loaded ahead beside them: that would be counted, too.

use super::{FIRST_PAGE, sign_in};
use crate::{counters::Counters, page::hook, sampler::Script, visit::Visit};
use anyhow::{Result, ensure};
use std::time::Duration;

/// Long enough for a page to ask for what is its own.
const QUIET: Duration = Duration::from_millis(800);

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// To another page of the app and back: all is there still, nothing asked, no gap. What is shown again has
/// the source that it had: no layer gave it anew.
pub(super) async fn re_entered(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script::NOTHING_AHEAD);
    sign_in(visit).await?;
    visit.click("a[href='/me']").await?;
    visit.wait_gone(&hook("friend-list")).await?;
    // The other page asks for what is its own.
    visit.gate.quiet(QUIET).await;
    let before = visit.counters().await?;
    visit.observe().await?;

    visit.click("a[href='/friends']").await?;
    visit.wait_pictures(FIRST_PAGE).await?;

    visit.require_no_gap().await?;
    require_sources(visit, &["network"]).await?;
    let counted = visit.counted_since(&before).await?;
    ensure!(counted.picture_requests() == 0, "pictures were asked for: {counted}");
    ensure!(counted.renditions() == 0, "renditions were sent: {counted}");
    ensure!(counted.requests("/api/friends") == 0, "the list was asked for: {counted}");
    Ok(())
}

/// Reloaded: all from storage, no picture asked for, no gap.
pub(super) async fn reloaded(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    wait_stored(visit).await?;
    visit.wait("IndexedDB holds the list, as the cookie tells", LIST_HELD).await?;
    let before = visit.counters().await?;

    visit.reload_with(Script::NOTHING_AHEAD).await?;
    visit.wait_pictures(FIRST_PAGE).await?;

    visit.require_no_gap().await?;
    require_sources(visit, &["indexed_db", "local_storage"]).await?;
    require_local_storage_in_view(visit).await?;
    let counted = visit.counted_since(&before).await?;
    ensure!(counted.picture_requests() == 0, "pictures were asked for: {counted}");
    ensure!(counted.renditions() == 0, "renditions were sent: {counted}");
    let complete: f64 = visit.eval("return window.__seen.complete_at").await?;
    visit.note(format!("complete {complete:.0} ms after navigation"));
    Ok(())
}

/// LocalStorage emptied, then reloaded: IndexedDB has them all.
pub(super) async fn local_storage_emptied(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    wait_stored(visit).await?;
    visit.wait("IndexedDB holds the list, as the cookie tells", LIST_HELD).await?;
    let before = visit.counters().await?;

    visit.eval::<serde_json::Value>("localStorage.clear(); return null").await?;
    visit.reload_with(Script::NOTHING_AHEAD).await?;
    visit.wait_pictures(FIRST_PAGE).await?;

    require_sources(visit, &["indexed_db"]).await?;
    let counted = visit.counted_since(&before).await?;
    visit.note(format!("{} renditions sent with the list", counted.renditions()));
    ensure!(counted.picture_requests() == 0, "pictures were asked for apart: {counted}");
    Ok(())
}

/// Past LocalStorage's lifetime: shown at once, and the list that has not changed confirms the pictures
/// of its rows, so that one request asks for all.
pub(super) async fn minutes_later(visit: &mut Visit<'_>) -> Result<()> {
    let counted = later(visit, 46 * MINUTE).await?;
    let asked = asked(&counted);
    ensure!(asked == 1, "asked {asked} times instead of once: {counted}");
    Ok(())
}

/// Past every layer's lifetime: expired is not missing, and is asked about.
pub(super) async fn days_later(visit: &mut Visit<'_>) -> Result<()> {
    let counted = later(visit, 8 * DAY).await?;
    let asked = asked(&counted);
    ensure!((1..=2).contains(&asked), "asked {asked} times instead of once or twice: {counted}");
    Ok(())
}

/// Requests by which the list and its pictures are renewed.
fn asked(counted: &Counters) -> u64 {
    counted.requests("/api/friends") + counted.picture_requests()
}

/// Reloads with the clock ahead; shown at once, and no rendition is sent again.
async fn later(visit: &mut Visit<'_>, seconds: u64) -> Result<Counters> {
    sign_in(visit).await?;
    wait_stored(visit).await?;
    visit.wait("IndexedDB holds the list, as the cookie tells", LIST_HELD).await?;
    let before = visit.counters().await?;

    let clock_ahead = Duration::from_secs(seconds);
    visit.reload_with(Script { clock_ahead, ..Script::NOTHING_AHEAD }).await?;
    visit.wait_pictures(FIRST_PAGE).await?;

    visit.require_no_gap().await?;
    require_sources(visit, &["indexed_db", "local_storage"]).await?;
    require_local_storage_in_view(visit).await?;
    let counted = visit.counted_since(&before).await?;
    visit.require_no_gap().await?;
    ensure!(counted.renditions() == 0, "renditions were sent again: {counted}");
    Ok(counted)
}

/// Touching IndexedDB throws: pictures show on the first visit and after a reload.
pub(super) async fn indexed_db_denied(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script { deny_indexed_db: true, ..Script::default() });
    sign_in(visit).await?;
    wait_stored(visit).await?;

    visit.reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;

    require_sources(visit, &["local_storage", "network"]).await?;
    require_local_storage_in_view(visit).await
}

/// Fails unless LocalStorage gave all pictures in view, as only it is read before the first frame.
async fn require_local_storage_in_view(visit: &Visit<'_>) -> Result<()> {
    let sources = visit.sources_in_view().await?;
    ensure!(sources == ["local_storage"], "the pictures in view came from {sources:?}");
    Ok(())
}

/// Fails if a picture came from any other layer.
async fn require_sources(visit: &Visit<'_>, allowed: &[&str]) -> Result<()> {
    let sources = visit.sources().await?;
    let foreign: Vec<&String> =
        sources.iter().filter(|source| !allowed.contains(&source.as_str())).collect();
    ensure!(!sources.is_empty() && foreign.is_empty(), "the pictures came from {sources:?}");
    Ok(())
}

/// Waits until LocalStorage has a preview for each picture of the list: it is written in idle time.
async fn wait_stored(visit: &Visit<'_>) -> Result<()> {
    visit.wait("LocalStorage holds the pictures of the list", STORED).await
}

const LIST_HELD: &str = "return document.cookie.includes('miniature_list=')";

const STORED: &str = "
    const pictures = document.querySelectorAll('[data-testid=friend-list] .picture[data-state=ready]').length;
    return pictures > 0 && Object.keys(localStorage).filter((key) => key.includes(':preview:')).length >= pictures";
