//! Those who look at pictures, and how each of their loads is counted.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

use super::view::{Status, View};
use crate::cache::{
    clock::Moment,
    entry::Bytes,
    event::{Load, Outcome, Step},
    key::{RenditionKey, Source, Wanted},
};

/// Names a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ViewerId(pub(super) u64);

/// Someone who looks at a picture.
#[derive(Clone, Debug)]
pub(super) struct Viewer {
    pub(super) wanted: Wanted,
    /// What it was given when it opened: what was in memory then came from memory, wherever memory
    /// once had it from.
    pub(super) opened: Option<(RenditionKey, Source)>,
    /// Its load, until it has been counted.
    pub(super) load: Option<Waiting>,
}

/// A load that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) since: Moment,
    /// The layers asked within the call that opened it.
    pub(super) path: Vec<Step>,
    /// Whether an attempt failed, and was counted.
    pub(super) failed: bool,
}

/// All of them, by id.
pub(super) type Viewers = BTreeMap<ViewerId, Viewer>;

impl Viewer {
    /// The load that ends with `view`, for those who count: once when it has come to an answer, and
    /// once when its first attempt has failed.
    pub(super) fn count<B: Bytes>(
        &mut self,
        view: &View<B>,
        trail: &[Step],
        now: Moment,
    ) -> Option<Load> {
        let waiting = self.load.as_mut()?;
        let outcome = match (view.status, &view.shown) {
            (Status::Loading, _) => return None,
            (Status::Failed(_), _) if waiting.failed => {
                // The next attempt is a load of its own.
                waiting.since = now;
                return None;
            }
            (Status::Failed(_), _) => Outcome::Failed,
            (Status::Settled, Some(shown)) => Outcome::Shown(shown.source),
            (Status::Settled, None) => Outcome::Negative(last_hit(trail)),
        };
        let (asked, took) = (waiting.since, now.since(waiting.since));
        let mut path = waiting.path.clone();
        path.extend_from_slice(trail);
        if outcome == Outcome::Failed {
            *waiting = Waiting { since: now, path: Vec::new(), failed: true };
        } else {
            self.load = None;
        }
        Some(load_of(&self.wanted, outcome, (asked, took), view, path))
    }
}

/// A load, for those who count: when it was asked for, and how long it took.
pub(super) fn load_of<B: Bytes>(
    wanted: &Wanted,
    outcome: Outcome,
    (asked, took): (Moment, Duration),
    view: &View<B>,
    path: Vec<Step>,
) -> Load {
    let shown = view.shown.as_ref().filter(|_| matches!(outcome, Outcome::Shown(_)));
    Load {
        user: wanted.user.clone(),
        size: wanted.size,
        outcome,
        asked_ms: millis(asked.running()),
        took_ms: millis(took),
        bytes: shown.map_or(0, |shown| shown.rendition.content.byte_len() as u64),
        path,
    }
}

/// In milliseconds.
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The layer that answered last.
fn last_hit(trail: &[Step]) -> Source {
    let hit = trail.iter().rev().find(|step| step.answer.is_hit());
    hit.map_or(Source::Network, |step| step.layer)
}
