//! One browser on its way through the app: what it does, and what it saw.

#![allow(
    clippy::missing_errors_doc,
    reason = "every step fails in the same ways: no answer from the browser, or no such sight in time"
)]

mod devtools;
mod evidence;
mod gestures;
mod processor;
mod tabs;

use crate::{
    complaints::{Line, Outage, is_network_failure, is_refusal, now},
    counters::Counters,
    engine::{Browser, Engine, Session, has_ended},
    gate::{Fault, Gate, Network, Passage},
    page,
    sampler::{Gap, Script, Seen},
    server::Server,
};
use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use std::time::Duration;
use thirtyfour::{By, WebElement};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(40);
/// Long enough for a background request to begin after what caused it.
const PAUSE: Duration = Duration::from_millis(800);

/// A browser without a past, behind a gate of its own.
#[derive(Debug)]
pub struct Visit<'a> {
    driver: Session,
    /// What stands between it and the server.
    pub gate: Gate,
    server: &'a Server,
    browser: &'a Browser,
    notes: Vec<String>,
    /// When the journey had requests fail.
    outages: Vec<Outage>,
    /// The report says where this one stood when the journey failed.
    is_main: bool,
}

impl<'a> Visit<'a> {
    /// Opens a browser and a gate.
    ///
    /// # Errors
    ///
    /// If either does not open.
    pub async fn begin(browser: &'a Browser, server: &'a Server) -> Result<Self> {
        let gate = Gate::open(server.address()).await?;
        let driver = browser.open().await.context("the browser does not start")?;
        let (notes, outages) = (Vec::new(), Vec::new());
        Ok(Self { driver, gate, server, browser, notes, outages, is_main: true })
    }

    /// What renders the pages.
    pub fn engine(&self) -> Engine {
        self.browser.engine()
    }

