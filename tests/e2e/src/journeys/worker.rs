//! The service worker: without a network, with a new version, and ill.

use super::{FIRST_PAGE, MODAL, ROW, sign_in};
use crate::{
    gate::{Fault, FaultKind, Network, Passage},
    page::hook,
    sampler::Script,
    visit::Visit,
};
use anyhow::{Context, Result, ensure};
use miniature_e2e::{
    engine::Engine,
    server::{Server, copy_folder},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

const WITH_WORKER: Script = Script { worker: true, save_data: false, ..Script::NOTHING_AHEAD };

/// Whether a worker is there, and the page in its cache.
const IS_INSTALLED: &str = "
    const done = arguments[arguments.length - 1];
    (async () => {
        const registration = await navigator.serviceWorker.getRegistration();
        const cached = await caches.match('/friends');
        done(registration?.active?.state === 'activated' && !!cached);
    })()";
/// Whether there is neither a worker nor a page in its cache.
const IS_GONE: &str = "
    const done = arguments[arguments.length - 1];
    (async () => {
        const registration = await navigator.serviceWorker.getRegistration();
        const shells = (await caches.keys()).filter((name) => name.includes('shell'));
        done(!registration && shells.length === 0);
    })()";
const HAS_BANNER: &str = "[data-testid=update-banner]";
/// In which a version is installed, or ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// Signs in with the worker, and waits until it is there.
async fn sign_in_with_worker(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(WITH_WORKER);
    sign_in(visit).await?;
    until(visit, "the worker is installed", IS_INSTALLED).await
}

/// Waits until a script calls back with true.
async fn until(visit: &Visit<'_>, what: &str, script: &str) -> Result<()> {
    let start = tokio::time::Instant::now();
    while !visit.eval_async::<bool>(script).await.unwrap_or(false) {
        ensure!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// After one visit the network goes: reloads show the list, a profile over it, and the feed.
pub(super) async fn offline(visit: &mut Visit<'_>) -> Result<()> {
    sign_in_with_worker(visit).await?;
    visit.gate.quiet(Duration::from_secs(1)).await;
    match visit.engine() {
        Engine::WebKit => {
            visit.note("its driver's session has no HTTP cache for a worker".to_owned())
        }
        Engine::Chromium | Engine::Firefox => require_fetched_once(visit)?,
    }
    visit.set_network(Network::Down);

    visit.press_reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.require_no_gap().await?;
    visit.wait_visible(&hook("offline-banner")).await?;
    visit.click(ROW).await?;
    visit.wait_visible(&format!("{MODAL} .picture img")).await?;
    visit.press_reload().await?;
    visit.wait_visible(&format!("{MODAL} .picture img")).await?;
    visit.open("/feed").await?;
    visit.wait_visible(&format!("{} .picture img", hook("post"))).await?;
    visit.open("/").await?;
    visit.wait_pictures(FIRST_PAGE).await?;

    visit.set_network(Network::Up);
    visit.wait_gone(&hook("offline-banner")).await
}

/// What the page holds is not fetched again for the worker.
fn require_fetched_once(visit: &Visit<'_>) -> Result<()> {
    let passages = visit.passages();
    let is_program = |target: &str| target.starts_with("/miniature-");
    for file in passages.iter().filter(|passage| is_program(&passage.target)) {
        let times = passages.iter().filter(|passage| passage.target == file.target).count();
        ensure!(times == 1, "{} was fetched {times} times", file.target);
    }
    Ok(())
}

/// A frontend that a journey replaces, and its server.
struct Deployment {
    server: Server,
    folder: tempfile::TempDir,
}

impl Deployment {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        copy_folder(&dist()?, folder.path())?;
        let path = folder.path().to_string_lossy().into_owned();
        let server = Server::from_environment_with(vec![("MINIATURE_DIST", path)]).await?;
        Ok(Self { server, folder })
    }

    /// Puts another version in its place: another page with another style, and nothing of the first.
    fn deploy(&self) -> Result<()> {
        let css = self.file_named("miniature-", ".css")?;
        let page = fs::read_to_string(self.folder.path().join("index.html"))?;
        let version = page.split_once("data-version=\"").and_then(|(_, rest)| rest.split_once('"'));
        let (version, _) = version.context("the page has no version")?;
        let changes =
            [(css.as_str(), css.replace(".css", "0.css")), (version, "2".repeat(version.len()))];
        for entry in fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".br") || name.ends_with(".gz") {
                fs::remove_file(&path)?;
            } else if name == css {
                fs::rename(&path, self.folder.path().join(&changes[0].1))?;
            } else if ["index.html", "sw.js"].contains(&name.as_str()) {
                let text = fs::read_to_string(&path)?;
                let replaced = changes.iter().fold(text, |text, (old, new)| text.replace(old, new));
                fs::write(&path, replaced)?;
            }
        }
        Ok(())
    }

    fn file_named(&self, start: &str, end: &str) -> Result<String> {
        let page = fs::read_to_string(self.folder.path().join("index.html"))?;
        let names = fs::read_dir(self.folder.path())?;
        let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names = names.filter(|name| name.starts_with(start) && name.ends_with(end));
        names.find(|name| page.contains(name.as_str())).context("the frontend has no such file")
    }
}

fn dist() -> Result<PathBuf> {
    Ok(Path::new(&env::var_os("MINIATURE_DIST").context("MINIATURE_DIST")?).to_owned())
}

