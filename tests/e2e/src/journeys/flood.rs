//! Very many events.

use super::{
    live::{FOLLOWED, one_stream},
    sign_in,
};
use crate::visit::Visit;
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use tokio::time::interval;

/// How many events a second there are in a flood, and how many in all.
const FLOOD: [u32; 2] = [1_000, 3_000];
/// How many of them arrive together.
const WAVE: u32 = 10;
/// In which a click is answered in a flood, in milliseconds.
const ANSWERED: f64 = 500.0;
/// Between two frames in a flood: at most, and in the middle of all, in milliseconds.
const STILL: [f64; 2] = [500.0, 100.0];

/// A thousand events a second: frames go on, a click is answered, and what was said last is seen.
pub(super) async fn thousand_a_second(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    one_stream(visit, FOLLOWED).await?;
    let profile: serde_json::Value = visit.eval_async(PROFILE).await?;
    visit.eval::<bool>(TIME_FRAMES).await?;
    let [a_second, all] = FLOOD;
    let event = |number: u32| {
        let mut profile = profile.clone();
        profile["headline"] = format!("said {number}").into();
        format!("event: profile\ndata: {profile}\n\n")
    };
    let pour = async {
        let mut waves = interval(Duration::from_millis((1_000 * WAVE / a_second).into()));
        for first in (0..all).step_by(WAVE as usize) {
            waves.tick().await;
            visit.gate.pour((first..first + WAVE).map(event).collect());
        }
    };
    let click = async {
        visit.wait("the flood", &format!("{SAID} !== undefined")).await?;
        visit.eval_async::<f64>(CLICK).await
    };
    let ((), answered) = tokio::join!(pour, click);
    let answered = answered?;
    visit.wait("what was said last", &format!("{SAID} === 'said {}'", all - 1)).await?;

    let mut frames: Vec<f64> = visit.eval("return window.__frames").await?;
    frames.sort_by(f64::total_cmp);
    let longest = frames.last().copied().context("no frames")?;
    let middle = frames[frames.len() / 2];
    visit.note(format!(
        "{a_second} events a second: a click is answered after {answered:.0} ms; between frames {middle:.0} ms \
         in the median, {longest:.0} at most"
    ));
    ensure!(answered <= ANSWERED, "a click was answered after {answered:.0} ms");
    ensure!(longest <= STILL[0] && middle <= STILL[1], "{frames:?}");
    Ok(())
}

/// Calls back with the friend's profile.
const PROFILE: &str =
    "fetch('/api/users/grace').then((answer) => answer.json()).then(arguments[0])";
/// What the friend's row says of them, once it is of the flood.
const SAID: &str = "
    const row = document.querySelector('[data-testid=friend]:has([data-user-id=grace])');
    return row?.textContent.match(/said [0-9]+/)?.[0]";
/// Times all frames from now on.
const TIME_FRAMES: &str = "
    window.__frames = [];
    let before = performance.now();
    const frame = (now) => {
        window.__frames.push(now - before);
        before = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    return true";
/// Clicks a row, and calls back with the milliseconds until its profile is there.
const CLICK: &str = "
    const done = arguments[0];
    const start = performance.now();
    document.querySelector('[data-testid=friend]').click();
    const look = () => {
        const modal = document.querySelector('dialog[data-testid=profile-modal]');
        if (modal?.open) done(performance.now() - start);
        else requestAnimationFrame(look);
    };
    look()";
