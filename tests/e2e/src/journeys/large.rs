//! Pictures too large for a `data:` URL.

use super::{MODAL, own_page, sign_in, sign_in_by_api};
use crate::{page::hook, visit::Visit};
use anyhow::{Result, ensure};

/// A friend of the demo account.
const FRIEND: &str = "grace";

/// A friend uploads noise, which no format makes small. The modal shows it by an object URL, which is
/// given back once nothing shows it.
pub(super) async fn object_url(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_page(own_page(""));
    visit.open("/__page").await?;
    let status = sign_in_by_api(visit, FRIEND, "miniature").await?;
    ensure!(status == 200, "the sign-in of {FRIEND} answered {status}");
    let status: u16 = visit.eval_async(UPLOAD_NOISE).await?;
    ensure!(status == 200, "the upload answered {status}");
    visit.start_afresh().await?;
    sign_in(visit).await?;
    let before = visit.seen().await?.live_urls;

    visit.click(&format!("[data-testid=friend]:has([data-user-id={FRIEND}])")).await?;
    visit.wait_visible(MODAL).await?;
    visit.wait("an image with an object URL", SHOWS_BLOB).await?;

    let seen = visit.seen().await?;
    visit.note(format!("object URLs: {before} before, {} with the modal", seen.live_urls));
    ensure!(seen.live_urls > before, "the modal's object URL was not seen to be made");
    visit.press(thirtyfour::Key::Escape).await?;
    visit.wait_gone(MODAL).await?;
    // The row may show the same rendition by now.
    visit.click("a[href='/me']").await?;
    visit.wait_gone(&hook("friend-list")).await?;
    let back = format!("return window.__seen.live_urls <= {before}");
    visit.wait("the object URL is given back", &back).await
}

/// Puts 512 px of noise in the place of one's own picture; returns the status.
const UPLOAD_NOISE: &str = "
    const done = arguments[arguments.length - 1];
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 512;
    const context = canvas.getContext('2d');
    const pixels = context.createImageData(512, 512);
    // Squares of two pixels: noise at 256 px too, and nearly plain at 64.
    let state = 1;
    const random = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) >>> 24;
    for (let y = 0; y < 512; y += 2) for (let x = 0; x < 512; x += 2) {
        const colour = [random(), random(), random(), 255];
        for (const at of [y * 512 + x, y * 512 + x + 1, (y + 1) * 512 + x, (y + 1) * 512 + x + 1]) pixels.data.set(colour, at * 4);
    }
    context.putImageData(pixels, 0, 0);
    canvas.toBlob((blob) => fetch('/api/users/me/picture', { method: 'PUT', body: blob })
        .then((answer) => done(answer.status), () => done(0)))";

const SHOWS_BLOB: &str = "
    const image = [...document.querySelectorAll('dialog[data-testid=profile-modal] .picture img')]
        .find((image) => image.src.startsWith('blob:'));
    return !!image && image.complete && image.naturalWidth >= 256";
