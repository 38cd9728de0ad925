//! What `boot.js` draws before the program starts.

use super::{own_page, sign_in_by_api};
use crate::{
    gate::{Fault, FaultKind},
    page::hook,
    sampler::Script,
    visit::Visit,
};
use anyhow::{Result, ensure};

/// Somebody with as many friends as a page holds, not all of whom have a picture.
const VISITOR: &str = "grace";
const HELD: Script = Script { hold_app: true, ..Script::NOTHING_AHEAD };
/// The same without IndexedDB, which may answer before the app is seen, or after, as the API may.
const ALONE: Script = Script { deny_indexed_db: true, ..HELD };
const DRAWN: &str = "[aria-busy=true]";
const IS_DRAWN: &str = "
    const drawn = document.querySelector('[aria-busy=true]');
    return !!drawn && drawn.style.visibility === ''";
/// The page has been parsed and has had its time, and the app alone is missing.
const IS_NOT_DRAWN: &str = "
    return document.readyState !== 'loading' && performance.now() > 400 && !!window.__startApp
        && !document.querySelector('[aria-busy=true]')";
const HAS_ROOM: &str = "
    const { paddingRight, paddingBottom } = getComputedStyle(document.body);
    return parseFloat(paddingRight) + parseFloat(paddingBottom) > 100";
/// Notes both, without what may differ: the profile's number of friends, its picture, which may be
/// a larger one by then, and the dialog that nobody has opened.
const COMPARE: &str = "
    const text = (node) => {
        if (node.nodeType === Node.TEXT_NODE) return node.data;
        if (node.nodeType !== Node.ELEMENT_NODE || node.matches('dialog:not([open])')) return '';
        const attributes = [...node.attributes].filter(({ name, value }) => name !== 'class' || value);
        const own = attributes.map(({ name, value }) => `${name}=${JSON.stringify(value)}`).sort();
        const differs = node.matches('.profile-card .picture, .profile-friends');
        const within = differs ? [] : [...node.childNodes].map(text);
        return `<${node.localName} ${differs ? '' : own.join(' ')}>${within.join('')}\n`;
    };
    const drawn = document.querySelector('[aria-busy=true]');
    new MutationObserver((_, observer) => {
        if (drawn.isConnected) return;
        observer.disconnect();
        const root = [...document.body.children].find((child) => child.querySelector('main'));
        window.__both = [drawn, root].map((page) => [...page.children].map(text).join(''));
    }).observe(document.body, { childList: true });
    window.__startApp();
    return true";
const FIRST_DIFFERENCE: &str = "
    const [drawn, app] = window.__both;
    let at = 0;
    while (at < drawn.length && drawn[at] === app[at]) at++;
    const near = (page) => page.slice(Math.max(0, at - 300), at + 100);
    return drawn === app ? '' : `drawn ${near(drawn)}, app ${near(app)}`";
/// Names in other scripts, and none.
const RENAME: &str = r#"
    const key = 'miniature:v1:grace:page:friends';
    const page = JSON.parse(localStorage.getItem(key));
    const names = ['علي حسن', 'e\u0301mile zola', '王小明', '山田 太郎', 'Robert (Bob)', 'Ada - Lovelace',
        '👩🏽‍🚀', '🇫🇮 🇸🇪', '7 of 9', '', ' \u3000 ', '<b>Bold</b>', 'Fox 🦊', '-', 'ß a', '१२ क्षि'];
    const bare = page.body.Friends.friends.filter(({ picture }) => !picture.image_id);
    bare.concat(page.body.Friends.friends.slice(0, 16))
        .forEach((friend, at) => { friend.name = names[(at + arguments[0]) % names.length]; });
    localStorage.setItem(key, JSON.stringify(page));
    return bare.length"#;

/// What is drawn is what the app draws, attribute by attribute: the list, a profile over it, the feed.
pub(super) async fn same_as_the_app(visit: &mut Visit<'_>) -> Result<()> {
    visit_once(visit).await?;
    for (names, path) in (0..16).step_by(3).map(|names| (names, "/friends")).chain([
        (0, "/"),
        (0, "/friends/agnes-holm"),
        (0, "/feed"),
    ]) {
        visit.gate.set_script(Script::NOTHING_AHEAD);
        visit.open("/__page").await?;
        let bare: u32 = visit.eval(&RENAME.replace("arguments[0]", &names.to_string())).await?;
        ensure!(bare >= 3, "{bare} friends without a picture");
        draw(visit, path).await?;
        require_same(visit, path).await?;
        let focused: String = visit.eval("return document.activeElement.localName").await?;
        let expected = if path == "/friends/agnes-holm" { "dialog" } else { "body" };
        ensure!(focused == expected, "{path}: {focused} has the focus");
        visit.require_clean().await?;
    }
    visit.set_faults(&[]);
    Ok(())
}

