//! What the service worker keeps of pictures, and what it never keeps.

use super::{
    FIRST_PAGE,
    worker::{sign_in_with_worker, until},
};
use crate::{
    gate::{Network, Passage},
    page::hook,
    visit::Visit,
};
use anyhow::{Result, ensure};
use std::time::Duration;

/// Has the worker answer a message, and looks at what it keeps. The page is under its control.
const WORKER_AND_CACHE: &str = "
    const done = arguments[arguments.length - 1];
    const say = (message) => new Promise((end) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => end(data);
        navigator.serviceWorker.controller.postMessage(message, [port2]);
    });
    const name = async () => (await caches.keys()).find((name) => name.startsWith('miniature-pictures-v1:ada:'));
    const cache = async () => caches.open(await name());
    const held = async () => {
        const urls = (await (await cache()).keys()).map(({ url }) => new URL(url));
        return urls.map(({ pathname, search }) => pathname + search).filter((path) => path.startsWith('/images/'));
    };
    const type = async (path) => (await fetch(path)).headers.get('content-type');
    const until = async (what, is) => {
        for (let times = 0; times < 200; times++) {
            if (await is()) return;
            await new Promise((end) => setTimeout(end, 50));
        }
        throw new Error(`waited in vain: ${what}`);
    };
    const is = (what, value) => { if (!value) throw new Error(what) };
    const old = new Date(Date.now() - 8 * 86400e3).toUTCString();
    const put = async (path, bytes, date) => (await cache()).put(path, new Response(bytes, {
        headers: { 'content-type': 'image/webp', 'content-length': bytes.size, date },
    }));
    const walk = async () => {";
const WALKED: &str = "};
    walk().then(() => done('ok'), (error) => done(String(error)));";

/// Runs steps in the page, with what [`WORKER_AND_CACHE`] defines.
pub(super) async fn walk(visit: &Visit<'_>, steps: &str) -> Result<()> {
    let script = format!("{WORKER_AND_CACHE}{steps}{WALKED}");
    let outcome: String = visit.eval_async(&script).await?;
    ensure!(outcome == "ok", "{outcome}");
    Ok(())
}

/// What the page has put there, and what the worker adds.
const KEEPS: &str = "
        is('controlled', navigator.serviceWorker.controller);
        await until('the page fills the cache', async () => await name() && (await held()).length >= 40);
        const [first] = await held();
        const large = first.replace(/size=\\d+/, 'size=512');
        await until('as many as it says', async () =>
            (await say({ type: 'stats' })).ok.entries === (await held()).length);
        const { ok: stats } = await say({ type: 'stats' });
        is('all are new', stats.valid === stats.entries && stats.expired === 0 && stats.bytes > 10000);
        is('a version', /^[0-9a-f]{16}$/.test((await say({ type: 'version' })).ok));
        is('an error', (await say({ type: 'nonsense' })).error);
        is('a picture', await type(large) === 'image/webp');
        await until('it keeps what it fetched', async () => (await held()).includes(large));
        const unknown = `/images/${'0'.repeat(32)}?size=64`;
        await fetch(unknown);
        is('no error is kept', !(await held()).includes(unknown));";

/// Without a network.
const OFFLINE: &str = "
        const [first] = await held();
        const large = first.replace(/size=\\d+/, 'size=512');
        is('what is held is shown', await type(large) === 'image/webp');
        is('the default picture', await type(`/images/${'1'.repeat(32)}?size=64`) === 'image/svg+xml');
        const medium = first.replace(/size=\\d+/, 'size=256');
        await put(medium, await (await fetch(large)).blob(), old);
        is('one that is old is shown', await type(medium) === 'image/webp');
        is('and counted', (await say({ type: 'stats' })).ok.expired === 1);";

/// What is old is renewed, what is too much goes, and all of it on demand.
const SHEDS: &str = "
        const large = (await held()).find((path) => path.endsWith('=256'));
        await type(large);
        const age = async () => {
            const held = await (await cache()).match(large);
            return held ? Date.now() - Date.parse(held.headers.get('date')) : Infinity;
        };
        await until('it is renewed', async () => await age() < 3600e3);
        const bytes = await (await fetch(large)).blob();
        for (let nth = 0; nth < 220; nth++) {
            await put(`/images/${String(nth).padStart(32, '0')}?size=64`, bytes, new Date().toUTCString());
        }
        await type(large);
        await until('what is used goes to the end', async () => (await held()).at(-1) === large);
        await type(large.replace('=256', '=128'));
        await until('it sheds', async () => (await held()).length <= 200);
        is('what was used last stays', (await held()).includes(large));
        const [, image] = large.split(/[/?]images.|[?]/);
        await say({ type: 'invalidate', image_id: image });
        is('invalidated', !(await held()).some((path) => path.includes(image)));
        await say({ type: 'clear' });
        is('cleared', !await name());";

/// The page fills the cache of pictures when it rests; the worker serves it to plain `<img>`s, keeps what it
/// fetches, within its limits, and nothing that is no picture.
pub(super) async fn kept(visit: &mut Visit<'_>) -> Result<()> {
    sign_in_with_worker(visit).await?;
    visit.press_reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    walk(visit, KEEPS).await?;
    // A picture that is not there is said to be so on the console.
    visit.forgive().await?;

    visit.set_network(Network::Down);
    walk(visit, OFFLINE).await?;
    visit.set_network(Network::Up);

    walk(visit, SHEDS).await
}

/// Whether anything of the account is in a cache.
const HOLDS_PICTURES: &str = "
    const done = arguments[arguments.length - 1];
    caches.keys().then((names) => done(names.some((name) => name.startsWith('miniature-pictures'))))";

/// Notes whether any cache of pictures is there from now on, for however short a time.
const WATCH: &str = "
    window.__kept = false;
    setInterval(async () => {
        const names = await caches.keys();
        window.__kept ||= names.some((name) => name.startsWith('miniature-pictures'));
    }, 10);
    return true";

/// Some kB take some seconds, in bytes a second.
const SLOW: u32 = 2_000;

/// A picture is on its way through the worker as the account signs out: nothing of it stays in any cache.
pub(super) async fn signed_out(visit: &mut Visit<'_>) -> Result<()> {
    sign_in_with_worker(visit).await?;
    visit.press_reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let fills = "await until('filled', async () => await name() && (await held()).length >= 40);";
    walk(visit, fills).await?;
    // The server has answered for the account, and the answer takes some seconds to arrive.
    visit.gate.set_bandwidth(SLOW);
    let asks = "
        const [first] = await held();
        const answer = fetch(first.replace(/size=\\d+/, 'size=512'));
        window.__late = answer.then((answer) => answer.blob());";
    walk(visit, asks).await?;
    let is_asked = |passages: &[Passage]| passages.iter().any(|p| p.target.ends_with("size=512"));
    visit.wait_passages("the picture on its way", is_asked).await?;
    visit.click(&hook("sign-out")).await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    let erased = HOLDS_PICTURES.replace("done(names", "done(!names");
    until(visit, "the cache is erased", &erased).await?;
    visit.eval::<bool>(WATCH).await?;
    let answered = "window.__late.then(({ size }) => arguments[arguments.length - 1](size > 1000))";
    until(visit, "the late answer", answered).await?;
    visit.gate.quiet(Duration::from_secs(1)).await;
    let kept: bool = visit.eval("return window.__kept").await?;
    ensure!(!kept, "a late picture of an account that is gone was kept");
    Ok(())
}