    /// Says something that belongs into the report: a measure, a step that this engine cannot do.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Another browser without a past, behind a gate of its own: another person's.
    pub async fn another(&self) -> Result<Visit<'a>> {
        self.at(self.server).await
    }

    /// Another browser without a past, behind a gate of its own, in front of another server.
    pub async fn at<'b>(&self, server: &'b Server) -> Result<Visit<'b>>
    where
        'a: 'b,
    {
        Ok(Visit { is_main: false, ..Visit::begin(self.browser, server).await? })
    }

    /// Starts again in a browser without a past, behind the same gate.
    pub async fn start_afresh(&mut self) -> Result<()> {
        self.start_afresh_with(0).await
    }

    /// The same, in a browser that sets no type in fewer CSS pixels than `type_at_least`.
    pub async fn start_afresh_with(&mut self, type_at_least: u32) -> Result<()> {
        self.require_clean().await?;
        let browser = self.browser.open_with(type_at_least).await?;
        let old = std::mem::replace(&mut self.driver, browser);
        old.close().await;
        Ok(())
    }

    /// Ends the browser's process and starts it again with what it has stored.
    pub async fn restart(&mut self) -> Result<()> {
        self.require_clean().await?;
        self.browser.restart(&mut self.driver).await
    }

    /// Runs a script before each page from now on, whoever serves it.
    pub async fn inject(&mut self, script: String) -> Result<()> {
        self.driver.inject(script).await
    }

    /// Opens a path, as typed into the address bar.
    pub async fn open(&mut self, path: &str) -> Result<()> {
        self.driver.goto(self.gate.url(path)).await?;
        Ok(())
    }

    /// Loads the page again; what the page saw until then must be clean.
    pub async fn reload(&mut self) -> Result<()> {
        self.require_clean().await?;
        self.driver.refresh().await?;
        Ok(())
    }

    /// Loads the page again as a person does. Firefox's driver goes past caches and the service worker.
    pub async fn press_reload(&mut self) -> Result<()> {
        self.require_clean().await?;
        self.eval::<bool>(
            "window.__isOld = true; setTimeout(() => location.reload()); return true",
        )
        .await?;
        let is_new = "return !window.__isOld && document.readyState === 'complete'";
        self.wait("the page, loaded again", is_new).await
    }

    /// Loads the page again, with another script before the app.
    pub async fn reload_with(&mut self, script: Script) -> Result<()> {
        self.gate.set_script(script);
        self.reload().await
    }

    /// Goes one step back in the history.
    pub async fn back(&mut self) -> Result<()> {
        Ok(self.driver.back().await?)
    }

    /// The path of the address.
    pub async fn path(&self) -> Result<String> {
        Ok(self.driver.current_url().await?.path().to_owned())
    }

    /// Takes the network away, or gives it back. Requests that fail until then are no fault.
    pub fn set_network(&mut self, network: Network) {
        self.gate.set_network(network);
        self.note_outage(network == Network::Down);
    }

    /// Has requests fail from now on; none of them if `faults` is empty. What fails until then is no
    /// fault of the page.
    pub fn set_faults(&mut self, faults: &[Fault]) {
        self.gate.set_faults(faults);
        self.note_outage(!faults.is_empty());
    }

    fn note_outage(&mut self, begins: bool) {
        if let Some(last) = self.outages.last_mut() {
            last.until.get_or_insert_with(now);
        }
        if begins {
            self.outages.push(Outage { from: now(), until: None });
        }
    }

    /// Makes the window this large, in CSS pixels, its frame included.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.driver.set_window_rect(0, 0, width, height).await?;
        Ok(())
    }

    /// The names of all cookies of the page that hold something, those included that no script can
    /// read.
    pub async fn cookie_names(&self) -> Result<Vec<String>> {
        let cookies = self.driver.get_all_cookies().await?;
        // Firefox goes on listing a removed cookie for some time: empty, expired, and never sent.
        let held = cookies.into_iter().filter(|cookie| !cookie.value.is_empty());
        Ok(held.map(|cookie| cookie.name).collect())
    }

    /// Runs a script in the page and returns what it returns.
    pub async fn eval<T: DeserializeOwned>(&self, script: &str) -> Result<T> {
        let answer = self.driver.execute(script, Vec::new()).await?;
        Ok(answer.convert()?)
    }

    /// Runs a script that calls back.
    pub async fn eval_async<T: DeserializeOwned>(&self, script: &str) -> Result<T> {
        let answer = self.driver.execute_async(script, Vec::new()).await?;
        Ok(answer.convert()?)
    }

    /// Waits until the script returns true. A page that is being replaced is asked again.
    pub async fn wait(&self, what: &str, script: &str) -> Result<()> {
        self.wait_for(PATIENCE, what, script).await
    }

    /// The same, for as long as `patience`.
    pub async fn wait_for(&self, patience: Duration, what: &str, script: &str) -> Result<()> {
        let start = Instant::now();
        loop {
            let is_late = start.elapsed() >= patience;
            match self.eval::<bool>(script).await {
                Ok(true) => return Ok(()),
                Ok(false) if is_late => return Err(self.in_vain(patience, what).await),
                Err(error) if is_late || has_ended(&error) => {
                    return Err(error.context(format!("waited in vain: {what}")));
                }
                Ok(false) | Err(_) => sleep(GLANCE).await,
            }
        }
    }

    /// Waits until the element is there and takes up room.
    pub async fn wait_visible(&self, selector: &str) -> Result<()> {
        self.wait(&format!("{selector} is visible"), &page::is_visible(selector)).await
    }

    /// Waits until the element is gone, or takes up no room.
    pub async fn wait_gone(&self, selector: &str) -> Result<()> {
        self.wait(&format!("{selector} is gone"), &page::is_gone(selector)).await
    }

    /// Waits until that many rows of the friend list are complete.
    pub async fn wait_pictures(&self, rows: u32) -> Result<()> {
        let what = format!("{rows} rows with their pictures");
        self.wait(&what, &format!("{} >= {rows}", page::COMPLETE_ROWS)).await
    }

    /// The element, once it can be clicked.
    pub async fn find(&self, selector: &str) -> Result<WebElement> {
        let what = format!("{selector} can be clicked");
        self.wait(&what, &page::is_clickable(selector)).await?;
        Ok(self.driver.find(By::Css(selector.to_owned())).await?)
    }

    /// Goes one step forward in the history.
    pub async fn forward(&mut self) -> Result<()> {
        Ok(self.driver.forward().await?)
    }

    /// What the page has seen since it was loaded, or since [`Visit::observe`].
    pub async fn seen(&self) -> Result<Seen> {
        self.eval("return window.__seen").await.context("the sampler does not answer")
    }

    /// Begins the observation anew, within the same document.
    pub async fn observe(&self) -> Result<()> {
        self.eval::<serde_json::Value>("return window.__observe() && null").await.map(drop)
    }

    /// Ends the observation, so that a page that is only kept open takes no processor time.
    pub async fn rest(&self) -> Result<()> {
        self.eval::<serde_json::Value>("window.__rest(); return null").await.map(drop)
    }

    /// The layers that the pictures of the list came from.
    pub async fn sources(&self) -> Result<Vec<String>> {
        self.eval(page::SOURCES).await
    }

    /// The layers that the pictures in view came from.
    pub async fn sources_in_view(&self) -> Result<Vec<String>> {
        self.eval(page::SOURCES_IN_VIEW).await
    }

    /// What the server counted since `before`, once the network is quiet.
    pub async fn counted_since(&self, before: &Counters) -> Result<Counters> {
        self.gate.quiet(PAUSE).await;
        Ok(self.server.counters().await?.since(before))
    }

    /// What the server has counted, once the network is quiet.
    pub async fn counters(&self) -> Result<Counters> {
        self.gate.quiet(PAUSE).await;
        self.server.counters().await
    }

    /// The server itself, without the gate.
    pub fn server(&self) -> &Server {
        self.server
    }

    /// What has passed the gate.
    pub fn passages(&self) -> Vec<Passage> {
        self.gate.passages()
    }

    /// Waits until what has passed the gate fulfils a condition.
    pub async fn wait_passages(
        &self,
        what: &str,
        is_there: impl Fn(&[Passage]) -> bool,
    ) -> Result<()> {
        let start = Instant::now();
        while !is_there(&self.passages()) {
            ensure!(start.elapsed() < PATIENCE, "waited in vain: {what}");
            sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Fails if a judged frame showed a row without its picture, or none was judged.
    pub async fn require_no_gap(&self) -> Result<()> {
        self.wait("a frame with the friend list", "return window.__seen.judged > 0").await?;
        let seen = self.seen().await?;
        ensure!(seen.gaps.is_empty(), "{}", describe_gaps(&seen.gaps, seen.judged));
        Ok(())
    }

    /// Fails if the page had a panic, a console error or a violation of its policy.
    pub async fn require_clean(&mut self) -> Result<()> {
        let seen = self.seen().await?;
        let mut lines = self.console_lines().await?;
        lines.extend(seen.problems.into_iter().map(|problem| Line {
            text: format!("{}: {}", problem.kind, problem.text),
            at: problem.at,
        }));
        lines.retain(|line| !(is_refusal(&line.text) || self.is_of_an_outage(line)));
        let texts: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        ensure!(texts.is_empty(), "the page had problems: {}", texts.join(" | "));
        Ok(())
    }

    /// Takes what the page complained about so far for what it must be.
    pub async fn forgive(&mut self) -> Result<()> {
        self.console_lines().await?;
        self.eval::<bool>("window.__seen.problems.length = 0; return true").await.map(drop)
    }

    fn is_of_an_outage(&self, line: &Line) -> bool {
        is_network_failure(&line.text) && self.outages.iter().any(|outage| outage.covers(line.at))
    }

    /// What the browser itself wrote to its console; only ChromeDriver can tell.
    async fn console_lines(&self) -> Result<Vec<Line>> {
        if self.engine() != Engine::Chromium {
            return Ok(Vec::new());
        }
        let log = self.driver.browser_log().await?;
        let severe = log.into_iter().filter(|entry| entry.level == "SEVERE");
        Ok(severe
            .map(|entry| Line {
                text: format!("console: {}", entry.message),
                at: Duration::from_millis(entry.timestamp.try_into().unwrap_or_default())
                    .as_secs_f64()
                    * 1000.0,
            })
            .collect())
    }

    /// Closes the browser and hands back the notes.
    pub async fn end(self) -> Vec<String> {
        self.driver.close().await;
        self.notes
    }
}

fn describe_gaps(gaps: &[Gap], judged: u32) -> String {
    let mut frames: Vec<f64> = gaps.iter().map(|gap| gap.at).collect();
    frames.dedup();
    let first: Vec<String> = gaps
        .iter()
        .take(3)
        .map(|gap| format!("{} ({}) at {:.0} ms", gap.user, gap.why, gap.at))
        .collect();
    format!("{} of {judged} frames had a gap; first: {}", frames.len(), first.join("; "))
}
