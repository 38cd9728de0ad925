//! A disk that is nearly full, and a browser that may throw things away.

use super::{
    FIRST_PAGE,
    lab::{METRICS, QUIET, TOGGLE, open_modal},
    sign_in,
};
use crate::{page::hook, visit::Visit};
use anyhow::{Result, ensure};
use serde_json::Value;

/// As on a disk that is nearly full. WebKitGTK has no such API over plain HTTP.
const NEARLY_FULL: &str = "
    const storage = navigator.storage ?? {};
    storage.estimate = async () => ({ usage: 9e8, quota: 1e9 });
    storage.persisted ??= async () => false;
    Object.defineProperty(navigator, 'storage', { value: storage, configurable: true });
    return true";

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
    let before: Value = visit.eval(METRICS).await?;
    visit.eval::<bool>(NEARLY_FULL).await?;
    visit.click(&hook(TOGGLE)).await?;
    let says_so = "
        const said = document.querySelector('[data-testid=shed]')?.textContent ?? '';
        return ['LocalStorage', 'IndexedDB'].every((layer) => said.includes(layer))";
    visit.wait("what went", says_so).await?;
    let after: Value = visit.eval(METRICS).await?;
    for layer in ["local_storage", "indexed_db"] {
        let bytes =
            |metrics: &Value| metrics["layers"][layer]["bytes"].as_u64().unwrap_or_default();
        let shed = after["layers"][layer]["shed_bytes"].as_u64().unwrap_or_default();
        ensure!(bytes(&before) == bytes(&after) + shed, "{layer}: {before} {after}");
    }
    visit.open("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    Ok(())
}

/// Who signs in a second time is asked for once whether the storage may stay.
pub(super) async fn persist(visit: &mut Visit<'_>) -> Result<()> {
    let count = "
        window.__asked = 0;
        const storage = navigator.storage ?? {};
        storage.persisted = async () => false;
        storage.persist = async () => { window.__asked++; return false; };
        Object.defineProperty(navigator, 'storage', { value: storage, configurable: true });
        return true";
    for (asked, nth) in [(0, "first"), (1, "second"), (0, "third")] {
        visit.open("/sign-in").await?;
        visit.wait_visible(&hook("demo-sign-in")).await?;
        visit.eval::<bool>(count).await?;
        visit.click(&hook("demo-sign-in")).await?;
        visit.wait_pictures(FIRST_PAGE).await?;
        visit.gate.quiet(QUIET).await;
        let is_asked: u32 = visit.eval("return window.__asked").await?;
        ensure!(is_asked == asked, "asked {is_asked} times at the {nth} sign-in");
        visit.click(&hook("sign-out")).await?;
        visit.wait_visible(".sign-in-form").await?;
    }
    Ok(())
}
