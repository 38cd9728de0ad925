//! One session at a time, however late, lost or foreign an answer is.

use super::{
    FIRST_PAGE,
    account::{SOMEONE_ELSE, belongs_to_ada, require_ended, require_erased, stored},
    go_elsewhere, own_page, sign_in, sign_in_by_api,
};
use crate::{
    gate::{Delays, Fault, FaultKind, Network, Passage},
    page::hook,
    sampler::Script,
    visit::Visit,
};
use anyhow::{Result, ensure};
use std::time::Duration;
use tokio::time::Instant;

const SESSION: &str = "/api/session";
const SIGN_IN: &str = ".sign-in-form";
/// Longer than a page takes to ask for what it shows.
const MOMENT: Duration = Duration::from_secs(3);

/// Calls back with the names of the friends in view of who is signed in.
const FRIEND_NAMES: &str = "
    const names = document.querySelectorAll('[data-testid=friend]');
    return [...names].map((row) => row.textContent)";

/// Another port of this host signs someone else in: the cookies are shared, the storages are not.
/// With `GET /api/session` slow, nothing of theirs is kept under the first name.
pub(super) async fn port(visit: &mut Visit<'_>) -> Result<()> {
    // So that there is more to ask for.
    visit.gate.set_script(Script::NOTHING_AHEAD);
    sign_in(visit).await?;
    let kept = "return localStorage.getItem('miniature:v1:ada:page:friends') !== null";
    visit.wait("the list of ada, kept", kept).await?;
    let first: Vec<String> = visit.eval(FRIEND_NAMES).await?;
    let (name, password) = SOMEONE_ELSE;
    ensure!(sign_in_by_api(visit, name, password).await? == 200, "{name} cannot sign in");
    visit.set_faults(&[Fault { path: SESSION, kind: FaultKind::Late(4_000) }]);
    let kept = page_of_ada(visit).await?;

    // The open page asks for more, and gets hers.
    let before = visit.passages().len();
    let more = "document.scrollingElement.scrollTo(0, 1e6); return true";
    visit.wait("the end of the page", more).await?;
    require_never_kept(visit, &kept, before).await?;
    visit.wait_visible(&hook("friend")).await?;
    let second: Vec<String> = visit.eval(FRIEND_NAMES).await?;
    ensure!(first != second, "it is still the list of ada");
    require_erased(visit, belongs_to_ada).await?;

    // So does a page that knows her, whose first frame cannot know.
    ensure!(sign_in_by_api(visit, "ada", "miniature").await? == 200, "ada cannot sign in");
    let before = visit.passages().len();
    visit.reload().await?;
    visit.wait("a page", "return document.querySelector('p') !== null").await?;
    let rows: Vec<String> = visit.eval(FRIEND_NAMES).await?;
    ensure!(rows.is_empty(), "a list is shown, and nobody knows whose it is");
    visit.wait_passages("who is signed in", |passages| was_told(&passages[before..])).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    ensure!(first == visit.eval::<Vec<String>>(FRIEND_NAMES).await?, "it is not the list of ada");
    Ok(())
}

/// Looks at what is kept under the name of ada until the page has been told who is signed in.
async fn require_never_kept(visit: &Visit<'_>, kept: &Option<String>, before: usize) -> Result<()> {
    let start = Instant::now();
    while !was_told(&visit.passages()[before..]) {
        ensure!(start.elapsed() < MOMENT * 10, "the page never asks whose list it got");
        let now = page_of_ada(visit).await?;
        ensure!(now.is_none() || now == *kept, "her friends are kept under the name of ada");
    }
    Ok(())
}

fn was_told(passages: &[Passage]) -> bool {
    passages.iter().any(|passage| passage.target == SESSION && passage.status == Some(200))
}

/// What LocalStorage keeps of ada's list.
async fn page_of_ada(visit: &Visit<'_>) -> Result<Option<String>> {
    visit.eval("return localStorage.getItem('miniature:v1:ada:page:friends')").await
}

