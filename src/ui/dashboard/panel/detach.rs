//! The panel in a window of its own, which talks to the page that opened it.

use leptos::prelude::*;
use web_sys::{Document, Element};

const NAME: &str = "miniature-lab";
const FEATURES: &str = "popup,width=560,height=860";
const SCRIPT: &str = "/miniature-lab-window.js";
/// What the stylesheet tells it by.
const CLASS: &str = "lab-window";

/// Opens the window, or brings it to the front. False if the browser opens none.
pub(super) fn detach() -> bool {
    let opened = window().open_with_url_and_target_and_features("", NAME, FEATURES);
    let Ok(Some(opened)) = opened else { return false };
    let Some(other) = opened.document() else { return false };
    let _ = opened.focus();
    let is_filled = other.query_selector("script").is_ok_and(|script| script.is_some());
    is_filled || fill(&other).is_some()
}

/// Stylesheets of the page, and the script that puts the panel there.
fn fill(other: &Document) -> Option<()> {
    let (root, head) = (other.document_element()?, other.head()?);
    root.set_class_name(CLASS);
    let _ = root.set_attribute("lang", "en");
    other.set_title("Cache");
    let sheets = document().query_selector_all("link[rel=stylesheet]").ok()?;
    for at in 0..sheets.length() {
        let copy = other.import_node_with_deep(&sheets.get(at)?, true).ok()?;
        head.append_child(&copy).ok()?;
    }
    let script: Element = other.create_element("script").ok()?;
    script.set_attribute("type", "module").ok()?;
    script.set_attribute("src", SCRIPT).ok()?;
    head.append_child(&script).ok()?;
    Some(())
}