/// So it is on screens with more pixels, and the pictures are sharp.
pub(super) async fn on_dense_screens(visit: &mut Visit<'_>) -> Result<()> {
    for density in [1, 2, 3] {
        if !visit.set_density(density).await? {
            visit.note("this browser's density cannot be changed".to_owned());
            break;
        }
        visit_once(visit).await?;
        draw(visit, "/friends").await?;
        let least: u32 = visit.eval(NARROWEST).await?;
        ensure!(least >= 36 * density, "{least} pixels on a screen of {density} to one");
        require_same(visit, "/friends").await?;
        visit.set_faults(&[]);
        visit.start_afresh().await?;
    }
    visit.open("/sign-in").await
}

/// How many pixels the narrowest picture has that is drawn.
const NARROWEST: &str = "
    const images = [...document.querySelectorAll('[aria-busy=true] .picture img')];
    return images.length > 20 ? Math.min(...images.map((image) => image.naturalWidth)) : 0";

/// Has `boot.js` draw a page, and nothing else come.
async fn draw(visit: &mut Visit<'_>, path: &str) -> Result<()> {
    visit.gate.set_script(ALONE);
    let held = ["/api/friends", "/api/posts", "/api/images"];
    visit.set_faults(&held.map(|path| Fault { path, kind: FaultKind::Held }));
    visit.open(path).await?;
    visit.wait(&format!("{path}, drawn"), IS_DRAWN).await
}

/// The app puts the same in its place.
async fn require_same(visit: &Visit<'_>, path: &str) -> Result<()> {
    visit.eval::<bool>(COMPARE).await?;
    visit.wait("the app in its place", "return !!window.__both").await?;
    let difference: String = visit.eval(FIRST_DIFFERENCE).await?;
    ensure!(difference.is_empty(), "{path}: {difference}");
    Ok(())
}

/// What is done before the program is there goes over to it: a click, what was typed, the focus, and how
/// far the page was scrolled.
pub(super) async fn hands_over(visit: &mut Visit<'_>) -> Result<()> {
    visit_once(visit).await?;
    visit.gate.set_script(HELD);

    visit.open("/friends").await?;
    visit.wait("the list, drawn", IS_DRAWN).await?;
    visit.eval::<bool>("scrollTo(0, 900); return true").await?;
    visit.click("a[href='/friends/esther-goldman']").await?;
    start(visit).await?;
    visit.wait_visible(&hook("profile-modal")).await?;
    ensure!(visit.path().await? == "/friends/esther-goldman", "the click was carried out");
    let top: f64 = visit.eval("return scrollY").await?;
    ensure!(top > 500.0, "scrolled to {top}");

    visit.open("/friends").await?;
    visit.wait("the list, drawn", IS_DRAWN).await?;
    visit.type_into(&hook("friend-filter"), "holm").await?;
    start(visit).await?;
    visit
        .wait("one row", "return document.querySelectorAll('[data-testid=friend]').length === 1")
        .await?;
    let focused: bool = visit
        .eval("return document.activeElement?.matches('main .friend-filter') && document.activeElement.value === 'holm'")
        .await?;
    ensure!(focused, "the field kept the focus, and what was typed");
    visit.click(&hook("cache-dashboard-toggle")).await?;
    visit.wait("room beside the dashboard", HAS_ROOM).await?;

    for by_key in [false, true] {
        visit.open("/friends/agnes-holm").await?;
        visit.wait("the profile, drawn", IS_DRAWN).await?;
        match by_key {
            true => visit.press(thirtyfour::Key::Escape).await?,
            false => visit.click(&format!("{DRAWN} .modal-close")).await?,
        }
        start(visit).await?;
        visit
            .wait(
                "the list alone",
                "
            return location.pathname === '/friends' && !document.querySelector('dialog[open]')",
            )
            .await?;
    }
    visit.require_clean().await
}

/// "Sign out" is pressed before the program is there, which then does not come: the next page is signed
/// out. Another session begins while the page sleeps: nothing of the first is seen.
pub(super) async fn signs_out(visit: &mut Visit<'_>) -> Result<()> {
    visit_once(visit).await?;
    visit.gate.set_script(HELD);
    visit.open("/friends").await?;
    visit.wait("the list, drawn", IS_DRAWN).await?;
    visit
        .eval::<bool>(
            "
        const cookie = document.cookie;
        document.cookie = 'miniature_account=ada.00000000';
        dispatchEvent(new Event('pageshow'));
        document.cookie = cookie.match(/miniature_account=[^;]*/)[0];
        return true",
        )
        .await?;
    visit.wait_gone(DRAWN).await?;

    visit.open("/friends").await?;
    visit.wait("the list, drawn", IS_DRAWN).await?;
    visit.click(&hook("sign-out")).await?;
    visit.wait_gone(DRAWN).await?;
    visit.open("/friends").await?;
    visit.wait("nothing drawn", IS_NOT_DRAWN).await?;
    start(visit).await?;
    visit.wait_visible(".sign-in-form").await?;
    visit.require_clean().await
}

