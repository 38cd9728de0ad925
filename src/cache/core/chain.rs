//! The pages of a list: each is asked for by the key that the page before it names.

use std::{collections::BTreeSet, ops::Range};

use super::{
    documents::{Doc, Kept},
    view::ListState,
};
use crate::cache::document::{Body, DocumentKey};

/// The facts about the pages of a list.
///
/// **Invariant:** a page that does not follow on the one before it is shown, and nothing is asked
/// behind it, until its replacement is there.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pages: Vec<Doc>,
    /// The rows that are looked at; none: there is no such list on this page.
    viewed: Option<Range<usize>>,
    /// So many rows behind those are to be there, however old.
    ahead: usize,
    /// Whether the pages may be out of line.
    unaligned: bool,
    /// The pages whose rows are looked at, the first, and the one that is lacking next or ahead, as of the
    /// last [`Self::align`].
    wanted: Vec<usize>,
}

impl Chain {
    /// A list that begins with the page `first`, which a layer may know.
    pub(super) fn new(first: DocumentKey, kept: Option<Kept>) -> Self {
        let mut page = Doc::new(first);
        if let Some(kept) = kept {
            page.keep(kept);
        }
        Self { pages: vec![page], viewed: None, ahead: 0, unaligned: true, wanted: Vec::new() }
    }

    /// These rows are looked at, and so many are to be there behind them.
    pub(super) fn look_at(&mut self, rows: Option<Range<usize>>, ahead: usize) {
        (self.viewed, self.ahead, self.unaligned) = (rows, ahead, true);
    }

    #[cfg(test)]
    pub(super) fn is_viewed(&self) -> bool {
        self.viewed.is_some()
    }

    /// Points each page at the key that the one before it names, and makes the next one, at most
    /// `limit` in all. Returns those that are wanted.
    pub(super) fn align(&mut self, limit: usize) -> &[usize] {
        if std::mem::take(&mut self.unaligned) {
            self.follow(limit);
            self.wanted = self.find_wanted();
        }
        &self.wanted
    }

    fn follow(&mut self, limit: usize) {
        let mut expected = self.pages.first().map(|page| page.key.clone());
        let mut at = 0;
        let mut led = BTreeSet::new();
        while let Some(key) = expected.take() {
            led.insert(key.clone());
            match self.pages.get_mut(at) {
                Some(page) if page.key == key => {}
                Some(page) => page.turn_to(key),
                None if at < limit => self.pages.push(Doc::new(key)),
                None => return,
            }
            if !self.pages[at].is_current() {
                return;
            }
            // A page that leads back is the last: a list that never ends would be asked for without end.
            expected = self.body(at).and_then(Body::next).filter(|key| !led.contains(key));
            at += 1;
        }
        self.pages.truncate(at);
    }

    fn body(&self, at: usize) -> Option<&Body> {
        Some(&self.pages.get(at)?.kept.as_ref()?.document.body)
    }

    pub(super) fn find_wanted(&self) -> Vec<usize> {
        let mut rows = 0;
        let mut wanted = Vec::new();
        let Some(viewed) = &self.viewed else {
            return wanted;
        };
        for at in 0..self.pages.len() {
            let count = self.body(at).map_or(0, Body::rows);
            let current = self.pages[at].is_current();
            // A view beyond the end is one of the last page.
            let is_last = at + 1 == self.pages.len();
            let end = if current && !is_last { rows + count } else { usize::MAX };
            let ahead = if current { 0 } else { self.ahead };
            let seen = rows < viewed.end.saturating_add(ahead) && viewed.start < end;
            if at == 0 || seen {
                wanted.push(at);
            }
            if !current {
                break;
            }
            rows += count;
        }
        wanted
    }

    pub(super) fn get(&self, at: usize) -> Option<&Doc> {
        self.pages.get(at)
    }

    /// The page that asks for `key`.
    pub(super) fn find(&self, key: &DocumentKey) -> Option<&Doc> {
        self.pages.iter().find(|page| page.key == *key)
    }

    pub(super) fn find_mut(&mut self, key: &DocumentKey) -> Option<&mut Doc> {
        self.unaligned = true;
        self.pages.iter_mut().find(|page| page.key == *key)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Doc> {
        self.unaligned = true;
        self.pages.iter_mut()
    }

    /// What is shown of each page, in order.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Body> {
        (0..self.pages.len()).filter_map(|at| self.body(at))
    }

    /// What is shown for `key`, if that is what was asked for.
    pub(super) fn current(&self, key: &DocumentKey) -> Option<&Body> {
        let page = self.find(key).filter(|page| page.is_current())?;
        page.kept.as_ref().map(|kept| &kept.document.body)
    }

    /// What is kept of each page, to change it in its place.
    pub(super) fn kept_mut(&mut self) -> impl Iterator<Item = &mut Kept> {
        self.pages.iter_mut().filter_map(|page| page.kept.as_mut())
    }

    /// Whether anything of the page is shown.
    pub(super) fn is_empty(&self, key: &DocumentKey) -> bool {
        self.pages.iter().all(|page| page.key != *key || page.kept.is_none())
    }

    pub(super) fn state(&self) -> ListState {
        let mut wanted = self.find_wanted().into_iter().filter_map(|at| self.pages.get(at));
        match wanted.rfind(|page| !page.is_current()) {
            None => ListState::Ready,
            Some(page) => page.failure.map_or(ListState::Loading, ListState::Failed),
        }
    }

    pub(super) fn has_more(&self) -> bool {
        let Some(last) = self.pages.len().checked_sub(1) else {
            return false;
        };
        match self.body(last).filter(|_| self.pages[last].is_current()) {
            Some(body) => {
                body.next().is_some_and(|key| self.pages.iter().all(|page| page.key != key))
            }
            None => true,
        }
    }
}
