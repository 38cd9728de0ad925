//! Which loads are listed.

use crate::cache::{
    event::{Load, Outcome},
    key::Source,
};

/// What a listed load has in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filter {
    /// Part of the user's id, in any case; empty for all.
    pub(super) user: String,
    /// The layer that decided it; none for all.
    pub(super) layer: Option<Source>,
    /// It took longer than so many milliseconds.
    pub(super) slower_than: f64,
}

impl Filter {
    pub(super) fn admits(&self, load: &Load) -> bool {
        let user = load.user.as_str().to_lowercase();
        user.contains(&self.user.trim().to_lowercase())
            && self.layer.is_none_or(|layer| decided_by(load.outcome) == Some(layer))
            // With 0 those, too, that took no time.
            && (self.slower_than <= 0.0 || load.took_ms > self.slower_than)
    }
}

/// The layer that gave the picture, or said that there is none.
pub(super) fn decided_by(outcome: Outcome) -> Option<Source> {
    match outcome {
        Outcome::Shown(source) | Outcome::Negative(source) => Some(source),
        Outcome::Failed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniature_api::Size;

    #[test]
    fn a_load_is_listed_if_it_has_all_that_is_asked_for() {
        let load = Load {
            user: "agnes-holm".parse().unwrap(),
            size: Size::S64,
            outcome: Outcome::Shown(Source::Network),
            asked_ms: 0.0,
            took_ms: 40.0,
            bytes: 900,
            path: Vec::new(),
        };
        let filter =
            |user: &str, layer, slower_than| Filter { user: user.into(), layer, slower_than };
        let cases = [
            (Filter::default(), true),
            (filter(" Holm", None, 0.0), true),
            (filter("ada", None, 0.0), false),
            (filter("", Some(Source::Network), 0.0), true),
            (filter("", Some(Source::Memory), 0.0), false),
            (filter("", None, 39.0), true),
            (filter("", None, 40.0), false),
        ];
        for (filter, expected) in cases {
            assert_eq!(filter.admits(&load), expected, "{filter:?}");
        }
        let failed = Load { outcome: Outcome::Failed, took_ms: 0.0, ..load };
        assert!(Filter::default().admits(&failed));
        assert!(!filter("", Some(Source::Network), 0.0).admits(&failed));
    }
}
