//! Nothing crosses accounts.

use super::{FIRST_PAGE, MODAL, ROW, sign_in, sign_in_by_api};
use crate::{gate::Network, page, page::hook, visit::Visit};
use anyhow::{Result, bail, ensure};
use miniature_e2e::engine::Engine;
use serde::Deserialize;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, sleep};

/// Another person of the demo, and the password that all of them share.
pub(super) const SOMEONE_ELSE: (&str, &str) = ("grace", "miniature");

/// How long an erasure may take.
const ERASURE: Duration = Duration::from_secs(5);

/// How long Firefox may list a database that is empty and to be deleted. Of one that a document was
/// opening when it was left it says after 12 s that it is gone.
const DELETION: Duration = Duration::from_secs(30);

const GLANCE: Duration = Duration::from_millis(200);

/// What a look into every storage came to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored {
    Found(Vec<String>),
    Error(String),
}

/// After sign-out no storage holds anything of the account.
pub(super) async fn signed_out(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let held = stored(visit).await?;
    ensure!(held.iter().any(|line| line.contains("ada")), "nothing was stored at all: {held:?}");

    visit.click(&hook("sign-out")).await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;

    require_erased(visit, |_| true).await?;
    require_ended(visit).await
}

/// With the network away, the browser's HTTP cache gives back nothing that the app had asked for. A picture
/// that a plain `<img>` would load is kept: without it, nothing would be shown here.
pub(super) async fn http_cache(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.reload().await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.click(ROW).await?;
    visit.wait_visible(&format!("{MODAL} .picture img")).await?;
    let asked = visit.passages();
    let of_account = |target: &&str| target.starts_with("/api/") || target.starts_with("/images/");
    let asked = asked.iter().filter(|passage| passage.method == "GET");
    let asked: BTreeSet<&str> = asked.map(|p| p.target.as_str()).filter(of_account).collect();
    ensure!(!asked.is_empty(), "the app asked for nothing");
    let plain: String = visit.eval_async(LOAD_PLAIN).await?;
    visit.press(thirtyfour::Key::Escape).await?;
    visit.click(&hook("sign-out")).await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    require_ended(visit).await?;

    visit.set_network(Network::Down);
    let targets: Vec<&str> = asked.into_iter().chain([plain.as_str()]).collect();
    let kept: Vec<String> = visit.eval_async(&kept_of(&targets)?).await?;
    visit.set_network(Network::Up);
    let expected: &[&str] = match visit.engine() {
        Engine::WebKit => {
            visit.note("a session of WebKitWebDriver keeps not even the plain picture".to_owned());
            &[]
        }
        Engine::Chromium | Engine::Firefox => &[plain.as_str()],
    };
    ensure!(kept == expected, "of {targets:?} the HTTP cache keeps {kept:?}");
    Ok(())
}

/// Loads a friend's picture past the app; calls back with its path.
const LOAD_PLAIN: &str = "
    const done = arguments[arguments.length - 1];
    (async () => {
        const { friends } = await (await fetch('/api/friends', { cache: 'no-store' })).json();
        const { picture } = friends.find(({ picture }) => picture.image_id);
        const path = `/images/${picture.image_id}?size=64`;
        await (await fetch(path)).arrayBuffer();
        return path;
    })().then(done, (error) => done(String(error)))";

/// Calls back with those of the paths that are answered from the HTTP cache alone.
fn kept_of(targets: &[&str]) -> Result<String> {
    let targets = serde_json::to_string(targets)?;
    Ok(format!(
        "const done = arguments[arguments.length - 1];
         const ask = async (path) => {{
             const answer = await fetch(path, {{ cache: 'force-cache' }});
             return answer.ok ? path : null;
         }};
         Promise.all({targets}.map((path) => ask(path).catch(() => null)))
             .then((kept) => done(kept.filter((path) => path !== null)))"
    ))
}

