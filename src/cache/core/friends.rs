//! The friend list: a chain of pages, each asked for by the cursor that the page before it names.

use std::collections::BTreeSet;

use miniature_api::{Friend, FriendsPage, UserId};

use super::{
    documents::{Doc, Kept},
    event::ListView,
    view::{FriendsView, ListState},
};
use crate::cache::document::{Body, DocumentKey};

/// The facts about the list.
///
/// **Invariant:** a page that does not follow on the one before it is shown, and nothing is asked
/// behind it, until its replacement is there.
#[derive(Clone, Debug)]
pub(super) struct Friends {
    pages: Vec<Doc>,
    /// None: this page has no list.
    pub(super) viewed: Option<ListView>,
    pub(super) handed: Option<FriendsView>,
}

/// The name of the first page.
pub(super) const FIRST: DocumentKey = DocumentKey::Friends(None);

impl Friends {
    /// The list of an account, of which a layer may know the first page.
    pub(super) fn new(first: Option<Kept>) -> Self {
        let mut page = Doc::new(FIRST);
        if let Some(first) = first {
            page.keep(first);
        }
        Self { pages: vec![page], viewed: None, handed: None }
    }

    /// Points each page at the cursor that the one before it names; makes the next one if its rows
    /// are looked at, at most `limit` in all.
    pub(super) fn align(&mut self, limit: usize) {
        let mut expected = Some(FIRST);
        let end = self.viewed.as_ref().map_or(0, |viewed| viewed.rows.end);
        let (mut at, mut rows) = (0, 0);
        while let Some(key) = expected.take() {
            let needed = at == 0 || rows < end;
            match self.pages.get_mut(at) {
                Some(page) => page.turn_to(key),
                None if needed && at < limit => self.pages.push(Doc::new(key)),
                None => return,
            }
            if !self.pages[at].is_current() {
                return;
            }
            let page = self.page(at);
            rows += page.map_or(0, |page| page.friends.len());
            expected = page.and_then(|page| self.after(at, page));
            at += 1;
        }
        self.pages.truncate(at);
    }

    /// The page after this one. A page without rows, or one that leads back, is the last: a list
    /// that never ends would be asked for without end.
    fn after(&self, at: usize, page: &FriendsPage) -> Option<DocumentKey> {
        let next = page.next.as_deref().filter(|_| !page.friends.is_empty())?;
        let key = DocumentKey::Friends(Some(next.into()));
        self.pages[..=at].iter().all(|before| before.key != key).then_some(key)
    }

    fn page(&self, at: usize) -> Option<&FriendsPage> {
        match &self.pages.get(at)?.kept.as_ref()?.document.body {
            Body::Friends(page) => Some(page),
            Body::Profile(_) => None,
        }
    }

    /// The pages whose rows are looked at, the first, and the one that is lacking next.
    pub(super) fn wanted(&self) -> Vec<usize> {
        let mut rows = 0;
        let mut wanted = Vec::new();
        let Some(ListView { rows: viewed, .. }) = &self.viewed else {
            return wanted;
        };
        for at in 0..self.pages.len() {
            let count = self.page(at).map_or(0, |page| page.friends.len());
            let current = self.pages[at].is_current();
            // A view beyond the end is one of the last page.
            let is_last = at + 1 == self.pages.len();
            let end = if current && !is_last { rows + count } else { usize::MAX };
            let seen = rows < viewed.end && viewed.start < end;
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
    pub(super) fn find_mut(&mut self, key: &DocumentKey) -> Option<&mut Doc> {
        self.pages.iter_mut().find(|page| page.key == *key)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Doc> {
        self.pages.iter_mut()
    }

    /// Whether anything of the page is shown.
    pub(super) fn is_empty(&self, key: &DocumentKey) -> bool {
        self.pages.iter().all(|page| page.key != *key || page.kept.is_none())
    }

    /// The users on the page that is shown for `key`.
    pub(super) fn users(&self, key: &DocumentKey) -> Vec<UserId> {
        let at = self.pages.iter().position(|page| page.key == *key);
        let page = at.filter(|at| self.pages[*at].is_current()).and_then(|at| self.page(at));
        page.map_or(Vec::new(), |page| page.friends.iter().map(|f| f.user_id.clone()).collect())
    }

    /// The list as it is to be shown. Who stands on two pages is shown on the first.
    pub(super) fn view(&self) -> FriendsView {
        let mut seen = BTreeSet::new();
        let pages = (0..self.pages.len()).filter_map(|at| self.page(at));
        let friends: Vec<Friend> = pages
            .flat_map(|page| &page.friends)
            .filter(|friend| seen.insert(friend.user_id.clone()))
            .cloned()
            .collect();
        let mut wanted = self.wanted().into_iter().filter_map(|at| self.pages.get(at));
        let lacking = wanted.rfind(|page| !page.is_current());
        let state = match lacking {
            None => ListState::Ready,
            Some(page) => page.failure.map_or(ListState::Loading, ListState::Failed),
        };
        FriendsView { friends, state, has_more: self.has_more() }
    }

    fn has_more(&self) -> bool {
        let Some(last) = self.pages.len().checked_sub(1) else {
            return false;
        };
        match self.page(last).filter(|_| self.pages[last].is_current()) {
            Some(page) => self.after(last, page).is_some(),
            None => true,
        }
    }
}