/// Signed out without a network. With it back, the page asks for nothing but the end of the session,
/// and shows and stores nothing.
pub(super) async fn offline(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.set_network(Network::Down);
    visit.click(&hook("sign-out")).await?;
    visit.wait_visible(SIGN_IN).await?;
    let marker: String = visit.eval("return document.cookie").await?;
    ensure!(!marker.contains("miniature_account"), "the marker is still there: {marker}");
    let before = visit.passages().len();

    visit.set_network(Network::Up);
    visit.open("/friends").await?;
    visit.wait_visible(SIGN_IN).await?;
    ensure!(visit.path().await? == "/sign-in", "{}", visit.path().await?);
    require_ended(visit).await?;
    visit.gate.quiet(MOMENT).await;

    let passages = visit.passages();
    let asked = passages[before..].iter().filter(|p| is_of_account(p));
    let asked: Vec<&str> = asked.map(|passage| passage.target.as_str()).collect();
    ensure!(asked.is_empty(), "asked for in the name of who has left: {asked:?}");
    require_erased(visit, |_| true).await
}

/// What only an account may have. The question whether the session has ended is the journey's own.
fn is_of_account(passage: &Passage) -> bool {
    passage.target.starts_with("/api/") && passage.target != SESSION
        || passage.target.starts_with("/images/")
}

/// Signed out without a network, then signed in again: the sign-out that is still owed ends nothing.
pub(super) async fn in_again(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.set_network(Network::Down);
    visit.click(&hook("sign-out")).await?;
    visit.wait_visible(SIGN_IN).await?;
    visit.set_network(Network::Up);
    sign_in_by_form(visit, ("ada", "miniature")).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    // The pauses after failures are over, too.
    visit.gate.quiet(MOMENT * 3).await;
    visit.reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.gate.quiet(MOMENT).await;
    ensure!(visit.path().await? == "/friends", "thrown out: {}", visit.path().await?);
    Ok(())
}

/// What an earlier session asked for is answered after a sign-out, and after a sign-in.
pub(super) async fn late_answers(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.set_delays(Delays { api: MOMENT, ..Delays::default() });
    visit.reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    // It has asked who is signed in, and is told that it is ada.
    visit.click(&hook("sign-out")).await?;
    visit.wait_visible(SIGN_IN).await?;
    visit.gate.quiet(MOMENT).await;
    ensure!(visit.path().await? == "/sign-in", "signed in again: {}", visit.path().await?);
    require_erased(visit, |_| true).await?;

    sign_in_by_form(visit, SOMEONE_ELSE).await?;
    visit.gate.set_delays(Delays::default());
    visit.wait_visible(&hook("friend")).await?;
    visit.gate.quiet(MOMENT).await;
    ensure!(visit.path().await? == "/friends", "thrown out: {}", visit.path().await?);
    require_erased(visit, belongs_to_ada).await
}

pub(super) async fn sign_in_by_form(
    visit: &Visit<'_>,
    (name, password): (&str, &str),
) -> Result<()> {
    visit.type_into("input[name=username]", name).await?;
    visit.type_into("input[name=password]", password).await?;
    visit.press(thirtyfour::Key::Enter).await
}

