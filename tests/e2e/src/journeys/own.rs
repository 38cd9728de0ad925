//! Someone changes their own picture, and what is said of them.

use super::{own_page, sign_in, sign_in_by_api};
use crate::{
    gate::{Fault, FaultKind, Network, Passage},
    page::hook,
    visit::Visit,
};
use anyhow::{Context, Result, ensure};
use miniature_e2e::{complaints::now, people::pixel};
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;

/// The picture over one's own profile.
const MINE: &str = ".me .picture";
/// Where it is changed.
const PATH: &str = "/api/users/me/picture";
/// A friend of the demo account, who has it in the first page of their list.
const FRIEND: &str = "grace";
/// The demo account.
const ME: &str = "ada";
/// In which what has arrived is stored.
const WRITTEN: Duration = Duration::from_secs(2);
/// How long a removal can be undone, and the request that follows.
const UNDONE: Duration = Duration::from_secs(15);

/// A file is chosen, cut and sent: it is on screen at once, then in every layer, and at a friend's.
pub(super) async fn changed(visit: &mut Visit<'_>) -> Result<()> {
    let mut friend = at_a_friends(visit).await?;
    let before = on_my_page(visit).await?;
    friend.observe().await?;
    friend.eval::<bool>(WATCH).await?;

    let _file = choose(visit, "me.gif", &picture()).await?;
    visit.wait_visible(&hook("picture-save")).await?;
    visit.click(&hook("picture-save")).await?;
    visit.wait("my new picture", &shows(MINE, before + 1)).await?;

    let theirs = format!("[data-testid=friend-list] .picture[data-user-id={ME}]");
    friend.wait("the new picture at a friend's", &shows(&theirs, before + 1)).await?;
    friend.require_no_gap().await?;
    friend.require_clean().await?;
    let sent = uploads(visit);
    ensure!(sent.len() == 1, "{sent:?}");
    // What was stored is there again without a request for it.
    visit.gate.quiet(WRITTEN).await;
    let passed = visit.passages().len();
    visit.reload().await?;
    visit.wait("my new picture after a reload", &shows(MINE, before + 1)).await?;
    let asked = visit.passages();
    let asked = asked[passed..].iter().filter(|p| p.target.starts_with("/api/images")).count();
    ensure!(asked == 0, "{asked} requests for a picture that was just sent");
    friend.end().await;
    Ok(())
}

/// A photograph of twelve megapixels over a line of 1 Mbit/s.
pub(super) async fn photograph(visit: &mut Visit<'_>) -> Result<()> {
    let friend = at_a_friends(visit).await?;
    let before = on_my_page(visit).await?;
    friend.eval::<bool>(WATCH).await?;
    let bytes: f64 = visit.eval_async(CHOOSE_PHOTOGRAPH).await?;
    visit.wait_visible(&hook("picture-save")).await?;
    visit.gate.set_bandwidth(125_000);

    let start = now();
    visit.click(&hook("picture-save")).await?;
    let painted = format!("return window.__painted[{}] !== undefined", before + 1);
    friend.wait("the photograph at a friend's", &painted).await?;
    let at: f64 = friend.eval(&format!("return window.__painted[{}]", before + 1)).await?;

    let sent = uploads(visit);
    let [upload] = &sent[..] else { anyhow::bail!("{sent:?}") };
    visit.note(format!(
        "{:.1} MB chosen, {} bytes sent, at a friend's after {:.0} ms",
        bytes / 1e6,
        upload.sent,
        at - start
    ));
    ensure!(bytes > 7e6, "a photograph of {bytes} bytes");
    ensure!(upload.sent < 150_000, "{} bytes were sent", upload.sent);
    ensure!(at - start < 2_000.0, "{:.0} ms", at - start);
    friend.end().await;
    Ok(())
}

/// What is no picture is refused in words before anything is sent.
pub(super) async fn no_pictures(visit: &mut Visit<'_>) -> Result<()> {
    let before = on_my_page(visit).await?;
    let heic = [b"\0\0\0\x18ftypheic\0\0\0\0".as_slice(), &[0; 64]].concat();
    let files: [(&str, &[u8], &str); 4] = [
        ("empty.png", b"", "is empty"),
        ("text.png", b"This is no picture.", "no picture"),
        ("camera.heic", &heic, "HEIC"),
        ("unnamed", &heic, "HEIC"),
    ];
    for (name, bytes, words) in files {
        let _file = choose(visit, name, bytes).await?;
        visit.wait(&format!("words about {name}"), &complains(words)).await?;
    }
    let folder = tempfile::tempdir()?;
    let large = folder.path().join("large.png");
    fs::File::create(&large)?.set_len(61 << 20)?;
    visit.attach(&hook("picture-input"), &large).await?;
    visit.wait("words about a large file", &complains("60 MB")).await?;

    ensure!(visit.eval::<bool>(&shows(MINE, before)).await?, "the old picture stays");
    ensure!(uploads(visit).is_empty(), "something was sent");
    Ok(())
}