/// Someone else signs in on the same page without a sign-out: nothing of the first is left.
pub(super) async fn someone_else(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let first: Vec<String> = visit.eval(page::LISTED).await?;
    let status = sign_in_by_api(visit, SOMEONE_ELSE.0, SOMEONE_ELSE.1).await?;
    ensure!(status == 200, "the sign-in of {} answered {status}", SOMEONE_ELSE.0);

    visit.reload().await?;
    visit
        .wait(
            "a list that is not the first one's",
            &format!("{}.join() !== {:?}", page::LISTED.trim_end(), first.join(",")),
        )
        .await?;
    visit.wait_visible(&hook("friend")).await?;

    // What is under way must be dropped when it arrives, not stored.
    visit.gate.quiet(Duration::from_millis(800)).await;
    require_erased(visit, belongs_to_ada).await
}

/// Keys and names carry the account; a friend called ada is someone else's friend.
pub(super) fn belongs_to_ada(line: &str) -> bool {
    let is_cookie =
        line.starts_with("Cookie ") && line.split(['=', '.', ';']).any(|part| part == "ada");
    is_cookie || line.contains("miniature:v1:ada:") || line.contains("IndexedDB miniature:ada")
}

/// By keyboard alone: the right words lead to the list.
pub(super) async fn by_form(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    visit.type_into("input[name=username]", "ada").await?;
    visit.type_into("input[name=password]", "miniature").await?;
    visit.press(thirtyfour::Key::Enter).await?;

    visit.wait_visible(&hook("friend-list")).await?;
    visit.wait_pictures(FIRST_PAGE).await
}

/// The session ends elsewhere: the next request brings the sign-in page, not an error.
pub(super) async fn signed_out_elsewhere(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let status: u16 = visit
        .eval_async(
            "const done = arguments[arguments.length - 1];
             fetch('/api/session', { method: 'DELETE' }).then((answer) => done(answer.status))",
        )
        .await?;
    ensure!(status == 204, "signing out answered {status}");

    visit.reload().await?;

    visit.wait_visible(&hook("demo-sign-in")).await?;
    visit.click(&hook("demo-sign-in")).await?;
    visit.wait_pictures(FIRST_PAGE).await
}

/// Waits until the server has ended the session. Its token is dead then, and the only cookie.
pub(super) async fn require_ended(visit: &Visit<'_>) -> Result<()> {
    let ask = "const done = arguments[arguments.length - 1];
         fetch('/api/session').then((answer) => done(answer.status), () => done(0))";
    let start = Instant::now();
    while visit.eval_async::<u16>(ask).await? != 401 {
        ensure!(start.elapsed() < ERASURE, "the session lives on at the server");
    }
    let mut cookies = visit.cookie_names().await?;
    cookies.retain(|name| name != "miniature_session");
    ensure!(cookies.is_empty(), "cookies are left behind: {cookies:?}");
    Ok(())
}

/// Waits until no storage holds such a line; a database takes a moment to go.
pub(super) async fn require_erased(
    visit: &Visit<'_>,
    is_theirs: impl Fn(&str) -> bool,
) -> Result<()> {
    let start = Instant::now();
    loop {
        let mut left = stored(visit).await?;
        left.retain(|line| is_theirs(line));
        if left.is_empty() {
            return Ok(());
        }
        let is_name = |line: &String| line.starts_with("IndexedDB ");
        let patience = match visit.engine() {
            Engine::Firefox if left.iter().all(is_name) => DELETION,
            _ => ERASURE,
        };
        ensure!(start.elapsed() < patience, "left behind: {left:?}");
        sleep(GLANCE).await;
    }
}

pub(super) async fn stored(visit: &Visit<'_>) -> Result<Vec<String>> {
    match visit.eval_async(page::STORED).await? {
        Stored::Found(lines) => Ok(lines),
        Stored::Error(error) => bail!("cannot look into the storages: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_friend_called_ada_is_not_the_account() {
        let cases = [
            ("LocalStorage miniature:v1:ada:picture:grace={}", true),
            ("IndexedDB miniature:ada", true),
            ("Cookie miniature_account=ada.0123abcd", true),
            ("Cookie miniature_account=grace.0123abcd", false),
            ("SessionStorage miniature:v1:ada:position=7", true),
            ("LocalStorage miniature:v1:grace:picture:ada={}", false),
        ];
        for (line, expected) in cases {
            assert_eq!(belongs_to_ada(line), expected, "{line}");
        }
    }
}
