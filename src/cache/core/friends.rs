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
    viewed: Option<ListView>,
    pub(super) handed: Option<FriendsView>,
    /// Whether the pages may be out of line, and whether the view, or its rows too, may differ from
    /// what was handed out: thousands of rows are not looked through for nothing.
    unaligned: bool,
    unseen: bool,
    unseen_rows: bool,
    /// The pages whose rows are looked at, the first, and the one that is lacking next, as of the
    /// last [`Self::align`].
    wanted: Vec<usize>,
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
        Self {
            pages: vec![page],
            viewed: None,
            handed: None,
            unaligned: true,
            unseen: true,
            unseen_rows: true,
            wanted: Vec::new(),
        }
    }

    /// The page shows these rows.
    pub(super) fn look_at(&mut self, view: ListView) {
        self.viewed = Some(view);
        (self.unaligned, self.unseen) = (true, true);
    }

    /// How the list is looked at, if this page has one.
    pub(super) fn viewed(&self) -> Option<&ListView> {
        self.viewed.as_ref()
    }

    fn touch(&mut self) {
        (self.unaligned, self.unseen, self.unseen_rows) = (true, true, true);
    }

    /// Points each page at the cursor that the one before it names; makes the next one if its rows
    /// are looked at, at most `limit` in all. Returns those that are wanted.
    pub(super) fn align(&mut self, limit: usize) -> &[usize] {
        if std::mem::take(&mut self.unaligned) {
            self.chain(limit);
            self.wanted = self.find_wanted();
        }
        &self.wanted
    }

    fn chain(&mut self, limit: usize) {
        let mut expected = Some(FIRST);
        let end = self.viewed.as_ref().map_or(0, |viewed| viewed.rows.end);
        let (mut at, mut rows) = (0, 0);
        while let Some(key) = expected.take() {
            let needed = at == 0 || rows < end;
            match self.pages.get_mut(at) {
                Some(page) if page.key == key => {}
                Some(page) => {
                    page.turn_to(key);
                    (self.unseen, self.unseen_rows) = (true, true);
                }
                None if needed && at < limit => {
                    self.pages.push(Doc::new(key));
                    self.unseen = true;
                }
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
        if at < self.pages.len() {
            (self.unseen, self.unseen_rows) = (true, true);
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

    pub(super) fn find_wanted(&self) -> Vec<usize> {
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
    pub(super) fn find(&self, key: &DocumentKey) -> Option<&Doc> {
        self.pages.iter().find(|page| page.key == *key)
    }

    pub(super) fn find_mut(&mut self, key: &DocumentKey) -> Option<&mut Doc> {
        self.touch();
        self.pages.iter_mut().find(|page| page.key == *key)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Doc> {
        self.touch();
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

    /// The list as it is to be shown.
    pub(super) fn view(&self) -> FriendsView {
        FriendsView { friends: self.rows(), state: self.state(), has_more: self.has_more() }
    }

    /// Hands out the view as it is now. Returns whether that is news.
    pub(super) fn hand_out(&mut self) -> bool {
        if !std::mem::take(&mut self.unseen) {
            return false;
        }
        let rows_stay = !std::mem::take(&mut self.unseen_rows);
        let (state, has_more) = (self.state(), self.has_more());
        let (view, is_news) = match self.handed.take() {
            Some(FriendsView { friends, state: before, has_more: had_more }) if rows_stay => {
                let is_news = (before, had_more) != (state, has_more);
                (FriendsView { friends, state, has_more }, is_news)
            }
            before => {
                let view = self.view();
                let nothing = view.friends.is_empty() && state == ListState::Loading;
                let is_news = before.map_or(!nothing, |before| before != view);
                (view, is_news)
            }
        };
        self.handed = Some(view);
        is_news
    }

    /// A friend who stands on two pages is shown on the first.
    fn rows(&self) -> Vec<Friend> {
        let mut seen = BTreeSet::new();
        let pages = (0..self.pages.len()).filter_map(|at| self.page(at));
        pages
            .flat_map(|page| &page.friends)
            .filter(|friend| seen.insert(&friend.user_id))
            .cloned()
            .collect()
    }

    fn state(&self) -> ListState {
        let mut wanted = self.find_wanted().into_iter().filter_map(|at| self.pages.get(at));
        match wanted.rfind(|page| !page.is_current()) {
            None => ListState::Ready,
            Some(page) => page.failure.map_or(ListState::Loading, ListState::Failed),
        }
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
