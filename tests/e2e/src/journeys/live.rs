//! What someone changes is on the screen of their friends.

use super::{FIRST_PAGE, go_elsewhere, sign_in};
use crate::{
    gate::{Network, Passage},
    page::hook,
    visit::Visit,
};
use anyhow::{Context, Result, ensure};
use miniature_e2e::{complaints::now, engine::Engine, people::change_picture, server::Server};
use miniature_services::Redis;
use std::time::Duration;
use thirtyfour::WindowHandle;
use tokio::time::{Instant, sleep};

/// A friend of the demo account.
const FRIEND: &str = "grace";
/// So often the friend changes their picture.
const ROUNDS: u8 = 20;
/// In which a change is painted at the latest, and in the middle of all.
const WORST: f64 = 1_000.0;
const MEDIAN: f64 = 300.0;
/// In which another tab reads after the one that did was closed.
pub(super) const FOLLOWED: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(50);

/// Notes when each revision of the friend's picture was painted in this tab, by the machine's clock.
const WATCH: &str = "
    window.__painted = {};
    const list = document.querySelector('[data-testid=friend-list]');
    new MutationObserver(() => {
        const picture = list.querySelector('.picture[data-user-id=grace]');
        const revision = picture?.dataset.state === 'ready' && picture.dataset.revision;
        if (revision) window.__painted[revision] ??= performance.timeOrigin + performance.now();
    }).observe(list, { subtree: true, attributeFilter: ['data-revision', 'data-state'] });
    return true";

