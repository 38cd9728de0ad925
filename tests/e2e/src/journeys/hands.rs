//! The page in ordinary hands.

use super::{FIRST_PAGE, MODAL, ROW, sessions::sign_in_by_form, sign_in};
use crate::{
    gate::{Fault, FaultKind, Network},
    page::hook,
    visit::Visit,
};
use anyhow::{Result, ensure};
use miniature_e2e::engine::Engine;
use thirtyfour::Key;

const PICTURE: &str = "[data-testid=friend] .picture:has(img)";
const ME: &str = ".shell-nav a[href='/me']";
const FRIENDS: &str = ".shell-nav a[href='/friends']";

/// Whether heading, dialog and address name the same place.
const AGREES: &str = "
    const path = location.pathname;
    const title = document.querySelector('main h1')?.textContent;
    const open = !!document.querySelector('dialog[data-testid=profile-modal][open]');
    const list = !!document.querySelector('[data-testid=friend-list]');
    if (path === '/me') return title === 'Me' && !open && !list;
    if (path === '/friends') return title === 'Friends' && !open && list;
    return path.startsWith('/friends/') && title === 'Friends' && open && list";

/// What someone does.
#[derive(Clone, Copy, Debug)]
enum Gesture {
    Click(&'static str),
    Back,
    Forward,
    Escape,
}

/// After each of ten gestures the address, the page and the dialog are where they belong.
pub(super) async fn mixed(visit: &mut Visit<'_>) -> Result<()> {
    use Gesture::{Back, Click, Escape, Forward};
    sign_in(visit).await?;
    let walk = [
        (Click(ME), "/me"),
        (Back, "/friends"),
        (Forward, "/me"),
        (Click(FRIENDS), "/friends"),
        (Click(ROW), "/friends/"),
        (Escape, "/friends"),
        (Click(ROW), "/friends/"),
        (Back, "/friends"),
        (Back, "/me"),
        (Forward, "/friends"),
    ];
    for (gesture, expected) in walk {
        match gesture {
            Click(selector) => visit.click(selector).await?,
            Back => visit.back().await?,
            Forward => visit.forward().await?,
            Escape => visit.press(Key::Escape).await?,
        }
        visit.wait(&format!("page and address agree after {gesture:?}"), AGREES).await?;
        let path = visit.path().await?;
        let is_there = match expected.ends_with('/') {
            true => path.starts_with(expected),
            false => path == expected,
        };
        ensure!(is_there, "{gesture:?} led to {path}");
    }
    Ok(())
}

/// The second click of a double click falls on what the first one opened; a selection of text begins
/// inside and ends outside. Neither closes the profile, and a click beside it does.
pub(super) async fn double_click(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.double_click(PICTURE).await?;
    visit.wait_visible(MODAL).await?;
    visit.drag_from(&format!("{MODAL} .profile-name"), (0, 260)).await?;
    visit.gate.quiet(std::time::Duration::from_millis(500)).await;
    visit.wait("the profile is open", AGREES).await?;
    ensure!(visit.path().await? != "/friends", "the profile was closed");

    visit.click_at(8, 8).await?;
    visit.wait_gone(MODAL).await
}

/// A page that one must sign in for is there after the sign-in; after a sign-out by hand it is not.
pub(super) async fn wanted(visit: &mut Visit<'_>) -> Result<()> {
    for (path, shows) in [("/me", ".me"), ("/friends/grace", MODAL)] {
        visit.open(path).await?;
        visit.wait_visible(".sign-in-form").await?;
        ensure!(visit.path().await? == "/sign-in", "{}", visit.path().await?);
        visit.reload().await?;
        sign_in_by_form(visit, ("ada ", "miniature")).await?;
        visit.wait_visible(shows).await?;
        ensure!(visit.path().await? == path, "{path} led to {}", visit.path().await?);
        if path == "/friends/grace" {
            visit.press(Key::Escape).await?;
            visit.wait_gone(MODAL).await?;
            visit.click(ME).await?;
        }
        visit.click(&hook("sign-out")).await?;
        visit.wait_visible(".sign-in-form").await?;
    }
    sign_in_by_form(visit, ("ada", "miniature")).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    ensure!(visit.path().await? == "/friends", "one who left comes back to the list");
    Ok(())
}

const SESSION: &str = "/api/session";

/// Wrong words, too many tries, words the server does not take, a server that is away, and two presses
/// of one button.
pub(super) async fn refused(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    sign_in_by_form(visit, ("ada", "wrong")).await?;
    visit.wait("wrong words are said to be", &says("don’t match")).await?;

    for (status, retry_after, words) in [
        (429, Some(7), "Wait 7 seconds"),
        (429, None, "Wait a little"),
        (422, None, "The gate refuses."),
    ] {
        let kind = FaultKind::Refused { status, retry_after };
        visit.set_faults(&[Fault { path: SESSION, kind }]);
        visit.press(Key::Enter).await?;
        visit.wait(&format!("{words:?} after a {status}"), &says(words)).await?;
    }
    visit.set_faults(&[Fault { path: SESSION, kind: FaultKind::Unavailable(1) }]);
    visit.press(Key::Enter).await?;
    visit.wait("a server in trouble is said to be", &says("has a problem")).await?;
    visit.set_faults(&[]);
    visit.set_network(Network::Down);
    visit.press(Key::Enter).await?;
    visit.wait("no server is said to be none", &says("can’t be reached")).await?;
    visit.set_network(Network::Up);

    visit.set_faults(&[Fault { path: SESSION, kind: FaultKind::Late(1_000) }]);
    let before = visit.passages().len();
    visit.eval::<bool>("document.querySelector('[name=password]').value = ''; return true").await?;
    visit.type_into("input[name=password]", "miniature").await?;
    visit.press(Key::Enter).await?;
    visit.press(Key::Enter).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let tries = visit.passages()[before..].iter().filter(|p| p.method == "POST").count();
    ensure!(tries == 1, "one press of the button, twice, made {tries} tries");
    visit.set_faults(&[]);
    Ok(())
}

fn says(text: &str) -> String {
    format!("return !!document.querySelector('[role=alert]')?.textContent.includes({text:?})")
}

/// Moved to a screen with twice the pixels, or zoomed: the pictures in view are renewed.
pub(super) async fn denser(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.wait("a dense screen", "window.__setPixelRatio(2); return true").await?;
    let sharp = "const images = [...document.querySelectorAll('[data-testid=friend] .picture img')];
         return images.length > 0 && images.slice(0, 5).every((image) => image.naturalWidth >= 128)";
    visit.wait("pictures of 128 px", sharp).await
}

/// Type of twice the size, as the page's size and as the browser's least.
pub(super) async fn large_type(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let large = "document.documentElement.style.fontSize = '200%';
         dispatchEvent(new Event('resize')); return true";
    visit.wait("large type", large).await?;
    require_high_rows(visit).await?;

    if visit.engine() == Engine::WebKit {
        visit.note("not run with a least size of type: this browser has none".to_owned());
        return Ok(());
    }
    visit.start_afresh_with(32).await?;
    visit.resize(420, 800).await?;
    visit.open("/sign-in").await?;
    visit.click(&hook("demo-sign-in")).await?;
    // Rows twice as high as usual: fewer are near enough to hold their pictures.
    visit.wait_pictures(20).await?;
    let beside: i32 = visit
        .eval("return document.scrollingElement.scrollWidth - document.documentElement.clientWidth")
        .await?;
    ensure!(beside <= 0, "the page is {beside} px too wide");
    require_high_rows(visit).await
}

/// Rows are twice as high as usual, their text fits in, and the list's arithmetic leads to its end.
async fn require_high_rows(visit: &Visit<'_>) -> Result<()> {
    let fits = "const row = document.querySelector('[data-testid=friend]');
         const text = row.querySelector('.friend-text').getBoundingClientRect();
         const { height } = row.getBoundingClientRect();
         return Math.abs(height - 144) < 2 && text.height <= height";
    visit.wait("rows of twice the height", fits).await?;
    let end = "document.scrollingElement.scrollTo(0, 1e6);
         const last = document.querySelector('[data-testid=friend-list] [aria-posinset=\"100\"]');
         const box = last?.getBoundingClientRect();
         return !!last && box.bottom <= innerHeight && window.__isComplete(last.querySelector('.picture'))";
    visit.wait("the last friend and their picture", end).await
}

/// 340 px wide: a headline without a space stays on its page, and someone who goes up by the keyboard sees
/// where they are.
pub(super) async fn narrow(visit: &mut Visit<'_>) -> Result<()> {
    visit.resize(340, 700).await?;
    sign_in(visit).await?;
    let long = "x".repeat(160);
    let before = describe(visit, &long).await?;
    visit.open("/me").await?;
    visit.wait_visible(".profile-headline").await?;
    let shown = format!("document.querySelector('.profile-headline').textContent === {long:?}");
    visit.wait("the long headline", &format!("return {shown}")).await?;
    let beside: i32 =
        visit.eval("return document.scrollingElement.scrollWidth - innerWidth").await?;
    describe(visit, &before).await?;
    ensure!(beside <= 0, "the page is {beside} px too wide");

    visit.click(FRIENDS).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    let far = "document.querySelectorAll('[data-testid=friend]')[20].focus(); return true";
    visit.wait("a row with the focus", far).await?;
    for _ in 0..12 {
        visit.press_with_shift(Key::Tab).await?;
        let hidden: bool = visit
            .eval(
                "const header = document.querySelector('.shell-header').getBoundingClientRect();
                 const row = document.activeElement.getBoundingClientRect();
                 return row.top < header.bottom - 1",
            )
            .await?;
        ensure!(!hidden, "the row with the focus lies under the header");
    }
    Ok(())
}

/// The dashboard is closed by the keyboard: the focus is on the button that opens it.
pub(super) async fn dashboard(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    visit.click(&hook("cache-dashboard-toggle")).await?;
    visit.wait_visible(&hook("cache-dashboard")).await?;
    let close = "document.querySelector('.dashboard-close').focus(); return true";
    visit.wait("the button that closes it", close).await?;
    visit.press(Key::Enter).await?;
    visit.wait_gone(&hook("cache-dashboard")).await?;
    let focus = "return document.activeElement?.dataset.testid === 'cache-dashboard-toggle'";
    visit.wait("the focus on the button that opens it", focus).await
}

/// Sets the headline of who is signed in. Returns the one before.
async fn describe(visit: &Visit<'_>, headline: &str) -> Result<String> {
    visit
        .eval_async(&format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{
                 const {{ user_id }} = await (await fetch('/api/session')).json();
                 const {{ headline }} = await (await fetch(`/api/users/${{user_id}}`)).json();
                 await fetch('/api/users/me', {{
                     method: 'PATCH',
                     headers: {{ 'content-type': 'application/json' }},
                     body: JSON.stringify({{ headline: {headline:?} }}),
                 }});
                 return headline;
             }})().then(done)"
        ))
        .await
}

/// Scrolled down, to another page, loaded anew there, and back.
pub(super) async fn back_after_reload(visit: &mut Visit<'_>) -> Result<()> {
    sign_in(visit).await?;
    let scroll = "const done = arguments[arguments.length - 1];
         addEventListener('scroll', () => requestAnimationFrame(() => done(scrollY)), { once: true });
         scrollTo(0, 1500)";
    let top: f64 = visit.eval_async(scroll).await?;
    ensure!((top - 1500.0).abs() < 1.0, "scrolled to {top}");
    // WebKitWebDriver scrolls to the top before it clicks into a header that sticks there.
    let click = format!("document.querySelector({ME:?}).click(); return true");
    visit.eval::<bool>(&click).await?;
    visit.wait_visible(".me").await?;
    visit.reload().await?;
    visit.wait_visible(".me").await?;
    visit.back().await?;
    visit.wait_visible(&hook("friend")).await?;
    visit.wait("the list where it was left", "return Math.abs(scrollY - 1500) <= 1").await
}
