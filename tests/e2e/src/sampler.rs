//! What runs in the page before the app, and what it saw.

use serde::Deserialize;
use std::time::Duration;

const SOURCE: &str = include_str!("sampler.js");

/// What the page is made to believe, from its next load on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    /// How far the page's clock is ahead.
    pub(crate) clock_ahead: Duration,
    /// Whether touching IndexedDB is refused.
    pub(crate) deny_indexed_db: bool,
}

impl Script {
    pub(crate) fn source(self) -> String {
        let shift = self.clock_ahead.as_millis();
        SOURCE
            .replace("/*SHIFT_MS*/ 0", &shift.to_string())
            .replace("/*DENY_INDEXED_DB*/ false", &self.deny_indexed_db.to_string())
    }
}

/// What the sampler saw since the page was loaded or the observation begun anew.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Seen {
    /// Frames in which the friend list was visible and its pictures were judged.
    pub(crate) judged: u32,
    /// Visible rows without their picture, one entry a frame.
    pub(crate) gaps: Vec<Gap>,
    pub(crate) problems: Vec<Problem>,
    /// Milliseconds since navigation.
    pub(crate) wasm_started_at: Option<f64>,
    /// Object URLs that have not been revoked.
    pub(crate) live_urls: u32,
    pub(crate) peak_urls: u32,
    /// The modal in the first frame in which it was open.
    pub(crate) modal: Option<ModalFrame>,
}

/// A row that a frame showed without its picture.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Gap {
    pub(crate) at: f64,
    pub(crate) user: String,
    pub(crate) why: String,
}

/// Something that must not happen.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Problem {
    pub(crate) kind: String,
    pub(crate) text: String,
}

/// The modal's picture in one frame.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ModalFrame {
    pub(crate) width: u32,
    pub(crate) complete: bool,
    /// Whether it is visible, and not waiting behind another.
    pub(crate) shown: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_journey_asks_for_stands_in_the_script() {
        let script =
            Script { clock_ahead: Duration::from_secs(60), deny_indexed_db: true }.source();

        assert!(script.contains("const shift = 60000;"));
        assert!(script.contains("const denyIndexedDb = true;"));
    }

    #[test]
    fn by_default_the_page_is_left_as_it_is() {
        let script = Script::default().source();

        assert!(script.contains("const shift = 0;"));
        assert!(script.contains("const denyIndexedDb = false;"));
    }
}
