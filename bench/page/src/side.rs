//! One of the two builds: a browser in front of its server, and the steps of a round.

use crate::scenario::{Measure, Sample, Scenario};
use anyhow::{Context, Result};
use miniature_e2e::{
    engine::Browser,
    gate::{Delays, Passage},
    page::hook,
    sampler::Script,
    server::Server,
    sign_in::sign_in_without_the_app,
    visit::Visit,
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{env, iter, time::Duration};
use thirtyfour::Key;
use tokio::time::timeout;

const STOPWATCH: &str = include_str!("stopwatch.js");

/// How long the network stays silent before a step has settled. The page stores its data and starts its
/// idle work within it.
const PAUSE: Duration = Duration::from_millis(800);
/// The same for a step whose background work is not measured.
const SHORT_PAUSE: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_hours(24);
/// Later entries into the list, and later openings of the modal, per round. The round counts their median.
const REPEATS: usize = 3;
/// Index of the row to open. Visible, but not the first, which a frontend may preload.
const ROW: usize = 3;
const MODAL: &str = "dialog[data-testid=profile-modal]";
const AT_THE_LIST: &str = "return location.pathname === '/friends'";

/// A browser, signed in to one build.
#[derive(Debug)]
pub(crate) struct Side<'a> {
    visit: Visit<'a>,
}

/// What `stopwatch.modal` returns.
#[derive(Debug, Deserialize)]
struct Opened {
    /// Until any rendition of the picture is painted, in milliseconds.
    any: f64,
    /// Until a sharp rendition is painted, in milliseconds.
    sharp: f64,
    /// Frames in which the modal had no picture.
    gap_frames: u32,
}

impl<'a> Side<'a> {
    /// Opens a browser with an empty profile, signs in without loading the app, and turns delays on.
    ///
    /// # Errors
    ///
    /// If the browser does not start or the sign-in fails.
    pub(crate) async fn open(browser: &'a Browser, server: &'a Server) -> Result<Self> {
        let mut visit = Visit::begin(browser, server).await?;
        visit.gate.leave_pages_alone();
        visit.inject(script(Duration::ZERO)).await?;
        sign_in_without_the_app(&mut visit).await?;
        visit.gate.set_delays(Delays::DISTANT);
        Ok(Self { visit })
    }

    /// Closes the browser.
    pub(crate) async fn close(self) {
        self.visit.end().await;
    }

    /// Runs a scenario. All but [`Scenario::Cold`] assume an earlier visit.
    ///
    /// # Errors
    ///
    /// If the page does not finish in time or reports a problem. A screenshot and a log are then in the
    /// folder for temporary files.
    pub(crate) async fn walk(&mut self, scenario: Scenario) -> Result<Vec<Sample>> {
        let samples = self.try_walk(scenario).await;
        if samples.is_err() {
            self.visit.leave_evidence(&env::temp_dir().join("miniature-bench-page")).await;
        }
        samples.with_context(|| format!("{scenario:?}"))
    }

    async fn try_walk(&mut self, scenario: Scenario) -> Result<Vec<Sample>> {
        match scenario {
            Scenario::Cold => Ok(vec![self.open_list(Measure::Cold).await?]),
            Scenario::Reload => Ok(vec![self.reload(Measure::Reload).await?]),
            Scenario::List => self.enter_list().await,
            Scenario::Modal => self.open_modal().await,
            Scenario::Restart => {
                self.visit.restart().await?;
                self.visit.inject(script(Duration::ZERO)).await?;
                Ok(vec![self.open_list(Measure::Restart).await?])
            }
            Scenario::NextDay => {
                self.visit.inject(script(DAY)).await?;
                Ok(vec![self.reload(Measure::NextDay).await?])
            }
        }
    }

    async fn open_list(&mut self, measure: Measure) -> Result<Sample> {
        let before = self.passed();
        self.visit.open("/friends").await?;
        self.loaded(measure, before).await
    }

    async fn reload(&mut self, measure: Measure) -> Result<Sample> {
        let before = self.passed();
        self.visit.reload().await?;
        self.loaded(measure, before).await
    }

