//! One of what is compared: a browser in front of its server, and the steps of a round.

use crate::{
    rival::Rival,
    scenario::{Measure, Outcome, Sample, Scenario},
};
use anyhow::{Context, Result};
use miniature_e2e::{
    engine::{Browser, Engine},
    gate::{Delays, Network, Passage},
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
/// How long a page without a network may take. What is stored is there in a fraction of it.
const OFFLINE_PATIENCE: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_hours(24);
/// Later entries into the list, and later openings of the modal, per round. The round counts their median.
const REPEATS: usize = 3;
/// Index of the row to open. Visible, but not the first, which a frontend may preload.
const ROW: usize = 3;
const MODAL: &str = "dialog[data-testid=profile-modal]";
const AT_THE_LIST: &str = "return location.pathname === '/friends'";

/// Loads the pictures of the list anew into the HTTP cache.
const RENEW_PICTURES: &str = "
    const done = arguments[arguments.length - 1];
    const pictures = [...document.querySelectorAll('[data-testid=friend-list] img')];
    const load = ({ src }) => fetch(src, { cache: 'reload' }).then((answer) => answer.blob());
    Promise.all(pictures.map(load)).then(() => done(null))";
const WORKER_IS_READY: &str = "
    const done = arguments[arguments.length - 1];
    navigator.serviceWorker.ready.then(() => done(null))";

/// A browser, signed in to one build.
#[derive(Debug)]
pub(crate) struct Side<'a> {
    visit: Visit<'a>,
    /// None for a build of the app.
    rival: Option<Rival>,
    /// Whether the dashboard's panel is to stand beside the list.
    panel: bool,
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
    pub(crate) async fn open(
        browser: &'a Browser,
        server: &'a Server,
        rival: Option<Rival>,
    ) -> Result<Self> {
        let visit = Visit::begin(browser, server).await?;
        let mut side = Self { visit, rival, panel: false };
        side.set_clock(Duration::ZERO).await?;
        sign_in_without_the_app(&mut side.visit).await?;
        side.visit.gate.set_delays(Delays::DISTANT);
        Ok(side)
    }

    /// Has the tab remember that the dashboard's panel is open.
    ///
    /// # Errors
    ///
    /// If the page does not answer.
    pub(crate) async fn open_panel(&mut self) -> Result<()> {
        let remember = "sessionStorage.setItem('miniature:v1:dashboard', 'true'); return true";
        self.panel = self.visit.eval(remember).await?;
        Ok(())
    }

    /// Has sampler and stopwatch run in each page from now on, with its clock moved ahead.
    async fn set_clock(&mut self, ahead: Duration) -> Result<()> {
        let script = Script { clock_ahead: ahead, ..Script::default() };
        if self.visit.engine() == Engine::Chromium {
            self.visit.gate.leave_pages_alone();
            return self.visit.inject(script.source() + STOPWATCH).await;
        }
        self.visit.gate.set_script(script);
        self.visit.gate.add_to_script(STOPWATCH);
        Ok(())
    }

    /// Closes the browser.
    pub(crate) async fn close(self) {
        self.visit.end().await;
    }

    /// Runs a scenario. All but [`Scenario::Cold`] assume an earlier visit. Nothing comes of one that this
    /// browser cannot have.
    ///
    /// # Errors
    ///
    /// If the page does not finish in time or reports a problem. A screenshot and a log are then in the
    /// folder for temporary files.
    pub(crate) async fn walk(&mut self, scenario: Scenario) -> Result<Vec<Outcome>> {
        if !scenario.is_possible_in(self.visit.engine()) {
            return Ok(Vec::new());
        }
        let outcomes = self.try_walk(scenario).await;
        if outcomes.is_err() {
            self.visit.leave_evidence(&env::temp_dir().join("miniature-bench-page")).await;
        }
        outcomes.with_context(|| format!("{scenario:?}"))
    }

    async fn try_walk(&mut self, scenario: Scenario) -> Result<Vec<Outcome>> {
        let samples = match scenario {
            Scenario::Cold => vec![self.visit_first().await?],
            Scenario::Reload => vec![self.reload(Measure::Reload).await?],
            Scenario::List => self.enter_list().await?,
            Scenario::Modal => self.open_modal().await?,
            Scenario::Restart => vec![self.restart().await?],
            Scenario::Offline => return Ok(vec![self.reload_offline().await?]),
            Scenario::NextDay => vec![self.reload_next_day().await?],
        };
        Ok(samples.into_iter().map(Outcome::Painted).collect())
    }

    /// A second visit follows, uncounted, if without it the side would not have stored everything.
    async fn visit_first(&mut self) -> Result<Sample> {
        let sample = self.open_list(Measure::Cold).await?;
        if self.rival.is_some_and(Rival::needs_a_second_visit) {
            self.visit.eval_async::<()>(WORKER_IS_READY).await?;
            self.reload(Measure::Reload).await?;
        }
        Ok(sample)
    }

    async fn restart(&mut self) -> Result<Sample> {
        self.visit.restart().await?;
        self.set_clock(Duration::ZERO).await?;
        self.open_list(Measure::Restart).await
    }

    async fn reload_offline(&mut self) -> Result<Outcome> {
        // Looks while the network is there, so that what follows can fail for its absence only.
        self.visit.require_clean().await?;
        let before = self.passed();
        self.visit.set_network(Network::Down);
        let ms = self.arrives_offline().await?;
        let outcome = match ms {
            Some(ms) => Outcome::Painted(self.sample(Measure::Offline, ms, before, PAUSE).await?),
            None => Outcome::Fails(Measure::Offline),
        };
        self.visit.set_network(Network::Up);
        self.open_list(Measure::Reload).await?;
        self.visit.forgive().await?;
        Ok(outcome)
    }

    /// When all pictures are painted; none if the page does not come, or without them.
    async fn arrives_offline(&mut self) -> Result<Option<f64>> {
        if self.visit.reload().await.is_err() {
            return Ok(None);
        }
        let patience = OFFLINE_PATIENCE.as_millis();
        let script = format!(
            "const done = arguments[arguments.length - 1];
             setTimeout(() => done(null), {patience});
             window.__stopwatch?.loaded.then(done)"
        );
        self.visit.eval_async(&script).await
    }

    /// What an HTTP cache holds ages only by the machine's clock, which is not ours to set: the pictures are
    /// loaded once more, past their lifetime.
    async fn reload_next_day(&mut self) -> Result<Sample> {
        let ages = self.rival.is_some_and(Rival::lives_by_the_http_cache);
        if ages {
            self.visit.gate.age_pictures(true);
            self.visit.eval_async::<()>(RENEW_PICTURES).await?;
            self.quiet(PAUSE).await?;
        }
        self.set_clock(DAY).await?;
        let sample = self.reload(Measure::NextDay).await?;
        self.visit.gate.age_pictures(false);
        Ok(sample)
    }

    async fn open_list(&mut self, measure: Measure) -> Result<Sample> {
        let before = self.passed();
        self.visit.open("/friends").await?;
        self.loaded(measure, before).await
    }

    async fn reload(&mut self, measure: Measure) -> Result<Sample> {
        let before = self.passed();
        self.load_again().await?;
        self.loaded(measure, before).await
    }

    /// A reload by Firefox's driver passes by the HTTP cache and the service worker, as no person's does:
    /// there the address is opened once more.
    async fn load_again(&mut self) -> Result<()> {
        if self.visit.engine() != Engine::Firefox {
            return self.visit.reload().await;
        }
        self.visit.require_clean().await?;
        self.visit.open("/friends").await
    }

    async fn loaded(&self, measure: Measure, before: usize) -> Result<Sample> {
        let ms = self.ask("loaded").await?;
        // A new window has forgotten it.
        if self.panel && measure != Measure::Restart {
            self.visit.wait_visible(&hook("cache-dashboard")).await?;
        }
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