/// What the server refuses, or does not hear, is said in words, and the old picture comes back.
pub(super) async fn refused(visit: &mut Visit<'_>) -> Result<()> {
    let before = on_my_page(visit).await?;
    let refuse = |status, retry_after| FaultKind::Refused { status, retry_after };
    let refusals = [
        (refuse(413, None), "too large"),
        (refuse(415, None), "no picture"),
        (refuse(422, None), "The gate refuses"),
        (refuse(429, Some(7)), "Wait 7 seconds"),
        (FaultKind::Unavailable(9), "Wait 9 seconds"),
    ];
    for (kind, words) in refusals {
        visit.set_faults(&[Fault { path: PATH, kind }]);
        save(visit).await?;
        visit.wait(&format!("{kind:?} in words"), &complains(words)).await?;
        visit.wait("the old picture", &shows(MINE, before)).await?;
    }
    visit.set_faults(&[]);
    visit.set_network(Network::Down);
    save(visit).await?;
    visit.wait("no network, in words", &complains("can’t be reached")).await?;
    visit.wait("the old picture", &shows(MINE, before)).await?;
    visit.set_network(Network::Up);

    save(visit).await?;
    visit.wait("the new picture", &shows(MINE, before + 1)).await?;
    ensure!(!visit.eval::<bool>(&complains("")).await?, "the complaint has gone");
    Ok(())
}

/// An upload that hangs is cancelled: the old picture comes back, and nothing changes later.
pub(super) async fn cancelled(visit: &mut Visit<'_>) -> Result<()> {
    let before = on_my_page(visit).await?;
    let old: String = visit.eval(SOURCE).await?;
    visit.set_faults(&[Fault { path: PATH, kind: FaultKind::Held }]);
    save(visit).await?;
    visit.wait_passages("the upload", |passages| passages.iter().any(is_upload)).await?;
    let differs = format!("return (() => {{ {SOURCE} }})() !== {old:?}");
    visit.wait("the new picture from the bytes at hand", &differs).await?;

    visit.click(&hook("picture-cancel")).await?;

    visit.wait("the old picture", &format!("return (() => {{ {SOURCE} }})() === {old:?}")).await?;
    visit.wait_visible(".picture-choice").await?;
    ensure!(visit.eval::<bool>(&shows(MINE, before)).await?, "the old revision");
    Ok(())
}

/// A picture is removed and brought back; removed again, it goes in ten seconds, and stays away.
pub(super) async fn removed(visit: &mut Visit<'_>) -> Result<()> {
    let before = on_my_page(visit).await?;
    visit.click(&hook("picture-remove")).await?;
    visit.wait("initials", FALLBACK).await?;
    visit.click(&hook("picture-undo")).await?;
    visit.wait("the picture again", &shows(MINE, before)).await?;
    ensure!(uploads(visit).is_empty(), "something was sent");

    visit.click(&hook("picture-remove")).await?;
    let gone = format!("return !document.querySelector({:?})", hook("picture-undo"));
    visit.wait("initials", FALLBACK).await?;
    visit.wait_for(UNDONE, "it cannot be undone any more", &gone).await?;
    visit.wait_passages("the removal", |passages| passages.iter().any(is_upload)).await?;
    visit.wait("initials", FALLBACK).await?;
    visit.reload().await?;
    visit.wait("initials after a reload", FALLBACK).await?;
    save(visit).await?;
    visit.wait("a picture again", &shows(MINE, before + 2)).await
}

/// Name and headline are edited, and change at a friend's at once.
pub(super) async fn described(visit: &mut Visit<'_>) -> Result<()> {
    let friend = at_a_friends(visit).await?;
    on_my_page(visit).await?;
    let filled = "return !!document.querySelector('[data-testid=name-input]').value";
    visit.wait("the name", filled).await?;
    let name: String = visit.eval(NAME).await?;
    for new in ["Ada, Countess of Lovelace", &name] {
        visit.eval::<()>(&format!("{SET_NAME}({new:?})")).await?;
        visit.click(&hook("profile-save")).await?;
        visit.wait("Saved.", "return document.body.innerText.includes('Saved.')").await?;
        let there = format!(
            "return [...document.querySelectorAll('[data-testid=friend]')]
                 .some((row) => row.innerText.includes({new:?}))"
        );
        friend.wait(&format!("{new} at a friend's"), &there).await?;
        visit.reload().await?;
        visit.wait("the name", filled).await?;
        let kept: String = visit.eval(NAME).await?;
        ensure!(kept == new, "{kept}");
    }
    friend.end().await;
    Ok(())
}

const NAME: &str = "return document.querySelector('[data-testid=name-input]').value";
const SET_NAME: &str = "((name) => {
    const input = document.querySelector('[data-testid=name-input]');
    input.value = name;
    input.dispatchEvent(new Event('input', { bubbles: true }));
})";
const FALLBACK: &str =
    "return document.querySelector('.me .picture')?.dataset.state === 'fallback'";
/// The address of the image that is shown.
const SOURCE: &str =
    "return [...document.querySelectorAll('.me .picture img')].pop()?.src ?? 'none'";

