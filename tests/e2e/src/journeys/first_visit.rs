//! The first visit: as few trips and bytes as there can be.

use super::{FIRST_PAGE, own_page, sign_in, sign_in_without_the_app};
use crate::{
    gate::{Delays, Passage},
    sampler::Script,
    visit::Visit,
};
use anyhow::{Result, ensure};
use miniature_e2e::engine::Engine;
use std::{env, fs, path::PathBuf};

/// The most that a first visit may weigh: the app, the list and its pictures, in bytes.
const WEIGHT: usize = 400_000;

/// WebKit takes no brotli over plain HTTP, even from loopback; over HTTPS it does, as the others.
fn weight_over_https(passage: &Passage) -> usize {
    let dist = env::var_os("MINIATURE_DIST").map(PathBuf::from).unwrap_or_default();
    let brotli = dist.join(format!("{}.br", passage.target.trim_start_matches('/')));
    let brotli = fs::metadata(brotli).ok().and_then(|file| usize::try_from(file.len()).ok());
    brotli.map_or(passage.bytes, |bytes| bytes.min(passage.bytes))
}

/// The server compresses the page; the gate, which changes it, does not.
fn weight_of_page(passage: &Passage) -> Result<usize> {
    let dist = env::var_os("MINIATURE_DIST").map(PathBuf::from).unwrap_or_default();
    let size =
        |name: &str| Ok::<_, anyhow::Error>(usize::try_from(fs::metadata(dist.join(name))?.len())?);
    Ok(passage.bytes + size("index.html.br")? - size("index.html")?)
}

/// From the sign-in page: the list and its pictures come in one request, within the weight.
pub(super) async fn one_request(visit: &mut Visit<'_>) -> Result<()> {
    // What is loaded ahead is not of the visit.
    visit.gate.set_script(Script::NOTHING_AHEAD);
    let before = visit.counters().await?;

    sign_in(visit).await?;

    let counted = visit.counted_since(&before).await?;
    ensure!(counted.requests("/api/friends") == 1, "the list was not asked for once: {counted}");
    ensure!(counted.picture_requests() == 0, "pictures were asked for apart: {counted}");
    ensure!(counted.renditions() > 0, "no rendition was sent: {counted}");
    let sources = visit.sources().await?;
    ensure!(sources == ["network"], "the pictures came from {sources:?}");
    let weigh = match visit.engine() {
        Engine::WebKit => weight_over_https,
        Engine::Chromium | Engine::Firefox => |passage: &Passage| passage.bytes,
    };
    let mut weight = 0;
    for passage in visit.passages() {
        let is_page = passage.target == "/sign-in";
        weight += if is_page { weight_of_page(&passage)? } else { weigh(&passage) };
    }
    visit.note(format!("{weight} bytes in all, {} requests", visit.passages().len()));
    ensure!(weight <= WEIGHT, "{weight} bytes, {} too many", weight.saturating_sub(WEIGHT));
    Ok(())
}

/// Signed in, never loaded, 300 ms away: the list is asked for before WebAssembly has started.
pub(super) async fn far_away(visit: &mut Visit<'_>) -> Result<()> {
    sign_in_without_the_app(visit).await?;
    visit.gate.set_delays(Delays::DISTANT);
    visit.open("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let ours = complete_at(visit).await?;
    let asked: f64 = visit.eval(LIST_ASKED).await?;
    let started = visit.seen().await?.wasm_started_at;
    let ids: Vec<String> = visit.eval(IMAGE_IDS).await?;

    let plain = plain_images(visit, &ids).await?;

    visit.note(format!(
        "{FIRST_PAGE} pictures complete: {ours:.0} ms; {} plain <img>, addresses known: {plain:.0} ms",
        ids.len()
    ));
    let started = started.ok_or_else(|| anyhow::anyhow!("WebAssembly was not seen to start"))?;
    visit.note(format!("list asked for at {asked:.0} ms, WebAssembly started at {started:.0} ms"));
    ensure!(asked < started, "the list was asked for {:.0} ms too late", asked - started);
    Ok(())
}

/// When the list was asked for, in milliseconds since navigation.
const LIST_ASKED: &str = "
    const asked = performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/api/friends'));
    return Math.min(...asked.map((entry) => entry.startTime))";

/// The images of the list, as the API names them.
const IMAGE_IDS: &str = "
    const request = new XMLHttpRequest();
    request.open('GET', '/api/friends?limit=50', false);
    request.send();
    return JSON.parse(request.responseText).friends.map((friend) => friend.picture.image_id).filter(Boolean)";

/// When all pictures had been decoded and two frames had passed, in milliseconds since navigation.
async fn complete_at(visit: &Visit<'_>) -> Result<f64> {
    visit.wait("two frames", "return window.__seen.complete_at > 0").await?;
    visit.eval("return window.__seen.complete_at").await
}

/// The same pictures in a page that is nothing but `<img>`, in a browser without a past.
async fn plain_images(visit: &mut Visit<'_>, ids: &[String]) -> Result<f64> {
    visit.start_afresh().await?;
    visit.gate.set_delays(Delays::default());
    sign_in_without_the_app(visit).await?;
    visit.gate.set_delays(Delays::DISTANT);
    let images: String = ids
        .iter()
        .map(|id| format!("<img class=plain width=48 height=48 src=\"/images/{id}?size=64\">"))
        .collect();
    visit.gate.set_page(own_page(&images));
    visit.open("/__page").await?;
    visit
        .eval::<serde_json::Value>(&format!("window.__seen.want = {}; return null", ids.len()))
        .await?;
    complete_at(visit).await
}
