//! What a page's core was told is told again.

use super::{
    FIRST_PAGE,
    lab::{HAS_MONITOR, QUIET, TOGGLE, open_modal},
    sign_in,
};
use crate::{page::hook, visit::Visit};
use anyhow::{Context, Result, ensure};
use miniature::cache::{
    key::Source,
    metrics::Metrics,
    replay::{Recording, verify},
};
use serde_json::Value;

/// A session that was recorded counts the same when a core outside of the browser is told it again.
pub(super) async fn replays(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.quiet(QUIET).await;
    visit.click(&hook(TOGGLE)).await?;
    visit.eval::<bool>("window.__isOld = true; return true").await?;
    visit.click("[data-action=record]").await?;
    visit.wait("the page, loaded again", "return !!window.cacheMonitor && !window.__isOld").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    open_modal(visit).await?;
    visit.back().await?;
    visit.eval::<bool>("scrollTo(0, document.body.scrollHeight); return true").await?;
    visit.gate.quiet(QUIET).await;
    visit.eval::<bool>("window.cacheMonitor.clear(); return true").await?;
    visit.gate.quiet(QUIET).await;

    let exported = |names| format!("return JSON.parse(window.cacheMonitor.export({names}))");
    let nameless: Value = visit.eval(&exported(false)).await?;
    let text = nameless.to_string().to_lowercase();
    for name in ["abel", "beekeeper", "bees", "malmö", "\"ada"] {
        ensure!(!text.contains(name), "{name} is in {nameless}");
    }
    require_replay(&nameless)?;
    let exported: Value = visit.eval(&exported(true)).await?;
    let (recording, metrics) = require_replay(&exported)?;
    ensure!(metrics.total_requests >= u64::from(FIRST_PAGE), "{metrics:?}");
    ensure!(metrics.layers[Source::LocalStorage].hits > 0, "{metrics:?}");
    visit.note(format!(
        "{} calls, {} bytes of JSON",
        recording.calls.len(),
        exported.to_string().len()
    ));

    visit.reload().await?;
    visit.wait("the documents before", "return window.cacheMonitor?.record() === 2").await?;
    visit.click("[data-testid=sign-out]").await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    let left: Vec<String> = visit.eval(RECORDED).await?;
    ensure!(left.is_empty(), "of an account that is signed out: {left:?}");

    // Sign-out has ended it. Asked for again, it ends when that is asked for.
    sign_in(visit).await?;
    visit.wait("the monitor", HAS_MONITOR).await?;
    ensure!(visit.eval::<u32>("return window.cacheMonitor.record()").await? == 0, "it goes on");
    visit.eval::<bool>("window.cacheMonitor.record(true); return true").await?;
    visit.reload().await?;
    visit.wait("a recording", "return window.cacheMonitor?.record() === 1").await?;
    visit.eval::<bool>("window.cacheMonitor.record(false); return true").await?;
    visit.reload().await?;
    visit.wait("the monitor", HAS_MONITOR).await?;
    let is_over: bool = visit
        .eval("return !('recordings' in JSON.parse(window.cacheMonitor.export(true)))")
        .await?;
    ensure!(is_over, "it still records");
    let left: Vec<String> = visit.eval(RECORDED).await?;
    ensure!(left.is_empty(), "of what is not to be recorded: {left:?}");
    Ok(())
}

/// What the tab remembers of documents that were recorded.
const RECORDED: &str =
    "return Object.keys(sessionStorage).filter((key) => key.startsWith('miniature:v1:recorded'))";

/// What was exported, of which the recording replays to the same counts.
fn require_replay(exported: &Value) -> Result<(Recording, Metrics)> {
    let recording = exported["recordings"].get(0).context("nothing was recorded")?;
    let recording: Recording = serde_json::from_value(recording.clone())?;
    let metrics: Metrics = serde_json::from_value(exported.clone())?;
    let differs = verify(&recording, &metrics);
    ensure!(differs.is_empty(), "{} calls: {}", recording.calls.len(), differs.join("; "));
    Ok((recording, metrics))
}
