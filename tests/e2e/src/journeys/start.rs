//! The app cannot start.

use super::{FIRST_PAGE, sign_in_without_the_app};
use crate::{
    gate::{Fault, FaultKind},
    page::{self, hook},
    sampler::Script,
    visit::Visit,
};
use anyhow::{Result, ensure};
use std::time::Duration;

const TROUBLE: &str = "[data-testid=start-trouble]";
/// All files of the app begin so, whatever their hash.
const APP: &str = "/miniature-app-";

const WASM: &str = "/miniature-app-*.wasm";
/// A file that is held is waited for before it is asked again.
const PATIENCE: Duration = Duration::from_secs(90);

/// Neither the script nor the module comes, half of each, or no answer about the module: once the page loads itself again, then
/// it says so, and a button tries again.
pub(super) async fn does_not_come(visit: &mut Visit<'_>) -> Result<()> {
    let faults = [
        (APP, FaultKind::Missing),
        (APP, FaultKind::Unavailable(1)),
        (APP, FaultKind::Cut),
        (WASM, FaultKind::Held),
    ];
    for (path, kind) in faults {
        visit.set_faults(&[Fault { path, kind }]);
        let before = visit.passages().len();
        visit.open("/sign-in").await?;
        visit.wait_for(PATIENCE, "the trouble in words", &page::is_visible(TROUBLE)).await?;
        visit.gate.quiet(Duration::from_secs(1)).await;
        let pages = visit.passages()[before..].iter().filter(|p| p.target == "/sign-in").count();
        ensure!(pages == 2, "{kind:?}: the page was loaded {pages} times");
        visit.forgive().await?;

        visit.set_faults(&[]);
        visit.click(&format!("{TROUBLE} button")).await?;
        visit.wait_visible(".sign-in-form").await?;
        visit.wait_gone(TROUBLE).await?;
        // The files are kept for a year from now on.
        visit.start_afresh().await?;
    }
    visit.open("/sign-in").await?;
    Ok(())
}

/// The file that the first frame of the list does not need, whatever its hash.
const LATER: &str = "/miniature-later-";
/// Whether the page says that the file did not come.
const SAYS_SO: &str = "
    const says = document.querySelector('main .notice p');
    return says?.textContent === 'This page could not be loaded.'";

/// The later half of the program does not come: the list is there all the same, the page that needs it
/// says so, and a button brings it.
pub(super) async fn later_does_not_come(visit: &mut Visit<'_>) -> Result<()> {
    let kinds = [FaultKind::Missing, FaultKind::Unavailable(1), FaultKind::Cut, FaultKind::Held];
    for kind in kinds {
        visit.set_faults(&[Fault { path: LATER, kind }]);
        sign_in_without_the_app(visit).await?;
        visit.open("/friends").await?;
        visit.wait_pictures(FIRST_PAGE).await?;
        visit.click("a[href='/me']").await?;
        visit.wait_for(PATIENCE, "a sentence", SAYS_SO).await?;
        visit.forgive().await?;

        visit.set_faults(&[]);
        visit.click("main .notice button").await?;
        visit.wait_visible(&hook("name-input")).await?;
        visit.start_afresh().await?;
    }
    visit.open("/sign-in").await
}

/// The browser has no WebAssembly, as some companies have it.
pub(super) async fn no_web_assembly(visit: &mut Visit<'_>) -> Result<()> {
    visit.gate.set_script(Script { no_web_assembly: true, ..Script::default() });
    visit.open("/").await?;
    visit.wait_visible(TROUBLE).await?;
    let says: String = visit.eval("return document.body.textContent").await?;
    ensure!(says.contains("WebAssembly"), "{says}");
    // What the loader says to the console cannot be helped.
    visit.forgive().await
}