/// Two tabs of one browser have one session.
pub(super) async fn two_tabs(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let first = visit.open_tab("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.click(&hook("sign-out")).await?;
    visit.wait_visible(SIGN_IN).await?;

    let second = visit.switch_to(first).await?;
    visit.wait_visible(SIGN_IN).await?;
    let says = "return document.querySelector('.farewell').textContent";
    let says: String = visit.eval(says).await?;
    ensure!(says.contains("another tab"), "{says}");
    require_erased(visit, |_| true).await?;

    sign_in_by_form(visit, SOMEONE_ELSE).await?;
    visit.wait_visible(&hook("friend")).await?;
    visit.switch_to(second).await?;
    visit.wait_visible(&hook("friend")).await?;
    visit.gate.quiet(MOMENT).await;
    require_erased(visit, belongs_to_ada).await
}

/// The keys of a user called `accounts` begin like the one that all tabs watch.
pub(super) async fn like_the_key(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.set_page(own_page(""));
    let first = visit.open_tab("/__page").await?;
    let write = "localStorage.setItem('miniature:v1:accounts:picture:x', 'y');
         localStorage.removeItem('miniature:v1:accounts:picture:x'); return true";
    visit.wait("a change of storage", write).await?;
    let second = visit.switch_to(first).await?;
    visit.gate.quiet(MOMENT).await;
    visit.wait_pictures(FIRST_PAGE).await?;
    ensure!(visit.path().await? == "/friends", "signed out: {}", visit.path().await?);
    visit.switch_to(second).await.map(drop)
}

/// A gateway stands before the server for a while and asks who is there.
pub(super) async fn gateway(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    for asks in [false, true] {
        let (before, asked) = (stored(visit).await?, visit.passages().len());
        visit.set_faults(&[Fault { path: "/api/", kind: FaultKind::Gateway { asks } }]);
        // Past the lifetime of what is held: everything is asked about.
        visit.eval::<bool>("window.__pass(3600e3); window.__setHidden(true); return true").await?;
        visit.eval::<bool>("window.__setHidden(false); return true").await?;
        visit
            .wait_passages("requests that the gateway answers", |passages| {
                let refused =
                    passages[asked..].iter().filter(|passage| passage.status == Some(401));
                refused.count() >= 2
            })
            .await?;
        visit.wait_visible(&hook("offline-banner")).await?;
        visit.wait_pictures(FIRST_PAGE).await?;
        let after = stored(visit).await?;
        ensure!(after.len() >= before.len(), "{} of {} are left", after.len(), before.len());

        visit.set_faults(&[]);
        visit.wait_gone(&hook("offline-banner")).await?;
        visit.wait_pictures(FIRST_PAGE).await?;
    }
    Ok(())
}

/// The browser keeps no cookie: the right words are no wrong password, and no session that ended.
pub(super) async fn no_cookies(visit: &mut Visit<'_>) -> Result<()> {
    visit.set_faults(&[Fault { path: SESSION, kind: FaultKind::NoCookies }]);
    visit.open("/sign-in").await?;
    visit.click(&hook("demo-sign-in")).await?;
    let says = "const alert = document.querySelector('[role=alert]');
         return !!alert && alert.textContent.includes('cookies')";
    visit.wait("a sentence about cookies", says).await?;
    ensure!(visit.path().await? == "/sign-in", "{}", visit.path().await?);

    visit.set_faults(&[]);
    visit.click(&hook("demo-sign-in")).await?;
    visit.wait_pictures(FIRST_PAGE).await
}

/// The page sleeps in the browser's page cache while its session ends.
pub(super) async fn page_cache(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.gate.quiet(MOMENT).await;
    let note = "window.addEventListener('pageshow', (event) => {
             window.__cached = event.persisted;
             window.__rows = document.body.hidden ? 0 : document.querySelectorAll('[data-testid=friend]').length;
         }); return true";
    visit.eval::<bool>(note).await?;
    go_elsewhere(visit).await?;
    let status: u16 = visit
        .eval_async(
            "const done = arguments[arguments.length - 1];
             document.cookie = 'miniature_account=; path=/; max-age=0';
             fetch('/api/session', { method: 'DELETE' }).then((answer) => done(answer.status), () => done(0))",
        )
        .await?;
    ensure!(status == 204, "signing out answered {status}");

    visit.back().await?;
    visit.wait_visible(SIGN_IN).await?;
    let cached: Option<bool> = visit.eval("return window.__cached ?? null").await?;
    if cached == Some(true) {
        let rows: u32 = visit.eval("return window.__rows").await?;
        ensure!(rows == 0, "{rows} rows were to be seen before the session was compared");
    } else {
        visit.note("not run from the page cache: this browser loaded the page anew".to_owned());
    }
    require_erased(visit, |_| true).await
}