    async fn loaded(&self, measure: Measure, before: usize) -> Result<Sample> {
        let ms = self.ask("loaded").await?;
        self.sample(measure, ms, before, PAUSE).await
    }

    /// Leaves and enters the list by links, in a fresh document.
    async fn enter_list(&mut self) -> Result<Vec<Sample>> {
        let mut samples = vec![self.reload(Measure::Reload).await?];
        for measure in first_and_later(Measure::ListFirst, Measure::ListLater) {
            self.visit.click("a[href='/me']").await?;
            self.visit.wait_gone(&hook("friend-list")).await?;
            self.quiet(SHORT_PAUSE).await?;
            let before = self.passed();
            let ms = self.ask("list(\"nav a[href='/friends']\")").await?;
            samples.push(self.sample(measure, ms, before, SHORT_PAUSE).await?);
        }
        self.quiet(PAUSE).await?;
        Ok(samples)
    }

    /// Opens the modal of one row repeatedly, in a fresh document.
    async fn open_modal(&mut self) -> Result<Vec<Sample>> {
        let mut samples = vec![self.reload(Measure::Reload).await?];
        let first = (Measure::ModalFirst, Measure::ModalFirstSharp);
        let later = (Measure::ModalLater, Measure::ModalLaterSharp);
        for (any, sharp) in first_and_later(first, later) {
            let before = self.passed();
            let opened: Opened = self.ask(&format!("modal({ROW})")).await?;
            // The first opening starts background loads, which count as its traffic.
            let pause = if any == Measure::ModalFirst { PAUSE } else { SHORT_PAUSE };
            let sample = self.sample(any, opened.any, before, pause).await?;
            let gap_frames = sample.gap_frames.max(opened.gap_frames);
            let sample = Sample { gap_frames, ..sample };
            samples.extend([sample, Sample { measure: sharp, ms: opened.sharp, ..sample }]);
            self.close_modal().await?;
        }
        self.quiet(PAUSE).await?;
        Ok(samples)
    }

    async fn close_modal(&self) -> Result<()> {
        self.visit.press(Key::Escape).await?;
        self.visit.wait_gone(MODAL).await?;
        // The history steps back only now, and would close a modal opened before.
        self.visit.wait("the address of the list", AT_THE_LIST).await?;
        self.quiet(SHORT_PAUSE).await
    }

    /// Awaits a promise of `window.__stopwatch`.
    async fn ask<T: DeserializeOwned>(&self, promise: &str) -> Result<T> {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             Promise.resolve(window.__stopwatch.{promise}).then(done)"
        );
        self.visit.eval_async(&script).await.with_context(|| format!("stopwatch.{promise}"))
    }

    /// Number of requests so far.
    fn passed(&self) -> usize {
        self.visit.passages().len()
    }

    async fn quiet(&self, pause: Duration) -> Result<()> {
        let quiet = self.visit.gate.quiet(pause);
        timeout(PATIENCE, quiet).await.context("the page keeps sending requests")
    }

    async fn sample(
        &self,
        measure: Measure,
        ms: f64,
        before: usize,
        pause: Duration,
    ) -> Result<Sample> {
        self.quiet(pause).await?;
        let gap_frames = self.visit.seen().await?.gap_frames;
        self.visit.rest().await?;
        let passages = self.visit.passages();
        let asked = || passages.iter().skip(before).filter(|passage| is_counted(passage));
        let bytes = asked().map(|passage| passage.bytes).sum();
        Ok(Sample { measure, ms, gap_frames, requests: asked().count(), bytes })
    }
}

fn first_and_later<T: Clone>(first: T, later: T) -> impl Iterator<Item = T> {
    iter::once(first).chain(iter::repeat_n(later, REPEATS))
}

/// Whether the request is for data, not for the app's files.
fn is_counted(passage: &Passage) -> bool {
    ["/api/", "/images/"].iter().any(|path| passage.target.starts_with(path))
}

/// Sampler and stopwatch, with the page's clock moved ahead.
fn script(clock_ahead: Duration) -> String {
    Script { clock_ahead, ..Script::default() }.source() + STOPWATCH
}
