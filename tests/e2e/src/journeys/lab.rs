//! The dashboard, and what the console says of the cache.

use super::{FIRST_PAGE, sign_in};
use crate::{
    gate::{Fault, FaultKind, Passage},
    page::hook,
    visit::Visit,
};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::time::Duration;

pub(super) const QUIET: Duration = Duration::from_secs(1);
const LAB: &str = "/miniature-lab";
const LAB_WASM: &str = "/miniature-lab*.wasm";
/// A file that is held is asked for twice, for 10 s each.
const PATIENCE: Duration = Duration::from_secs(60);
const SAYS_SO: &str =
    "return document.body.textContent.includes('The dashboard could not be loaded.')";
pub(super) const HAS_MONITOR: &str = "return !!window.cacheMonitor";
pub(super) const METRICS: &str = "return window.cacheMonitor.getMetrics()";
pub(super) const TOGGLE: &str = "cache-dashboard-toggle";
const PANEL: &str = "cache-dashboard";
/// Each figure of the panel that has a name, beside the same of the metrics.
const DIFFERENCES: &str = "
    const metrics = window.cacheMonitor.getMetrics();
    const panel = document.querySelector('[data-testid=cache-dashboard]');
    const shown = (cell) => cell.dataset.value === undefined ? null : Number(cell.dataset.value);
    const near = (a, b) => a === b || Math.abs(a - b) < 1e-6;
    const differs = [];
    for (const cell of panel.querySelectorAll('dd[data-metric]')) {
        const { metric } = cell.dataset;
        if (!near(shown(cell), metrics[metric])) differs.push(`${metric}: ${shown(cell)}, ${metrics[metric]}`);
    }
    const cells = [...panel.querySelectorAll('[data-layer] td[data-metric]')];
    if (cells.length !== 35) differs.push(`${cells.length} cells`);
    for (const cell of cells) {
        const { layer } = cell.closest('[data-layer]').dataset, { metric } = cell.dataset;
        const is = metrics.layers[layer][metric];
        if (!near(shown(cell), is)) differs.push(`${layer} ${metric}: ${shown(cell)}, ${is}`);
    }
    return differs.join('; ')";

/// Requests for pictures that passed the gate.
fn asks_for_pictures(passage: &Passage) -> bool {
    ["/api/friends?", "/api/images/batch"].iter().any(|path| passage.target.starts_with(path))
        && ["pictures=", "size="].iter().any(|wanted| passage.target.contains(wanted))
}

/// `window.cacheMonitor` says what the gate has seen pass, and why a picture came from where it came.
pub(super) async fn console(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.quiet(QUIET).await;
    let before = visit.passages().len();
    visit.reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.wait("the monitor", HAS_MONITOR).await?;
    visit.gate.quiet(QUIET).await;

    let metrics: Value = visit.eval(METRICS).await?;
    let asked =
        visit.passages()[before..].iter().filter(|passage| asks_for_pictures(passage)).count();
    ensure!(metrics["api_requests"] == asked, "{asked} passed, {metrics}");
    let rows = metrics["layers"]["local_storage"]["hits"].as_u64().unwrap_or_default();
    ensure!(rows >= u64::from(FIRST_PAGE), "{rows} rows came from LocalStorage: {metrics}");
    let exported: Value = visit.eval("return JSON.parse(window.cacheMonitor.export())").await?;
    ensure!(exported["total_requests"] == metrics["total_requests"], "{exported} is not {metrics}");
    let names: Vec<bool> = visit
        .eval("return [undefined, true].map((names) => window.cacheMonitor.export(names).includes(window.cacheMonitor.getMetrics().recent[0].user))")
        .await?;
    ensure!(names == [false, true], "an export names nobody unless it is asked to: {names:?}");

    let told: String = visit
        .eval("const { user } = window.cacheMonitor.getMetrics().recent[0]; return window.cacheMonitor.explain(user)")
        .await?;
    let last = told.lines().last().unwrap_or_default();
    ensure!(told.lines().count() > 1 && last.contains("came from LocalStorage"), "{told}");
    let nobody: String = visit.eval("return window.cacheMonitor.explain('nobody')").await?;
    ensure!(nobody == "No load of nobody was recorded.", "{nobody}");
    let line: String = visit.eval("return window.cacheMonitor.logSummary()").await?;
    ensure!(line.contains("came from a cache"), "{line}");

    visit.eval::<bool>("window.cacheMonitor.reset(); return true").await?;
    let metrics: Value = visit.eval(METRICS).await?;
    ensure!(metrics["total_requests"] == 0, "counted from zero: {metrics}");
    Ok(())
}

