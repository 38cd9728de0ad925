//! What the dashboard advises gains as much when it is done.

use super::{
    FIRST_PAGE, FRIENDS,
    lab::{HAS_MONITOR, QUIET, TOGGLE},
    scroll::scrolled_to,
    sign_in,
};
use crate::{page::hook, visit::Visit};
use anyhow::{Context, Result, ensure};
use miniature::cache::{
    key::Source,
    metrics::Metrics,
    replay::{Hollow, Recording, verify},
    what_if::{Advised, Forecast, Trial},
};
use miniature_e2e::engine::Engine;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Far too little, so that there is something to gain.
const SMALL: [(&str, u64); 8] = [
    ("memory_users", 20),
    ("memory_trim_to", 10),
    ("local_storage_users", 10),
    ("local_storage_trim_to", 10),
    ("indexed_db_entries", 24),
    ("indexed_db_trim_to", 24),
    ("picture_cache_pictures", 4),
    ("picture_cache_trim_to", 4),
];
/// How far the stated gain may be off: of itself, or in points of the hit rate.
const OFF: (f64, f64) = (0.1, 0.5);

/// How often the session is played under the policy that is advised.
const ATTEMPTS: u32 = 2;

type Settings = BTreeMap<String, u64>;

/// What somebody does.
#[derive(Clone, Copy, Debug)]
enum Session {
    /// The list, and a look at another page.
    Short,
    /// All of a list, and back to its top.
    LongList,
    ManyReloads,
}

/// A session is recorded under a policy that is too small, and played again under the policy that is advised then.
pub(super) async fn gains(visit: &mut Visit<'_>) -> Result<()> {
    // Each takes 20 s.
    let session = match visit.engine() {
        Engine::Chromium => Session::LongList,
        Engine::Firefox => Session::Short,
        Engine::WebKit => Session::ManyReloads,
    };
    let small: Settings = SMALL.map(|(name, number)| (name.to_owned(), number)).into();
    let before = play(visit, session, &small).await?;
    let (exported, advised): (Value, Advised) = visit.eval_async(ADVISE).await?;
    native_says_the_same(visit, exported, &advised)?;
    let is_near = |one: u64, other: u64| one.abs_diff(other) * 100 <= before.requests;
    ensure!(
        is_near(advised.now.requests, before.requests) && is_near(advised.now.hits, before.hits),
        "{before:?} was counted, {:?} is forecast",
        advised.now
    );
    let best = advised.advice.first().with_context(|| format!("no advice: {before:?}"))?;
    is_shown(visit, &advised).await?;

    let mut settings = small;
    settings.extend(best.changes.iter().map(|change| (change.name.to_string(), change.to)));
    let points = |forecast: &Forecast| forecast.hit_rate() * 100.0;
    let stated = points(&best.then) - points(&before);
    let allowed = (stated * OFF.0).abs().max(OFF.1);
    // A busy machine may reload a page before it has stored what came.
    for attempt in 1..=ATTEMPTS {
        visit.start_afresh().await?;
        let after = play(visit, session, &settings).await?;
        let gained = points(&after) - points(&before);
        visit.note(format!(
            "{session:?}: {:.1} % of {} hits; {stated:.1} points stated, {gained:.1} gained by {:?}",
            points(&before),
            before.requests,
            best.changes.iter().map(|change| &*change.name).collect::<Vec<_>>()
        ));
        if (stated - gained).abs() <= allowed {
            return Ok(());
        }
        ensure!(attempt < ATTEMPTS, "{stated:.1} points stated, {gained:.1} gained");
    }
    Ok(())
}