/// A friend changes their picture twenty times: each time it is painted in two tabs and in another
/// browser, by one request of each at most, and no frame lacks a picture.
pub(super) async fn two_tabs(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let first = visit.open_tab("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let mut elsewhere = visit.another().await?;
    sign_in(&mut elsewhere).await?;
    // One for each browser.
    streams(visit, 2, FOLLOWED).await?;
    elsewhere.eval::<bool>(WATCH).await?;
    visit.eval::<bool>(WATCH).await?;
    let mut other = visit.switch_to(first).await?;
    visit.eval::<bool>(WATCH).await?;
    for visit in [&*visit, &elsewhere] {
        visit.observe().await?;
    }

    let mut took = Vec::new();
    for round in 0..ROUNDS {
        let before = (visit.passages().len(), elsewhere.passages().len());
        let start = now();
        let revision =
            change_picture(visit.server().address(), FRIEND, [round * 12, 80, 160]).await?;
        let here = painted(visit, revision).await?;
        other = visit.switch_to(other).await?;
        let there = painted(visit, revision).await?;
        other = visit.switch_to(other).await?;
        let elsewhere_too = painted(&elsewhere, revision).await?;
        took.push(here.max(there).max(elsewhere_too) - start);
        for (passages, most) in
            [(&visit.passages()[before.0..], 2), (&elsewhere.passages()[before.1..], 1)]
        {
            let batches = passages.iter().filter(|passage| is_batch_of_friend(passage)).count();
            ensure!(batches <= most, "{batches} requests for one picture in {most} tabs");
        }
    }
    for visit in [&*visit, &elsewhere] {
        visit.require_no_gap().await?;
    }
    elsewhere.require_clean().await?;
    elsewhere.end().await;
    in_time(visit, took, MEDIAN, WORST)
}

/// Says how long it took, and fails if that is too long.
fn in_time(visit: &mut Visit<'_>, mut took: Vec<f64>, median: f64, worst: f64) -> Result<()> {
    took.sort_by(f64::total_cmp);
    let (middle, last) = (took[took.len() / 2], took[took.len() - 1]);
    visit.note(format!("painted everywhere: {middle:.0} ms in the median, {last:.0} at worst"));
    ensure!(middle < median && last < worst, "{took:?}");
    Ok(())
}

/// In which a change is painted that another instance of the server has taken, at the latest.
const WORST_OF_ANOTHER: f64 = 1_500.0;

/// Two instances of the server on one Redis, a browser at each: a change that either takes is painted at
/// both.
pub(super) async fn two_instances(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    let redis = Redis::start()?;
    let one = Server::from_environment_with(vec![("MINIATURE_REDIS_URL", redis.url())]).await?;
    let other = one.another().await?;
    let mut browsers = [visit.at(&one).await?, visit.at(&other).await?];
    for browser in &mut browsers {
        sign_in(browser).await?;
        one_stream(browser, FOLLOWED).await?;
        browser.eval::<bool>(WATCH).await?;
        browser.observe().await?;
    }

    let mut took = Vec::new();
    for round in 0..ROUNDS {
        let taken_by = if round % 2 == 0 { &one } else { &other };
        let start = now();
        let revision = change_picture(taken_by.address(), FRIEND, [round * 12, 160, 80]).await?;
        for browser in &browsers {
            took.push(painted(browser, revision).await? - start);
        }
    }
    for mut browser in browsers {
        browser.require_no_gap().await?;
        browser.require_clean().await?;
        browser.end().await;
    }
    in_time(visit, took, WORST_OF_ANOTHER, WORST_OF_ANOTHER)
}

async fn painted(visit: &Visit<'_>, revision: u32) -> Result<f64> {
    let is_there = format!("return window.__painted[{revision}] !== undefined");
    visit.wait(&format!("revision {revision}"), &is_there).await?;
    visit.eval(&format!("return window.__painted[{revision}]")).await
}

/// Waits until the server has one stream open, no longer than `patience`.
pub(super) async fn one_stream(visit: &Visit<'_>, patience: Duration) -> Result<()> {
    streams(visit, 1, patience).await
}

async fn streams(visit: &Visit<'_>, expected: u64, patience: Duration) -> Result<()> {
    let start = Instant::now();
    loop {
        let open = visit.server().counters().await?.streams();
        if open == expected {
            return Ok(());
        }
        ensure!(start.elapsed() < patience, "{open} streams are open, not {expected}");
        sleep(GLANCE).await;
    }
}

/// Eight tabs share one stream. The tab that reads it is closed while a friend changes their picture.
pub(super) async fn eight_tabs(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let reader = visit.open_tab("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    for _ in 0..6 {
        visit.open_tab("/friends").await?;
        visit.wait_pictures(FIRST_PAGE).await?;
    }
    one_stream(visit, FOLLOWED).await?;
    visit.gate.quiet(Duration::from_secs(1)).await;
    one_stream(visit, FOLLOWED).await?;

    let last = visit.switch_to(reader).await?;
    visit.close_tab(last).await?;
    let closed = Instant::now();
    let revision = change_picture(visit.server().address(), FRIEND, [200, 20, 20]).await?;
    // The stream of the tab that is gone may be counted until the server writes to it.
    visit.wait_for(FOLLOWED, "the picture that changed meanwhile", &shows(revision)).await?;
    visit.note(format!("followed within {} ms", closed.elapsed().as_millis()));
    one_stream(visit, FOLLOWED).await
}

fn shows(revision: u32) -> String {
    format!(
        "const picture = document.querySelector('.picture[data-user-id={FRIEND}]');
         return picture?.dataset.revision === '{revision}' && picture.dataset.state === 'ready'"
    )
}

/// The renderer of the tab that reads ends without a word while a friend changes their picture.
pub(super) async fn crashed(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    one_stream(visit, FOLLOWED).await?;
    if !visit.can_stop_tabs() {
        visit.note("not run: this browser ends no renderer on request".to_owned());
        return Ok(());
    }
    let reader = visit.open_tab("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let follower = visit.switch_to(reader).await?;

    visit.crash_tab(follower).await?;

    let revision = change_picture(visit.server().address(), FRIEND, [90, 20, 200]).await?;
    visit.wait_for(FOLLOWED, "the picture that changed meanwhile", &shows(revision)).await?;
    one_stream(visit, FOLLOWED).await
}

/// After which a visible tab takes the line of one that is frozen, and some.
const STOLEN: Duration = Duration::from_secs(60);

/// The tab that reads is frozen while a friend changes their picture.
pub(super) async fn frozen(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    one_stream(visit, FOLLOWED).await?;
    if !visit.can_stop_tabs() {
        visit.note("not run: this browser freezes no tab on request".to_owned());
        return Ok(());
    }
    let reader = visit.open_tab("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let follower = visit.switch_to(reader).await?;
    visit.freeze_tab().await?;
    visit.switch_to(follower).await?;
    let revision = change_picture(visit.server().address(), FRIEND, [200, 90, 20]).await?;
    let start = Instant::now();

    visit.wait_for(STOLEN, "the picture that changed meanwhile", &shows(revision)).await?;

    // The frozen tab does not close its own stream.
    visit.note(format!("taken over after {:.0} s", start.elapsed().as_secs_f32()));
    Ok(())
}

/// One goes to another page, a friend changes their picture, and one comes back: from the browser's page
/// cache where it keeps one.
pub(super) async fn back(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    if visit.engine() == Engine::WebKit {
        visit.note("not run: this driver answers nothing more once a page is back".to_owned());
        return Ok(());
    }
    one_stream(visit, FOLLOWED).await?;
    go_elsewhere(visit).await?;
    streams(visit, 0, FOLLOWED).await.context("on another page")?;
    let revision = change_picture(visit.server().address(), FRIEND, [20, 20, 90]).await?;

    visit.back().await?;

    visit.wait("the picture that changed meanwhile", &shows(revision)).await?;
    one_stream(visit, FOLLOWED).await
}

fn is_batch_of_friend(passage: &Passage) -> bool {
    passage.target.starts_with("/api/images/batch") && passage.target.contains(FRIEND)
}

/// How long it may take until all tabs are live again after a restart of the server.
const RECOVERED: Duration = Duration::from_secs(60);

/// A browser with so many tabs more than one, at a server.
async fn tabs_at<'a: 'b, 'b>(
    visit: &Visit<'a>,
    server: &'b Server,
    more: usize,
) -> Result<(Visit<'b>, Vec<WindowHandle>)> {
    let mut there = visit.at(server).await?;
    sign_in(&mut there).await?;
    let mut tabs = Vec::new();
    for _ in 0..more {
        tabs.push(there.open_tab("/friends").await?);
        there.wait_pictures(FIRST_PAGE).await?;
    }
    one_stream(&there, FOLLOWED).await?;
    Ok((there, tabs))
}

/// Waits until this tab and the others show a revision, by one stream.
async fn recovered(there: &mut Visit<'_>, tabs: Vec<WindowHandle>, revision: u32) -> Result<()> {
    for tab in tabs {
        there.wait_for(RECOVERED, "the picture in each tab", &shows(revision)).await?;
        there.switch_to(tab).await?;
    }
    there.wait_for(RECOVERED, "the picture in each tab", &shows(revision)).await?;
    one_stream(there, RECOVERED).await
}

/// The server is started again while three tabs are open: all are live again by themselves, by one
/// stream, and have heard what happened meanwhile.
pub(super) async fn restarted(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    let server = Server::from_environment().await?;
    let (mut there, tabs) = tabs_at(visit, &server, 2).await?;

    server.restart().await?;

    let revision = change_picture(server.address(), FRIEND, [20, 90, 200]).await?;
    recovered(&mut there, tabs, revision).await?;
    there.end().await;
    Ok(())
}

/// The line is cut while a friend changes their picture.
pub(super) async fn line_cut(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    one_stream(visit, FOLLOWED).await?;
    visit.set_network(Network::Down);
    streams(visit, 0, FOLLOWED).await?;
    let revision = change_picture(visit.server().address(), FRIEND, [20, 200, 20]).await?;
    visit.set_network(Network::Up);
    visit.wait("the picture that changed meanwhile", &shows(revision)).await?;
    one_stream(visit, FOLLOWED).await
}

/// The server has forgotten what happened while the network was away: every tab looks for itself.
pub(super) async fn too_old(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    let server = Server::from_environment().await?;
    let (mut there, tabs) = tabs_at(visit, &server, 1).await?;

    there.set_network(Network::Down);
    server.restart().await?;
    let revision = change_picture(server.address(), FRIEND, [90, 200, 20]).await?;
    there.set_network(Network::Up);

    recovered(&mut there, tabs, revision).await?;
    there.end().await;
    Ok(())
}

/// The line is open and dead, as after a sleep, while a friend changes their picture.
pub(super) async fn half_open(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    one_stream(visit, FOLLOWED).await?;
    visit.gate.silence_streams();
    let revision = change_picture(visit.server().address(), FRIEND, [20, 200, 90]).await?;
    let start = Instant::now();
    visit.wait_for(RECOVERED, "the picture that changed meanwhile", &shows(revision)).await?;
    visit.note(format!("noticed after {:.0} s", start.elapsed().as_secs_f32()));
    one_stream(visit, RECOVERED).await
}

/// Nobody listens for someone who has left.
pub(super) async fn signed_out(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    one_stream(visit, FOLLOWED).await?;
    visit.click(&hook("sign-out")).await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    streams(visit, 0, FOLLOWED).await.context("after the sign-out")
}
