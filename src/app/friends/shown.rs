//! The rows that are shown: all, or those that a name was looked for in; and which of them are drawn.

use super::band::Band;
use crate::{browser::text, cache::core::Rows, store::FriendList};
use leptos::prelude::*;
use miniature_api::{Friend, UserId};
use std::collections::HashMap;

/// The rows that are shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shown {
    /// All of them.
    All(Rows),
    /// Those at these places, which a search has found.
    Found(Rows, Vec<usize>),
}

impl Shown {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(rows) => rows.len(),
            Self::Found(_, places) => places.len(),
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<&Friend> {
        match self {
            Self::All(rows) => rows.get(at),
            Self::Found(rows, places) => rows.get(*places.get(at)?),
        }
    }

    pub(super) fn is_search(&self) -> bool {
        matches!(self, Self::Found(..))
    }

    /// The rows near the viewport, and the one that has the focus: the keyboard goes on from there.
    pub(super) fn drawn(&self, band: &Band, focused: Option<&Place>) -> Vec<Place> {
        let near = band.drawn(self.len());
        let place = |at| self.get(at).map(|friend| Place { at, friend: friend.clone() });
        let focused = focused.and_then(|place| self.find(place)).filter(|at| !near.contains(at));
        let (before, after) =
            (focused.filter(|at| *at < near.start), focused.filter(|at| *at >= near.end));
        before.into_iter().chain(near).chain(after).filter_map(place).collect()
    }

    /// Where somebody stands now who stood at `place`.
    fn find(&self, place: &Place) -> Option<usize> {
        let is_them =
            |at: &usize| self.get(*at).is_some_and(|friend| friend.user_id == place.friend.user_id);
        Some(place.at).filter(is_them).or_else(|| (0..self.len()).find(is_them))
    }
}

/// A friend, and where they stand among the rows that are shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) friend: Friend,
}

/// What a row is made anew for: its picture follows by itself.
pub(super) type Words = (UserId, String, String);

impl Place {
    pub(super) fn words(&self) -> Words {
        let Friend { user_id, name, headline, .. } = &self.friend;
        (user_id.clone(), name.clone(), headline.clone())
    }
}

/// The rows whose names contain what is `wanted`, without regard to capitals and accents; all, if
/// that is nothing.
pub(super) fn use_shown(list: &FriendList, wanted: RwSignal<String>) -> Memo<Shown> {
    let friends = list.friends_signal();
    let folded = StoredValue::new(HashMap::<String, String>::new());
    Memo::new(move |_| {
        let wanted = text::folded(wanted.read().trim());
        let rows = friends.get();
        if wanted.is_empty() {
            return Shown::All(rows);
        }
        let mut places = Vec::new();
        folded.update_value(|folded| {
            for (at, friend) in rows.iter().enumerate() {
                let name =
                    folded.entry(friend.name.clone()).or_insert_with(|| text::folded(&friend.name));
                if name.contains(&wanted) {
                    places.push(at);
                }
            }
        });
        Shown::Found(rows, places)
    })
}
