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
pub(super) async fn sign_in_with_worker(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(WITH_WORKER);
    sign_in(visit).await?;
    until(visit, "the worker is installed", IS_INSTALLED).await
}

/// Waits until a script calls back with true.
pub(super) async fn until(visit: &Visit<'_>, what: &str, script: &str) -> Result<()> {
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
