//! Presigned delivery: browsers fetch the larger pictures from the store.

use super::{MODAL, sign_in};
use crate::{
    gate::{Fault, FaultKind, Gate, Passage},
    page::hook,
    sampler::Script,
    visit::Visit,
};
use anyhow::{Result, ensure};
use miniature_e2e::server::Server;
use miniature_services::S3;
use thirtyfour::Key;

/// The modal's rendition is here and painted.
const SHARP: &str = "
    const picture = document.querySelector('dialog[data-testid=profile-modal] .picture');
    return window.__isComplete(picture) && picture.querySelector('img').naturalWidth >= 256";

/// Whether IndexedDB had a large picture of the demo account's when it was asked last.
const LARGE_IS_STORED: &str = "
    const opening = indexedDB.open('miniature:ada');
    opening.onsuccess = () => {
        const keys = opening.result.transaction('renditions').objectStore('renditions').getAllKeys();
        keys.onsuccess = () => {
            opening.result.close();
            window.__stored = keys.result.some((key) => key.endsWith('/256'));
        };
    };
    return window.__stored === true";

/// A store with a bucket that has a CORS rule, and a server that keeps its pictures there.
struct Stage {
    gate: Gate,
    server: Server,
    _store: S3,
}

impl Stage {
    async fn set() -> Result<Self> {
        let store = S3::start()?;
        let gate = Gate::open(store.address()).await?;
        let server = Server::from_environment_in(&store, gate.url("")).await?;
        Ok(Self { gate, server, _store: store })
    }

    /// Signs in a browser that loads nothing ahead by itself.
    async fn enter<'a>(&'a self, visit: &Visit<'a>) -> Result<Visit<'a>> {
        let mut browser = visit.at(&self.server).await?;
        self.gate.permit(&browser.gate.url(""))?;
        browser.gate.set_script(Script::NOTHING_AHEAD);
        sign_in(&mut browser).await?;
        Ok(browser)
    }

    /// What browsers asked the store for, which the server asks in other words.
    fn asked(&self) -> Vec<Passage> {
        let passages = self.gate.passages().into_iter();
        passages.filter(|passage| passage.target.contains("X-Amz-Signature=")).collect()
    }
}

/// A friend's row, among those that have a picture.
fn row(nth: usize) -> String {
    format!(
        "[data-testid=friend]:has(.picture img):nth-child({nth} of [data-testid=friend]:has(.picture img))"
    )
}

/// Asks the server where the large pictures of the first rows are.
const ASK_FOR_LARGE: &str = "
    const pictures = [...document.querySelectorAll('[data-testid=friend] .picture')].slice(0, 5);
    const users = pictures.map((picture) => picture.dataset.userId).join();
    fetch(`/api/images/batch?size=256&users=${users}`).then(({ status }) => arguments[0](status))";

fn large_batches(passages: &[Passage]) -> usize {
    let is_one = |passage: &&Passage| {
        passage.target.contains("/api/images/batch") && passage.target.contains("size=256")
    };
    passages.iter().filter(is_one).count()
}

/// The list comes with its answer, the modal's picture from the store; after a reload nothing is asked of
/// it again.
pub(super) async fn from_the_store(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    let stage = Stage::set().await?;
    let mut browser = stage.enter(visit).await?;
    ensure!(stage.asked().is_empty(), "small pictures came from the store: {:?}", stage.asked());

    browser.click(&row(1)).await?;
    browser.wait_visible(MODAL).await?;
    browser.wait("a sharp picture", SHARP).await?;
    ensure!(stage.asked().len() == 1, "{:?}", stage.asked());
    ensure!(large_batches(&browser.passages()) == 1, "{:?}", browser.passages());

    browser.wait("IndexedDB has the large picture", LARGE_IS_STORED).await?;
    browser.reload().await?;
    browser.wait("a sharp picture", SHARP).await?;
    ensure!(stage.asked().len() == 1, "kept under another name than its URL: {:?}", stage.asked());
    browser.require_clean().await?;
    browser.end().await;
    Ok(())
}

/// The store refuses two hints in a row: the small picture stays up, each refusal costs one batch, and the
/// sharp one comes by itself.
pub(super) async fn refused(visit: &mut Visit<'_>) -> Result<()> {
    visit.open("/sign-in").await?;
    visit.wait_visible(&hook("demo-sign-in")).await?;
    let stage = Stage::set().await?;
    let mut browser = stage.enter(visit).await?;

    // The server looks once whether the store has the picture.
    let status: u16 = browser.eval_async(ASK_FOR_LARGE).await?;
    ensure!(status == 200, "the batch answered {status}");
    let before = browser.passages().len();
    let kind = FaultKind::Refused { status: 403, retry_after: None };
    stage.gate.set_faults(&[Fault { path: "/pictures/renditions", kind }]);
    browser.observe().await?;
    browser.click(&row(1)).await?;
    browser.wait_visible(MODAL).await?;
    let twice = |passages: &[Passage]| large_batches(&passages[before..]) >= 2;
    browser.wait_passages("a batch for each refusal", twice).await?;
    stage.gate.set_faults(&[]);
    browser.wait("a sharp picture", SHARP).await?;
    let refused = stage.asked().iter().filter(|passage| passage.status == Some(403)).count();
    let batches = large_batches(&browser.passages()[before..]);
    ensure!(refused >= 1 && batches == refused + 1, "{refused} refusals, {batches} batches");
    browser.require_no_gap().await?;

    browser.press(Key::Escape).await?;
    browser.wait_gone(MODAL).await?;
    // That the store refused stands in the console.
    browser.forgive().await?;
    browser.end().await;
    Ok(())
}
