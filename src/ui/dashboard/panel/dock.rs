//! Where the panel stands.

use crate::browser::session_storage;
use leptos::prelude::*;

/// What the tab remembers it under.
const KEY: &str = "miniature:v1:dashboard-docked";
/// From this width on, in CSS pixels, there is room for the page beside it.
const ROOM_BESIDE: f64 = 1_100.0;

/// A side of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dock {
    Right,
    Below,
}

impl Dock {
    /// As it was left in this tab; else where there is room.
    pub(super) fn remembered() -> Self {
        let width = window().inner_width().ok().and_then(|width| width.as_f64());
        let is_wide = width.is_some_and(|width| width >= ROOM_BESIDE);
        match session_storage::get(KEY).as_deref() {
            Some("right") => Self::Right,
            Some("below") => Self::Below,
            _ if is_wide => Self::Right,
            _ => Self::Below,
        }
    }

    pub(super) fn remember(self) {
        session_storage::set(KEY, self.as_str());
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Right => Self::Below,
            Self::Below => Self::Right,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Below => "below",
        }
    }
}