/// The panel's program comes when it is first opened, and shows the metrics, which change under it.
pub(super) async fn panel(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.quiet(QUIET).await;
    let is_lab = |passage: &&Passage| passage.target.starts_with(LAB);
    ensure!(visit.passages().iter().filter(is_lab).count() == 0, "it came before it was opened");

    for (path, kind) in [(LAB, FaultKind::Missing), (LAB_WASM, FaultKind::Held)] {
        visit.set_faults(&[Fault { path, kind }]);
        visit.click(&hook(TOGGLE)).await?;
        visit.wait_for(PATIENCE, "a sentence", SAYS_SO).await?;
        visit.forgive().await?;
        visit.set_faults(&[]);
        // What does not come is closed where it was opened.
        visit.click(&hook(TOGGLE)).await?;
        visit.wait_gone(".dashboard-notice").await?;
    }
    visit.click(&hook(TOGGLE)).await?;
    visit.wait_visible(&hook(PANEL)).await?;
    let same = format!("return (() => {{ {DIFFERENCES} }})() === ''");
    visit.wait("the figures of the metrics", &same).await?;

    visit.click("[data-testid=friend] a, a[data-testid=friend]").await?;
    visit.wait_visible(&hook("profile-modal")).await?;
    visit.gate.quiet(QUIET).await;
    visit.wait("new figures", &same).await?;
    visit.back().await?;
    why(visit).await?;
    import(visit).await?;
    visit.click(".dashboard-close").await?;
    visit.wait_gone(&hook(PANEL)).await?;
    let before = visit.passages().iter().filter(is_lab).count();
    visit.click(&hook(TOGGLE)).await?;
    visit.wait_visible(&hook(PANEL)).await?;
    let after = visit.passages().iter().filter(is_lab).count();
    ensure!(before == after, "its program was asked for again");
    Ok(())
}

/// "Why did this picture take so long": the user's name, their load, a sentence for each layer.
async fn why(visit: &Visit<'_>) -> Result<()> {
    let user: String = visit.eval("return window.cacheMonitor.getMetrics().recent[0].user").await?;
    visit.type_into("[data-filter=user]", &user).await?;
    let alone = format!(
        "const rows = [...document.querySelectorAll('[data-load] .load-toggle')];
         return rows.length > 0 && rows.every((row) => row.textContent === {user:?})"
    );
    visit.wait("that user's loads alone", &alone).await?;
    visit.click("[data-load] .load-toggle").await?;
    visit.wait_visible(".load-details li").await?;
    let said: Vec<String> = visit
        .eval("return [...document.querySelectorAll('.load-details li')].map((line) => line.textContent)")
        .await?;
    ensure!(said.len() > 1 && said.last().is_some_and(|last| last.contains(&user)), "{said:?}");
    let steps: Vec<String> = visit
        .eval("return [...document.querySelectorAll('[data-step]')].map(({ dataset }) => `${dataset.step} ${dataset.answer}`)")
        .await?;
    ensure!(steps.len() + 1 == said.len() && steps[0].starts_with("memory "), "{steps:?}");
    let held = "return document.querySelectorAll('.entry-table tbody tr').length === 4";
    visit.wait("what each layer holds", held).await?;
    visit.wait_visible(".storage-table").await?;
    let limits: usize = visit
        .eval("return document.querySelectorAll('.storage-table [data-layer]').length")
        .await?;
    ensure!(limits == 4, "{limits} layers have a limit");
    let cleared = "const field = document.querySelector('[data-filter=user]');
        field.value = '';
        field.dispatchEvent(new Event('input', { bubbles: true }));
        return true";
    visit.eval::<bool>(cleared).await.map(drop)
}

/// An exported file is looked at in the place of the page's figures, and names nobody.
async fn import(visit: &Visit<'_>) -> Result<()> {
    let text: String = visit.eval("return window.cacheMonitor.export()").await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("session.json");
    std::fs::write(&file, &text)?;
    visit.attach("[data-action=import]", &file).await?;
    visit.wait_visible("[data-testid=imported]").await?;
    let users = "return [...document.querySelectorAll('.load-toggle')].every(({ textContent }) => textContent.startsWith('person-'))";
    visit.wait("pseudonyms", users).await?;
    visit.click("[data-action=live]").await?;
    visit.wait_gone("[data-testid=imported]").await?;
    let names = "return [...document.querySelectorAll('.load-toggle')].some(({ textContent }) => !textContent.startsWith('person-'))";
    visit.wait("the page's own figures", names).await?;
    std::fs::write(&file, "{}")?;
    visit.attach("[data-action=import]", &file).await?;
    wait_said(visit, "session.json is not an export of this version.").await
}

