//! The switch between this cache and plain `<img>`s.

use super::{
    FIRST_PAGE,
    lab::{METRICS, QUIET, TOGGLE},
    sign_in,
};
use crate::{page::hook, visit::Visit};
use anyhow::{Result, bail, ensure};
use serde_json::Value;

/// Whether each picture in the list is a plain `<img>`, or none is.
const PLAIN: &str = "
    const images = [...document.querySelectorAll('[data-testid=friend] .picture img')];
    const plain = images.filter((image) => image.getAttribute('src').startsWith('/images/'));
    return plain.length === 0 ? 'none' : plain.length === images.length ? 'all' : 'some'";

/// Plain images come 500 ms after they are first asked for, each.
const SLOW_PLAIN: &str = "
    const { get } = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, 'complete');
    const since = new WeakMap();
    Object.defineProperty(HTMLImageElement.prototype, 'complete', {
        configurable: true,
        get() {
            if (!this.src.includes('/images/')) return get.call(this);
            if (!since.has(this)) since.set(this, performance.now());
            return performance.now() - since.get(this) >= 500 && get.call(this);
        },
    });
    return true";

/// The cache is switched off and on again, and the times either way stand side by side.
pub(super) async fn on_and_off(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.quiet(QUIET).await;
    visit.click(&hook(TOGGLE)).await?;
    visit.wait_visible("[data-action=bypass]").await?;
    let before: Value = visit.eval(METRICS).await?;
    let plain_images = |visit: &Visit<'_>| {
        let passages = visit.passages();
        passages.iter().filter(|passage| passage.target.starts_with("/images/")).count()
    };
    ensure!(plain_images(visit) == 0, "plain images before the switch");

    visit.click("[data-action=bypass]").await?;
    visit.wait("plain images alone", &format!("return (() => {{ {PLAIN} }})() === 'all'")).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.gate.quiet(QUIET).await;
    ensure!(plain_images(visit) > 20, "{} plain images were asked for", plain_images(visit));
    let during: Value = visit.eval(METRICS).await?;
    ensure!(during["total_requests"] == before["total_requests"], "it counted what passed it by");

    visit.click("[data-action=bypass]").await?;
    visit.wait("no plain image", &format!("return (() => {{ {PLAIN} }})() === 'none'")).await?;
    visit.eval::<bool>(SLOW_PLAIN).await?;
    visit.click("[data-action=compare]").await?;
    let is_told =
        "return document.querySelector('[data-testid=compared]').textContent.endsWith('ms.')";
    visit.wait("the times", is_told).await?;
    let told: String =
        visit.eval("return document.querySelector('[data-testid=compared]').textContent").await?;
    ensure!(!told.contains("more than"), "{told}");
    visit.note(told);
    let times: Vec<f64> = visit
        .eval_async("window.cacheMonitor.compare().then(arguments[arguments.length - 1])")
        .await?;
    let [first, again, ours] = times[..] else { bail!("{times:?}") };
    ensure!(
        first >= 500.0 && again >= 500.0 && ours < 500.0,
        "plain images take 500 ms: {times:?}"
    );
    let after: String = visit.eval(PLAIN).await?;
    ensure!(after == "none", "the comparison leaves {after} plain");

    visit.click("[data-action=bypass]").await?;
    visit.reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let reloaded: String = visit.eval(PLAIN).await?;
    ensure!(reloaded == "none", "a reload undoes it: {reloaded} are plain");
    Ok(())
}