/// Signs in and opens the page of the account. Returns the revision of its picture.
async fn on_my_page(visit: &mut Visit<'_>) -> Result<u32> {
    sign_in(visit).await?;
    visit.click("a[href='/me']").await?;
    // The page may be made anew between two looks.
    let noted = "
        const { state, revision } = document.querySelector('.me .picture')?.dataset ?? {};
        window.__revision = state === 'ready' && revision;
        return !!window.__revision";
    visit.wait("my picture", noted).await?;
    let revision: String = visit.eval("return window.__revision").await?;
    revision.parse().context("a revision")
}

/// The list of a friend, in a browser of their own.
async fn at_a_friends<'a>(visit: &Visit<'a>) -> Result<Visit<'a>> {
    let mut friend = visit.another().await?;
    friend.gate.set_page(own_page(""));
    friend.open("/__page").await?;
    let status = sign_in_by_api(&friend, FRIEND, "miniature").await?;
    ensure!(status == 200, "the sign-in of {FRIEND} answered {status}");
    friend.open("/friends").await?;
    let theirs = format!(
        "return document.querySelector('[data-testid=friend-list] .picture[data-user-id={ME}]')
             ?.dataset.state === 'ready'"
    );
    friend.wait("my picture at a friend's", &theirs).await?;
    Ok(friend)
}

/// Chooses a small picture and saves it.
async fn save(visit: &Visit<'_>) -> Result<()> {
    let _file = choose(visit, "me.gif", &picture()).await?;
    visit.click(&hook("picture-save")).await
}

/// Chooses a file, which is there for as long as the folder that this returns.
async fn choose(visit: &Visit<'_>, name: &str, bytes: &[u8]) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let file: &Path = &folder.path().join(name);
    fs::write(file, bytes)?;
    visit.attach(&hook("picture-input"), file).await?;
    let ends = format!(
        "return !!document.querySelector({:?}) || ({})",
        hook("picture-save"),
        complains("").replace("return ", "")
    );
    visit.wait(&format!("{name} is read"), &ends).await?;
    Ok(folder)
}

fn shows(selector: &str, revision: u32) -> String {
    format!(
        "const picture = document.querySelector({selector:?});
         return picture?.dataset.revision === '{revision}' && picture.dataset.state === 'ready'"
    )
}

/// Whether a complaint about the picture contains these words.
fn complains(words: &str) -> String {
    format!(
        "return [...document.querySelectorAll('.my-picture .complaint')]
             .some((said) => said.textContent !== '' && said.textContent.includes({words:?}))"
    )
}

fn is_upload(passage: &Passage) -> bool {
    passage.target == PATH
}

fn uploads(visit: &Visit<'_>) -> Vec<Passage> {
    visit.passages().into_iter().filter(is_upload).collect()
}

/// Notes when each revision of my picture was painted, by the machine's clock.
const WATCH: &str = "
    window.__painted = {};
    const list = document.querySelector('[data-testid=friend-list]');
    new MutationObserver(() => {
        const picture = list.querySelector('.picture[data-user-id=ada]');
        const revision = picture?.dataset.state === 'ready' && picture.dataset.revision;
        if (revision) window.__painted[revision] ??= performance.timeOrigin + performance.now();
    }).observe(list, { subtree: true, attributeFilter: ['data-revision', 'data-state'] });
    return true";

/// Chooses a picture of 4 000 by 3 000 pixels with the grain of a camera; returns its bytes.
const CHOOSE_PHOTOGRAPH: &str = "
    const done = arguments[arguments.length - 1];
    const [width, height] = [4000, 3000];
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    const sky = context.createLinearGradient(0, 0, width, height);
    for (const [at, colour] of [[0, '#28415f'], [0.5, '#c8927a'], [1, '#2f4a2b']]) sky.addColorStop(at, colour);
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    let state = 1;
    const random = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32;
    for (let at = 0; at < 400; at++) {
        context.fillStyle = `hsl(${random() * 360} 40% ${20 + random() * 60}% / 0.4)`;
        context.beginPath();
        context.ellipse(random() * width, random() * height, 20 + random() * 300, 20 + random() * 200, random() * 3, 0, 7);
        context.fill();
    }
    const pixels = context.getImageData(0, 0, width, height);
    for (let at = 0; at < pixels.data.length; at += 4) {
        const grain = (random() - 0.5) * 40;
        for (let channel = 0; channel < 3; channel++) pixels.data[at + channel] += grain;
    }
    context.putImageData(pixels, 0, 0);
    const give = (quality) => canvas.toBlob((blob) => {
        if (blob.size < 8e6 && quality < 0.97) return give(quality + 0.03);
        const files = new DataTransfer();
        files.items.add(new File([blob], 'photograph.jpg', { type: 'image/jpeg' }));
        const input = document.querySelector('[data-testid=picture-input]');
        input.files = files.files;
        input.dispatchEvent(new Event('change', { bubbles: true }));
        done(blob.size);
    }, 'image/jpeg', quality);
    give(0.8)";

/// A picture of a colour of its own: the server takes no notice of one that it has.
fn picture() -> Vec<u8> {
    let [red, green, blue, ..] = (now() * 1_000.0).to_bits().to_le_bytes();
    pixel([red, green, blue])
}
