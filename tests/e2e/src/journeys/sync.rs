//! What ends within a day is renewed: once a day by itself, once the network is back, and by hand.

use super::{FIRST_PAGE, worker::sign_in_with_worker, worker_pictures::walk};
use crate::{
    gate::{Network, Passage},
    page::hook,
    visit::Visit,
};
use anyhow::{Result, ensure};
use std::{collections::BTreeSet, time::Duration};

/// In which a page that has nothing to renew would have begun to.
const QUIET: Duration = Duration::from_secs(2);

/// Makes pictures, and the records of all but the one on `/me`, as old as if six and a half days had passed.
const AGES: &str = "
        const days = 86400e3;
        const end = (request) => new Promise((done, fail) => {
            request.onsuccess = () => done(request.result);
            request.onerror = fail;
        });
        const database = await end(indexedDB.open('miniature:ada'));
        const store = database.transaction('records', 'readwrite').objectStore('records');
        const names = (await end(store.getAllKeys())).filter((name) => name !== 'ada');
        for (const name of names) {
            const row = await end(store.get(name));
            const known = JSON.parse(row.known);
            known.checked_at = Date.now() - 6.5 * days;
            await end(store.put({ ...row, known: JSON.stringify(known) }, name));
        }
        database.close();
        const paths = await held();
        for (const path of paths) {
            const bytes = await (await (await cache()).match(path)).blob();
            await put(path, bytes, new Date(Date.now() - 6.5 * days).toUTCString());
        }
        sessionStorage.setItem('people', names.join());
        sessionStorage.setItem('pictures', paths.length);";

/// The last sync was two days ago.
const IS_DUE: &str = "localStorage.setItem('miniature:v1:ada:synced', String(Date.now() - 2 * 86400e3)); return true";
const IS_DONE: &str =
    "return Date.now() - Number(localStorage.getItem('miniature:v1:ada:synced')) < 60e3";
const PEOPLE: &str = "return sessionStorage.getItem('people').split(',')";
const PICTURES: &str = "return Number(sessionStorage.getItem('pictures'))";
/// No record and no picture is old.
const ARE_NEW: &str = "
        const end = (request) => new Promise((done) => { request.onsuccess = () => done(request.result) });
        const database = await end(indexedDB.open('miniature:ada'));
        const rows = await end(database.transaction('records').objectStore('records').getAll());
        database.close();
        const isOld = (time) => Date.now() - time > 3600e3;
        is('records are new', rows.length > 0 && !rows.some(({ known }) => isOld(JSON.parse(known).checked_at)));
        for (const path of await held()) {
            const { headers } = await (await cache()).match(path);
            is('pictures are new', !isOld(Date.parse(headers.get('date'))));
        }";
const SYNC: &str = "[data-action=sync]";
const BACK_ONLINE: &str = "dispatchEvent(new Event('online')); return true";
/// What the worker says when the browser has woken it, where the browser cannot be asked to.
const WOKEN: &str = "
    const data = { type: 'sync' };
    navigator.serviceWorker.dispatchEvent(new MessageEvent('message', { data }));
    return true";

/// Of whom a passage asks for records, but for the one on `/me`.
fn asked_in(passage: &Passage) -> Vec<&str> {
    let users = passage
        .target
        .split_once("/api/images/batch?")
        .and_then(|(_, query)| query.split('&').find_map(|part| part.strip_prefix("users=")));
    let users = users.map(|users| users.split([',', '%'])).into_iter().flatten();
    let users = users.filter_map(|user| user.trim_start_matches("2C").split(':').next());
    users.filter(|user| *user != "ada").collect()
}

/// What was asked for since the `first` passages: of whom, in how many requests, and how many pictures.
fn asked_since(passages: &[Passage], first: usize) -> (Vec<String>, usize, usize) {
    let since = passages.iter().skip(first);
    let batches: Vec<Vec<&str>> =
        since.clone().map(asked_in).filter(|users| !users.is_empty()).collect();
    let pictures = since.filter(|passage| passage.target.starts_with("/images/")).count();
    let users = batches.iter().flatten().map(|user| (*user).to_owned()).collect();
    (users, batches.len(), pictures)
}