/// Catches what the page would save.
const CATCH_SAVED: &str = "
    HTMLAnchorElement.prototype.click = function () {
        window.__saved = decodeURIComponent(this.href.slice(this.href.indexOf(',') + 1));
    };
    return true";

/// What a developer does by the panel's buttons is done.
pub(super) async fn controls(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.quiet(QUIET).await;
    visit.click(&hook(TOGGLE)).await?;
    visit.wait_visible("[data-panel=controls]").await?;
    let user: String = visit.eval("return window.cacheMonitor.getMetrics().recent[0].user").await?;

    let field = "[data-panel=controls] input[type=text]";
    visit.type_into(field, "nobody at all").await?;
    visit.click("[data-action=invalidate]").await?;
    wait_said(visit, "“nobody at all” is not the id of a user.").await?;
    visit
        .eval::<bool>(&format!("document.querySelector('{field}').value = ''; return true"))
        .await?;
    visit.type_into(field, &user).await?;
    visit.click("[data-action=invalidate]").await?;
    wait_said(visit, &format!("The server is asked about {user}'s picture.")).await?;
    let asked = format!("users={user}");
    let is_asked = |passages: &[Passage]| passages.iter().any(|p| p.target.contains(&asked));
    visit.wait_passages("a request for the user", is_asked).await?;

    visit.click("[data-action=prefetch]").await?;
    let large = |passages: &[Passage]| passages.iter().any(|p| p.target.contains("size=256"));
    visit.wait_passages("large pictures", large).await?;
    visit.gate.quiet(QUIET).await;

    visit.eval::<bool>(CATCH_SAVED).await?;
    visit.click("[data-action=export-trace]").await?;
    let spans: Vec<usize> = visit
        .eval(
            "
        const { traceEvents } = JSON.parse(window.__saved);
        const { recent } = window.cacheMonitor.getMetrics();
        const steps = recent.map(({ path }) => path.length).reduce((a, b) => a + b, 0);
        return [traceEvents.filter(({ ph }) => ph === 'b').length, recent.length + steps]",
        )
        .await?;
    ensure!(spans[0] == spans[1] && spans[0] > 50, "{spans:?} spans in the trace");

    let docked = "return document.querySelector('[data-testid=cache-dashboard]').dataset.docked";
    let before: String = visit.eval(docked).await?;
    visit.click("[data-action=dock]").await?;
    let after: String = visit.eval(docked).await?;
    ensure!(before != after, "docked {after} as before");
    visit.reload().await?;
    visit.wait_visible("[data-panel=controls]").await?;
    let reloaded: String = visit.eval(docked).await?;
    ensure!(reloaded == after, "docked {reloaded} after a reload, {after} before");
    Ok(())
}

async fn wait_said(visit: &Visit<'_>, text: &str) -> Result<()> {
    let is_said =
        format!("return document.querySelector('.dashboard-said').textContent === {text:?}");
    visit.wait(text, &is_said).await
}