/// Changes of what is stored after which nothing is drawn, and the app shows the list all the same.
const LIES: [(&str, &str); 7] = [
    ("an old page", "set('page:friends', '{\"friends\":[]}')"),
    ("no JSON", "set('page:friends', '{')"),
    (
        "a name that is none",
        "set('page:friends', get('page:friends').replace(/\"name\":\"[^\"]*\"/, '\"name\":7'))",
    ),
    ("half a record", "set('record:agnes-holm', get('record:agnes-holm').slice(0, 20))"),
    (
        "a preview of another image",
        "set('preview:agnes-holm', '0'.repeat(32) + get('preview:agnes-holm').slice(32))",
    ),
    (
        "a preview that is no image",
        "set('preview:agnes-holm', get('preview:agnes-holm').replace('data:image', 'data:text'))",
    ),
    (
        "a preview that does not decode",
        "set('preview:agnes-holm', get('preview:agnes-holm').slice(0, 90))",
    ),
];
/// After these the account is not the one that is signed in, or is to be signed out.
const OTHERS: [(&str, &str); 2] = [
    (
        "another account",
        "localStorage.setItem('miniature:v1:account', '{\"user_id\":\"ada\",\"name\":\"Ada\"}')",
    ),
    (
        "a sign-out that is owed",
        "localStorage.setItem('miniature:v1:sign-out-owed', document.cookie.match(/miniature_account=([^;]*)/)[1])",
    ),
];

/// Storage that lies draws nothing.
pub(super) async fn storage_lies(visit: &mut Visit<'_>) -> Result<()> {
    visit_once(visit).await?;
    visit.open("/__page").await?;
    let stored: String = visit.eval("return JSON.stringify(Object.entries(localStorage))").await?;
    for (name, lie) in LIES.iter().chain(&OTHERS) {
        visit.gate.set_script(Script::NOTHING_AHEAD);
        visit.open("/__page").await?;
        visit
            .eval::<bool>(&format!(
                "const prefix = 'miniature:v1:grace:';
             const get = (key) => localStorage.getItem(prefix + key);
             const set = (key, text) => localStorage.setItem(prefix + key, text);
             localStorage.clear();
             ({stored}).forEach(([key, text]) => localStorage.setItem(key, text));
             {lie};
             return true"
            ))
            .await?;
        visit.gate.set_script(HELD);
        visit.open("/friends").await?;
        visit.wait(&format!("nothing for {name}"), IS_NOT_DRAWN).await?;
        if LIES.iter().any(|(of, _)| of == name) {
            start(visit).await?;
            visit.wait_pictures(FRIENDS_OF_VISITOR - 3).await?;
        }
        visit.forgive().await?;
    }
    visit.gate.set_script(Script::NOTHING_AHEAD);
    visit.open("/__page").await
}

const FRIENDS_OF_VISITOR: u32 = 50;

/// A visit after which all that is drawn is stored.
async fn visit_once(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script::NOTHING_AHEAD);
    visit.gate.set_page(own_page(""));
    visit.open("/__page").await?;
    let status = sign_in_by_api(visit, VISITOR, "miniature").await?;
    ensure!(status == 200, "the sign-in answered {status}");
    for path in ["/friends", "/feed"] {
        visit.open(path).await?;
        visit.wait("pictures", "
            const pictures = [...document.querySelectorAll('main .picture')];
            return pictures.length > 9 && pictures.every((picture) => picture.dataset.state !== 'loading')").await?;
        visit.wait("all of it stored", "
            const users = [...document.querySelectorAll('main .picture')].map(({ dataset }) => dataset.userId);
            const prefix = 'miniature:v1:grace:';
            const has = (key) => localStorage.getItem(prefix + key) !== null;
            return has(`page:${location.pathname.slice(1)}`)
                && users.every((user) => has(`record:${user}`)
                    && (has(`preview:${user}`) || localStorage.getItem(`${prefix}record:${user}`).includes(' - ')))").await?;
    }
    Ok(())
}

async fn start(visit: &Visit<'_>) -> Result<()> {
    visit.eval::<bool>("window.__startApp(); return true").await?;
    visit.wait_gone(DRAWN).await
}
