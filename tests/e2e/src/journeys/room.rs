//! A disk that is nearly full, and a browser that may throw things away.

use super::{
    FIRST_PAGE,
    lab::{QUIET, TOGGLE, open_modal},
    sign_in,
};
use crate::{page::hook, sampler::Script, visit::Visit};
use anyhow::{Result, ensure};
use std::time::Duration;

/// Above 80 % of the quota what is not on screen goes, the panel says what went, and pictures still come.
pub(super) async fn shed(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    open_modal(visit).await?;
    visit.back().await?;
    visit.gate.quiet(QUIET).await;
    visit.eval::<bool>("window.cacheMonitor.subscribe(() => {}); return true").await?;
    let is_stored = "
        const { indexed_db, local_storage } = window.cacheMonitor.getMetrics().layers;
        return indexed_db.bytes > 50e3 && local_storage.bytes > 50e3";
    visit.wait("something stored", is_stored).await?;
    visit.gate.set_script(Script { nearly_full: true, ..Script::default() });
    visit.open("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let has_shed = "
        const layers = window.cacheMonitor?.getMetrics().layers;
        return layers?.local_storage.shed_bytes > 0 && layers.indexed_db.shed_bytes > 0";
    visit.wait("what is not on screen goes", has_shed).await?;
    visit.click(&hook(TOGGLE)).await?;
    let says_so = "
        const said = document.querySelector('[data-testid=shed]')?.textContent ?? '';
        return ['LocalStorage', 'IndexedDB'].every((layer) => said.includes(layer))";
    visit.wait("what went", says_so).await?;
    visit.open("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    Ok(())
}

/// The page asks 5 s after it is there.
const ASKED_BY: Duration = Duration::from_secs(8);

/// Once, when somebody is here again half a day later, the browser is asked to keep the storage.
pub(super) async fn persist(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    if !visit.eval::<bool>("return !!navigator.storage?.persist").await? {
        visit.note("this browser has no such API here".to_owned());
        return Ok(());
    }
    for (hours, asked) in [(1, 0), (13, 1), (14, 0)] {
        let clock_ahead = Duration::from_secs(hours * 3600);
        visit.gate.set_script(Script { clock_ahead, ..Script::default() });
        visit.open("/friends").await?;
        visit.wait_pictures(FIRST_PAGE).await?;
        visit.wait("the monitor", "return !!window.cacheMonitor").await?;
        visit.gate.quiet(ASKED_BY).await;
        let is_asked: u32 = visit.eval("return window.__askedToStay").await?;
        ensure!(is_asked == asked, "asked {is_asked} times after {hours} hours");
    }
    Ok(())
}
