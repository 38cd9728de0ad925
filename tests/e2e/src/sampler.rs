//! What runs in the page before the app, and what it saw.

use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

const SOURCE: &str = include_str!("sampler.js");

/// Whether each user has a picture, by user id.
pub type Pictured = BTreeMap<String, bool>;

/// What the page is made to believe, from its next load on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// How far the page's clock is ahead.
    pub clock_ahead: Duration,
    /// Whether touching IndexedDB is refused.
    pub deny_indexed_db: bool,
    /// Whether the browser says that the origin stores 90 % of what it may.
    pub nearly_full: bool,
    /// Whether the browser says that it saves data; then nothing is loaded in idle time.
    pub save_data: bool,
    /// Device pixels to a CSS pixel that the window says it has; none for as many as it has.
    pub pixel_ratio: Option<u32>,
    /// Whether the browser has no WebAssembly.
    pub no_web_assembly: bool,
    /// Whether the program waits for `__startApp()`.
    pub hold_app: bool,
    /// How high the window says it is, in CSS pixels; none for as high as it is.
    pub height: Option<u32>,
    /// Whether the page has its service worker. Then what is said here holds until that is gone.
    pub worker: bool,
}

impl Script {
    /// A browser that saves data: nothing is loaded that a journey does not ask for.
    pub const NOTHING_AHEAD: Self = Self {
        clock_ahead: Duration::ZERO,
        deny_indexed_db: false,
        nearly_full: false,
        save_data: true,
        pixel_ratio: None,
        no_web_assembly: false,
        hold_app: false,
        height: None,
        worker: false,
    };

    /// The script for a page whose pictures are judged by who is known to have one.
    pub fn source_knowing(self, pictured: &Pictured) -> String {
        let known = serde_json::to_string(pictured).unwrap_or_else(|_| "{}".to_owned());
        self.source().replace("/*PICTURED*/ {}", &known)
    }

    /// The script, as the page runs it.
    pub fn source(self) -> String {
        let shift = self.clock_ahead.as_millis();
        SOURCE
            .replace("/*SHIFT_MS*/ 0", &shift.to_string())
            .replace("/*DENY_INDEXED_DB*/ false", &self.deny_indexed_db.to_string())
            .replace("/*NEARLY_FULL*/ false", &self.nearly_full.to_string())
            .replace("/*SAVE_DATA*/ false", &self.save_data.to_string())
            .replace("/*NO_WEB_ASSEMBLY*/ false", &self.no_web_assembly.to_string())
            .replace("/*HOLD_APP*/ false", &self.hold_app.to_string())
            .replace("/*PIXEL_RATIO*/ 0", &self.pixel_ratio.unwrap_or(0).to_string())
            .replace("/*HEIGHT*/ 0", &self.height.unwrap_or(0).to_string())
    }
}

/// What the sampler saw since the page was loaded or the observation begun anew.
#[derive(Clone, Debug, Deserialize)]
pub struct Seen {
    /// Frames in which the friend list was visible and its pictures were judged.
    pub judged: u32,
    /// Visible rows without their picture, one entry a frame; the first 200.
    pub gaps: Vec<Gap>,
    /// Frames with at least one such row.
    pub gap_frames: u32,
    /// What the page must not have: errors, violations of its policy, images that do not load.
    pub problems: Vec<Problem>,
    /// Milliseconds since navigation.
    pub wasm_started_at: Option<f64>,
    /// Object URLs that have not been revoked.
    pub live_urls: u32,
    /// The most of them at once.
    pub peak_urls: u32,
    /// The modal in the first frame in which it was open.
    pub modal: Option<ModalFrame>,
}

/// A row that a frame showed without its picture.
#[derive(Clone, Debug, Deserialize)]
pub struct Gap {
    /// Milliseconds since navigation.
    pub at: f64,
    /// Whose row.
    pub user: String,
    /// The state that its picture was in.
    pub why: String,
}

/// Something that must not happen.
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    /// Where it was caught: `console.error`, `csp` and so on.
    pub kind: String,
    /// What was said.
    pub text: String,
    /// Milliseconds since the Unix epoch, by the machine's clock.
    pub at: f64,
}

/// The modal's picture in one frame.
#[derive(Clone, Debug, Deserialize)]
pub struct ModalFrame {
    /// The rendition's own width, in pixels.
    pub width: u32,
    /// Whether it has arrived.
    pub complete: bool,
    /// Whether it is visible, and not waiting behind another.
    pub shown: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_journey_asks_for_stands_in_the_script() {
        let script = Script {
            clock_ahead: Duration::from_secs(60),
            deny_indexed_db: true,
            nearly_full: true,
            save_data: true,
            no_web_assembly: true,
            hold_app: true,
            height: Some(8_000),
            worker: true,
            pixel_ratio: Some(2),
        }
        .source_knowing(&Pictured::from([("grace".to_owned(), true)]));

        assert!(script.contains("moveClock(60000);"));
        assert!(script.contains("const denyIndexedDb = true;"));
        assert!(script.contains("const nearlyFull = true;"));
        assert!(script.contains("const saveData = true;"));
        assert!(script.contains("if (true) window.WebAssembly"));
        assert!(script.contains("if (true) {\n    const compile"));
        assert!(script.contains("const height = 8000;"));
        assert!(script.contains("const pixelRatio = 2;"));
        assert!(script.contains("const pictured = {\"grace\":true};"));
    }

    #[test]
    fn by_default_the_page_is_left_as_it_is() {
        let script = Script::default().source();

        assert!(script.contains("moveClock(0);"));
        assert!(script.contains("const denyIndexedDb = false;"));
        assert!(script.contains("const saveData = false;"));
        assert!(script.contains("const pictured = /*PICTURED*/ {};"));
    }
}
