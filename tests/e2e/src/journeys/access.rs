//! Nobody is kept out: axe looks through every page, in both schemes of colours.

use super::{FIRST_PAGE, MODAL, sign_in};
use crate::{page::hook, visit::Visit};
use anyhow::{Context, Result, ensure};
use std::{env, fs};

/// Looks through the page for what is serious, and tells where.
const LOOK: &str = "
    const done = arguments[arguments.length - 1];
    const places = ({ nodes }) => nodes.slice(0, 3).map(({ target }) => target.join(' ')).join(', ');
    axe.run(document, { resultTypes: ['violations'] }).then(
        ({ violations }) => done(violations
            .filter(({ impact }) => ['serious', 'critical'].includes(impact))
            .map((violation) => `${violation.id} at ${places(violation)}`)),
        (error) => done([String(error)]))";

/// A picture to cut, drawn in the page and dropped onto it.
const DROP: &str = "
    const done = arguments[arguments.length - 1];
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
    const context = canvas.getContext('2d');
    context.fillStyle = 'rgb(40, 90, 160)';
    context.fillRect(0, 0, 640, 480);
    canvas.toBlob((blob) => {
        const files = new DataTransfer();
        files.items.add(new File([blob], 'me.png', { type: 'image/png' }));
        const input = document.querySelector('[data-testid=picture-input]');
        input.files = files.files;
        input.dispatchEvent(new Event('change', { bubbles: true }));
        done(true);
    })";

/// Every page and what opens over it.
pub(super) async fn every_page(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    look(visit, "the sign-in").await?;

    sign_in(visit).await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    look(visit, "the list").await?;

    visit.open("/friends/grace").await?;
    visit.wait_visible(&format!("{MODAL} .picture img")).await?;
    look(visit, "a profile").await?;

    visit.open("/feed").await?;
    visit.wait_visible(&hook("post")).await?;
    look(visit, "the feed").await?;

    visit.open("/me").await?;
    visit.wait_visible(&hook("name-input")).await?;
    look(visit, "one's own page").await?;
    visit.eval_async::<bool>(DROP).await?;
    visit.wait_visible(&hook("picture-save")).await?;
    look(visit, "the editor").await?;

    visit.open("/nowhere").await?;
    visit.wait_visible(".notice").await?;
    look(visit, "a page that is not there").await?;
    // The console says 404.
    visit.forgive().await?;

    visit.open("/friends").await?;
    visit.wait_pictures(FIRST_PAGE).await?;
    visit.click(&hook("cache-dashboard-toggle")).await?;
    visit.wait_visible(&hook("cache-dashboard")).await?;
    look(visit, "the dashboard").await
}

/// In dark colours too, where this browser can be asked for them.
async fn look(visit: &mut Visit<'_>, page: &str) -> Result<()> {
    let axe = env::var_os("MINIATURE_AXE").context("MINIATURE_AXE")?;
    let axe = fs::read_to_string(axe).context("axe")?;
    visit.eval::<bool>(&format!("{axe}; return true")).await?;
    for dark in [false, true] {
        if dark && !visit.prefer_dark(true).await? {
            break;
        }
        let found: Vec<String> = visit.eval_async(LOOK).await?;
        ensure!(found.is_empty(), "{page}, dark: {dark}: {}", found.join("; "));
    }
    visit.prefer_dark(false).await?;
    Ok(())
}