/// Everybody was asked about once, fifty in a request, and each picture was asked for once.
async fn require_renewed(visit: &mut Visit<'_>, first: usize) -> Result<()> {
    let people: Vec<String> = visit.eval(PEOPLE).await?;
    let pictures: usize = visit.eval(PICTURES).await?;
    let (mut asked, requests, asked_pictures) = asked_since(&visit.passages(), first);
    let expected: BTreeSet<&String> = people.iter().collect();
    asked.sort();
    visit.note(format!("{} people in {requests} requests, {asked_pictures} pictures", asked.len()));
    ensure!(asked.iter().eq(expected), "{asked:?} were asked about, of {people:?}");
    ensure!(requests == people.len().div_ceil(50), "{requests} requests");
    ensure!(people.len() > 50 && pictures > 40, "{} people, {pictures} pictures", people.len());
    ensure!(asked_pictures == pictures, "{asked_pictures} of {pictures} pictures");
    walk(visit, ARE_NEW).await
}

/// A page of the account that shows nobody else, so that what is asked for is the sync's.
async fn open(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/me").await?;
    visit.wait_visible(&hook("name-input")).await
}

/// Six and a half days after a visit each record and picture is renewed once, and not again on that day.
pub(super) async fn renewed(visit: &mut Visit<'_>) -> Result<()> {
    visit_once(visit).await?;
    walk(visit, AGES).await?;
    visit.eval::<bool>(IS_DUE).await?;
    let (before, sent) = (visit.passages().len(), visit.counters().await?.renditions());
    open(visit).await?;
    visit.wait("the sync is noted", IS_DONE).await?;
    require_renewed(visit, before).await?;
    let pictures: u64 = visit.eval(PICTURES).await?;
    let sent = visit.counters().await?.renditions() - sent;
    // And the one on the page.
    ensure!(sent <= pictures + 1, "{sent} renditions were sent for {pictures} pictures");

    walk(visit, AGES).await?;
    let before = visit.passages().len();
    open(visit).await?;
    visit.gate.quiet(QUIET).await;
    let (asked, _, pictures) = asked_since(&visit.passages(), before);
    ensure!(asked.is_empty() && pictures == 0, "asked about {asked:?} on the same day");

    visit.click(&hook("cache-dashboard-toggle")).await?;
    visit.click(SYNC).await?;
    let (people, pictures): (Vec<String>, usize) =
        (visit.eval(PEOPLE).await?, visit.eval(PICTURES).await?);
    let said = format!("{} people and {pictures} pictures renewed.", people.len());
    let says = format!("return document.querySelector('.dashboard-said').textContent === '{said}'");
    visit.wait(&said, &says).await?;
    require_renewed(visit, before).await
}

/// Without a network nothing is renewed, nor noted; once it is back, all is. So it is when the worker is woken.
pub(super) async fn back_online(visit: &mut Visit<'_>) -> Result<()> {
    visit_once(visit).await?;
    walk(visit, AGES).await?;
    visit.eval::<bool>(IS_DUE).await?;
    visit.set_network(Network::Down);
    open(visit).await?;
    visit.wait_visible(&hook("offline-banner")).await?;
    let is_done: bool = visit.eval(IS_DONE).await?;
    ensure!(!is_done, "a sync without a network is noted");
    let before = visit.passages().len();
    visit.set_network(Network::Up);
    visit.eval::<bool>(BACK_ONLINE).await?;
    visit.wait("the sync is noted", IS_DONE).await?;
    require_renewed(visit, before).await?;

    walk(visit, AGES).await?;
    visit.eval::<bool>(IS_DUE).await?;
    let before = visit.passages().len();
    if !visit.wake_worker("miniature").await? {
        visit.eval::<bool>(WOKEN).await?;
    }
    visit.wait("the sync is noted", IS_DONE).await?;
    require_renewed(visit, before).await?;
    in_two_tabs(visit).await
}

/// Of two tabs that learn at the same moment that the network is back, one renews.
async fn in_two_tabs(visit: &mut Visit<'_>) -> Result<()> {
    let other = visit.open_tab("/me").await?;
    visit.wait_visible(&hook("name-input")).await?;
    walk(visit, AGES).await?;
    visit.eval::<bool>(IS_DUE).await?;
    let before = visit.passages().len();
    visit.eval::<bool>(BACK_ONLINE).await?;
    let first = visit.switch_to(other).await?;
    visit.eval::<bool>(BACK_ONLINE).await?;
    visit.wait("the sync is noted", IS_DONE).await?;
    visit.gate.quiet(QUIET).await;
    visit.switch_to(first).await?;
    require_renewed(visit, before).await
}

/// Sees the list with the worker, until all of it is stored.
async fn visit_once(visit: &mut Visit<'_>) -> Result<()> {
    sign_in_with_worker(visit).await?;
    visit.press_reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let stored = "
        await until('the page fills the cache', async () => await name() && (await held()).length >= 40);
        await until('the list is stored', async () => document.cookie.includes('miniature_list='));";
    walk(visit, stored).await?;
    visit.gate.quiet(QUIET).await;
    Ok(())
}