/// Layers are in trouble as asked, the page goes on, says so, and is out of it after a reload.
pub(super) async fn simulate(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    open_modal(visit).await?;
    visit.gate.quiet(QUIET).await;
    // Until it is written.
    let is_stored = "
        const { indexed_db } = window.cacheMonitor.getMetrics().layers;
        return indexed_db.bytes > 0";
    visit.eval::<bool>("window.cacheMonitor.subscribe(() => {}); return true").await?;
    visit.wait("something stored", is_stored).await?;
    visit.open("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.wait("the monitor", HAS_MONITOR).await?;

    visit.click(&hook(TOGGLE)).await?;
    visit.wait_visible("[data-panel=controls]").await?;
    choose(visit, "memory", "off", "").await?;
    let gone = "return !document.querySelector('[data-simulating]')";
    ensure!(visit.eval::<bool>(gone).await?, "nothing is chosen: memory is not among the layers");
    choose(visit, "local_storage", "slow", "9").await?;
    wait_said(visit, "LocalStorage cannot be slow.").await?;

    choose(visit, "indexed_db", "corrupt", "").await?;
    wait_badge(visit, "Simulated until you reload: IndexedDB is corrupt.").await?;
    let asked = visit.passages().len();
    open_modal(visit).await?;
    let large = |passages: &[Passage]| {
        passages[asked..].iter().any(|passage| passage.target.contains("/api/images/batch"))
    };
    visit.wait_passages("the picture that could not be painted", large).await?;
    // The browser says so of what is no image.
    visit.forgive().await?;
    visit.back().await?;

    choose(visit, "indexed_db", "none", "").await?;
    choose(visit, "network", "off", "").await?;
    wait_badge(visit, "Simulated until you reload: Network is off.").await?;
    visit.eval::<bool>("window.cacheMonitor.invalidate(window.cacheMonitor.getMetrics().recent[0].user); return true").await?;
    visit.wait_visible(&hook("offline-banner")).await?;
    choose(visit, "network", "none", "").await?;
    visit.wait("no badge", gone).await?;
    visit.wait_gone(&hook("offline-banner")).await?;

    choose(visit, "network", "slow", "300").await?;
    wait_badge(visit, "Simulated until you reload: Network is 300 ms slower.").await?;
    visit.reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    ensure!(visit.eval::<bool>(gone).await?, "a reload undoes it");
    Ok(())
}

pub(super) async fn open_modal(visit: &mut Visit<'_>) -> Result<()> {
    visit.click("[data-testid=friend] a, a[data-testid=friend]").await?;
    visit.wait_visible(&hook("profile-modal")).await?;
    let sharp = "
        const image = document.querySelector('[data-testid=profile-modal] .picture[data-state=ready] img');
        return !!image && image.naturalWidth >= 128";
    visit.wait("a sharp picture", sharp).await
}

async fn choose(visit: &Visit<'_>, layer: &str, fault: &str, ms: &str) -> Result<()> {
    let chosen = format!(
        "for (const [name, value] of Object.entries({{ layer: '{layer}', fault: '{fault}', ms: '{ms}' }})) {{
            document.querySelector(`[data-simulate=${{name}}]`).value = value;
        }}
        return true"
    );
    visit.eval::<bool>(&chosen).await?;
    visit.click("[data-action=simulate]").await
}

async fn wait_badge(visit: &Visit<'_>, text: &str) -> Result<()> {
    let is_so =
        format!("return document.querySelector('[data-simulating]')?.textContent === {text:?}");
    visit.wait(text, &is_so).await
}

/// The panel goes into a window of its own, follows the page there, and a reload of it.
pub(super) async fn detach(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.quiet(QUIET).await;
    visit.click(&hook(TOGGLE)).await?;
    visit.wait_visible("[data-panel=now]").await?;
    visit.click("[data-action=detach]").await?;
    let other = visit.other_window().await?;
    visit.wait_gone(&hook(PANEL)).await?;
    let before: Value = visit.eval(METRICS).await?;
    let page = visit.switch_to(other.clone()).await?;
    let requests = |count: &Value| {
        format!(
            "return document.querySelector('[data-metric=total_requests]')?.dataset.value === '{count}'"
        )
    };
    visit.wait("the page's figures", &requests(&before["total_requests"])).await?;

    visit.switch_to(page.clone()).await?;
    visit.click("[data-testid=friend] a, a[data-testid=friend]").await?;
    visit.wait_visible(&hook("profile-modal")).await?;
    visit.gate.quiet(QUIET).await;
    let after: Value = visit.eval(METRICS).await?;
    ensure!(after["total_requests"] != before["total_requests"], "nothing was counted: {after}");
    visit.switch_to(other.clone()).await?;
    visit.wait("new figures", &requests(&after["total_requests"])).await?;
    visit.click("[data-load] .load-toggle").await?;
    let held = "return document.querySelectorAll('.entry-table tbody tr').length === 4";
    visit.wait("what each layer holds", held).await?;

    visit.switch_to(page.clone()).await?;
    visit.reload().await?;
    visit.wait("the monitor", HAS_MONITOR).await?;
    visit.gate.quiet(QUIET).await;
    let reloaded: Value = visit.eval(METRICS).await?;
    visit.switch_to(other).await?;
    visit
        .wait("figures of the page that was loaded again", &requests(&reloaded["total_requests"]))
        .await?;
    visit.close_tab(page).await
}