/// Plays the session in a tab that records under these settings, from the first load with them on. What was stored
/// under others goes first.
async fn play(visit: &mut Visit<'_>, session: Session, settings: &Settings) -> Result<Forecast> {
    sign_in(visit).await?;
    visit.gate.quiet(QUIET).await;
    let record = format!("window.cacheMonitor.record({}); return true", json!(settings));
    visit.eval::<bool>(&record).await?;
    let mut counted = Forecast::default();
    let loads = if matches!(session, Session::ManyReloads) { 5 } else { 3 };
    for nth in 0..loads {
        visit.reload().await?;
        visit.wait_pictures(FIRST_PAGE).await?;
        match session {
            _ if nth == 0 => {
                visit.wait("the monitor", HAS_MONITOR).await?;
                visit.wait("pictures, and no more of them", SETTLED).await?;
                visit.eval::<bool>("window.cacheMonitor.clear(); return true").await?;
            }
            Session::LongList if nth > 1 => {
                visit.wait("the end of the list", &scrolled_to(FRIENDS)).await?;
                visit.gate.quiet(QUIET).await;
                visit.eval::<bool>("scrollTo(0, 0); return true").await?;
                visit
                    .wait(
                        "the top of the list",
                        "return !!document.querySelector('[aria-posinset=\"1\"]')",
                    )
                    .await?;
            }
            Session::Short if nth > 1 => {
                visit.click("a[href='/feed']").await?;
                visit.wait_visible(&hook("feed")).await?;
                visit.gate.quiet(QUIET).await;
                visit.click("a[href='/friends']").await?;
                visit.wait_pictures(FIRST_PAGE).await?;
            }
            Session::Short | Session::LongList | Session::ManyReloads => {}
        }
        visit.gate.quiet(QUIET).await;
        visit.wait("the monitor", HAS_MONITOR).await?;
        visit.wait("pictures, and no more of them", SETTLED).await?;
        let metrics: Metrics = visit.eval("return window.cacheMonitor.getMetrics()").await?;
        let near = Source::ALL.into_iter().filter(|layer| *layer != Source::Network);
        counted.requests += metrics.total_requests;
        counted.hits += near.map(|layer| metrics.layers[layer].hits).sum::<u64>();
    }
    Ok(counted)
}

/// Whether nothing was counted while it was asked a few times.
const SETTLED: &str = "
    const { total_requests } = window.cacheMonitor.getMetrics();
    window.__same = window.__counted === total_requests ? window.__same + 1 : 0;
    window.__counted = total_requests;
    return window.__same > 10";

const ADVISE: &str = "
    const done = arguments[arguments.length - 1];
    const exported = JSON.parse(window.cacheMonitor.export(true));
    window.cacheMonitor.advise().then((advised) => done([exported, advised]), (error) => done(String(error)))";

/// Outside of the browser comes the same, and the recording replays.
fn native_says_the_same(visit: &mut Visit<'_>, exported: Value, advised: &Advised) -> Result<()> {
    let metrics: Metrics = serde_json::from_value(exported.clone())?;
    let recordings = exported.get("recordings").context("nothing was recorded")?;
    let session: Vec<Recording> = serde_json::from_value(recordings.clone())?;
    let last = session.last().context("no document was recorded")?;
    let differs = verify(last, &metrics);
    ensure!(differs.is_empty(), "{}", differs.join("; "));
    let calls: usize = session.iter().map(|recording| recording.calls.len()).sum();
    visit.note(format!(
        "{} documents, {calls} calls, {} bytes of JSON",
        session.len(),
        recordings.to_string().len()
    ));
    let mut trial = Trial::<Hollow>::new(session);
    while trial.step() {}
    // By a text, as the browser's came: the last digit of a fraction is lost on the way.
    let native: Advised = serde_json::from_str(&serde_json::to_string(&trial.advised())?)?;
    ensure!(native == *advised, "{native:?}\n{advised:?}");
    Ok(())
}

/// The dashboard shows the advice, with its gain.
async fn is_shown(visit: &mut Visit<'_>, advised: &Advised) -> Result<()> {
    visit.click(&hook(TOGGLE)).await?;
    visit.click("[data-action=advise]").await?;
    let rows = format!(
        "return document.querySelectorAll('[data-advice=settings][data-gain]').length === {}",
        advised.advice.len()
    );
    visit.wait("the advice", &rows).await?;
    // Other tabs have the same worker, and not these settings.
    let says = "return document.body.textContent.includes('There is a new version')";
    ensure!(!visit.eval::<bool>(says).await?, "a policy that is tried out is no new version");
    let first = &advised.advice[0];
    let gain: String =
        visit.eval("return document.querySelector('[data-gain]').dataset.gain").await?;
    let gain: f64 = gain.parse()?;
    ensure!((gain - first.points(&advised.now)).abs() < 1e-5, "{gain} is shown for {first:?}");
    Ok(())
}