/// Whether the page is of the new version.
const IS_NEW: &str = "
    return /^2+$/.test(document.querySelector('meta[name=miniature-worker]').dataset.version)";

async fn require_first(browser: &Visit<'_>) -> Result<()> {
    let is_new: bool = browser.eval(IS_NEW).await?;
    ensure!(!is_new, "the page is of the new version");
    Ok(())
}

/// A new version is installed beside the one in use: a tab of that one goes on through every page, a
/// banner offers the new one, and after its "Reload" the page is of the new one alone.
pub(super) async fn new_version(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    let site = Deployment::start().await?;
    let mut browser = visit.at(&site.server).await?;
    sign_in_with_worker(&mut browser).await?;
    site.deploy()?;

    browser.press_reload().await?;
    browser.wait_pictures(FIRST_PAGE).await?;
    require_first(&browser).await?;
    browser.wait_visible(HAS_BANNER).await?;
    let new = browser.open_tab("/friends").await?;
    let old = browser.switch_to(new).await?;
    browser.click(&hook("update-reload")).await?;
    browser.wait("the new version", IS_NEW).await?;
    browser.wait_pictures(FIRST_PAGE).await?;
    let style: String = browser.eval("return document.styleSheets[0].href").await?;
    ensure!(style.contains(&site.file_named("miniature-", ".css")?), "mixed: {style}");

    browser.switch_to(old).await?;
    for (link, sight) in [("/feed", hook("post")), ("/me", hook("name-input"))] {
        browser.click(&format!("a[href='{link}']")).await?;
        browser.wait_visible(&sight).await?;
    }
    browser.click("a[href='/friends']").await?;
    browser.wait_pictures(FIRST_PAGE).await?;
    require_first(&browser).await?;
    browser.wait_visible(HAS_BANNER).await?;
    browser.press_reload().await?;
    browser.wait("the new version", IS_NEW).await?;
    browser.require_clean().await?;
    browser.end().await;
    Ok(())
}

/// A file of a new version is missing: it is never installed, and the version in use goes on.
pub(super) async fn broken_version(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    let site = Deployment::start().await?;
    let mut browser = visit.at(&site.server).await?;
    sign_in_with_worker(&mut browser).await?;
    site.deploy()?;
    browser.set_faults(&[Fault { path: "/icon.svg", kind: FaultKind::Missing }]);

    browser.press_reload().await?;
    browser.wait_pictures(FIRST_PAGE).await?;
    let asks = |passages: &[Passage]| {
        passages.iter().any(|passage| passage.target == "/icon.svg" && passage.status == Some(404))
    };
    browser.wait_passages("the version that cannot be installed", asks).await?;
    browser.gate.quiet(Duration::from_secs(1)).await;
    browser.forgive().await?;
    browser.press_reload().await?;
    browser.wait_pictures(FIRST_PAGE).await?;
    require_first(&browser).await?;
    browser.wait_gone(HAS_BANNER).await?;
    browser.forgive().await?;

    browser.set_faults(&[]);
    browser.press_reload().await?;
    browser.wait_visible(HAS_BANNER).await?;
    browser.end().await;
    Ok(())
}

/// A worker that answers no message.
const HANGS: &str = "addEventListener('message', () => {}); addEventListener('fetch', () => {});";

/// The server switches it off; it answers nothing; it loses what it kept: pictures all the same.
pub(super) async fn ill(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_worker(Some(HANGS));
    visit.gate.set_script(WITH_WORKER);
    sign_in(visit).await?;
    let active = "navigator.serviceWorker.ready.then(() => arguments[arguments.length - 1](true))";
    until(visit, "the worker is there", active).await?;
    // It is registered anew once, and asked again at the latest by the page after that.
    visit.press_reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let asked = "return sessionStorage.getItem('miniature:v1:worker-renewed') !== null";
    visit.wait("the worker was asked", asked).await?;
    visit.press_reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    until(visit, "the worker that hangs is done without", IS_GONE).await?;
    visit.gate.set_worker(None);

    visit.open("/sign-in").await?;
    let server = Server::from_environment_with(Vec::new()).await?;
    let mut browser = visit.at(&server).await?;
    sign_in_with_worker(&mut browser).await?;
    let emptied = "
        const done = arguments[arguments.length - 1];
        (async () => {
            for (const name of await caches.keys()) await caches.delete(name);
            done(true);
        })()";
    until(&browser, "its caches are deleted", emptied).await?;
    browser.press_reload().await?;
    browser.wait_pictures(FIRST_PAGE).await?;

    server.restart_with("MINIATURE_SERVICE_WORKER", "false").await?;
    // While it was away.
    browser.forgive().await?;
    browser.press_reload().await?;
    browser.wait_pictures(FIRST_PAGE).await?;
    until(&browser, "the worker is gone", IS_GONE).await?;
    browser.press_reload().await?;
    browser.wait_pictures(FIRST_PAGE).await?;
    let told: bool =
        browser.eval("return !!document.querySelector('meta[name=miniature-worker]')").await?;
    ensure!(!told, "the page is told of a worker");
    browser.end().await;
    Ok(())
}

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
async fn walk(visit: &Visit<'_>, steps: &str) -> Result<()> {
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
        const age = async () => Date.now() - Date.parse((await (await cache()).match(large)).headers.get('date'));
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
pub(super) async fn pictures(visit: &mut Visit<'_>) -> Result<()> {
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
