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

    /// Points each page at the cursor that the one before it names, and makes the next one, at most
    /// `limit` in all. Returns those that are wanted.
    pub(super) fn align(&mut self, limit: usize) -> &[usize] {
        if std::mem::take(&mut self.unaligned) {
            self.chain(limit);
            self.wanted = self.find_wanted();
        }
        &self.wanted
    }

    fn chain(&mut self, limit: usize) {
        let mut expected = Some(FIRST);
        let mut at = 0;
        while let Some(key) = expected.take() {
            match self.pages.get_mut(at) {
                Some(page) if page.key == key => {}
                Some(page) => page.turn_to(key),
                None if at < limit => self.pages.push(Doc::new(key)),
                None => return,
            }
            if !self.pages[at].is_current() {
                return;
            }
            expected = self.page(at).and_then(|page| self.after(at, page));
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

#[cfg(test)]
mod tests {
    use miniature_api::{Lineage, Record, Revision};

    use super::*;
    use crate::cache::{
        clock::{Moment, Timestamp},
        document::Document,
    };

    fn row(index: usize) -> Friend {
        let user_id: UserId = format!("user{index}").parse().unwrap();
        let picture = Record {
            user_id: user_id.clone(),
            revision: Revision(1),
            image_id: None,
            thumbhash: None,
        };
        Friend { user_id, name: String::new(), headline: String::new(), picture }
    }

    /// A page of two rows.
    fn page(at: usize, next: Option<&str>) -> Kept {
        let key = match at {
            0 => FIRST,
            _ => DocumentKey::Friends(Some(at.to_string().into())),
        };
        let friends = (2 * at..2 * at + 2).map(row).collect();
        let body = Body::Friends(FriendsPage { friends, next: next.map(Into::into) });
        let lineage: Lineage = "1800000000000-0000000000000001".parse().unwrap();
        let document = Document { key, body, etag: None, lineage, checked_at: Timestamp(0) };
        Kept { document, asked: Moment::NEVER, fresh_until: Moment::NEVER }
    }

    /// So many pages of a list of `all`.
    fn loaded(count: usize, all: usize) -> Friends {
        let mut friends = Friends::new(None);
        look(&mut friends, 0..100);
        for at in 0..count {
            friends.align(10);
            let next = (at + 1 < all).then(|| (at + 1).to_string());
            let kept = page(at, next.as_deref());
            friends.find_mut(&kept.document.key.clone()).unwrap().keep(kept);
        }
        look(&mut friends, 0..0);
        friends.align(10);
        friends
    }

    fn look(friends: &mut Friends, rows: std::ops::Range<usize>) {
        friends.look_at(ListView { rows, pictures: None });
    }

    #[test]
    fn the_first_page_and_those_whose_rows_are_seen_are_wanted() {
        let cases = [
            (0..1, vec![0]),
            (0..2, vec![0]),
            (0..3, vec![0, 1]),
            (1..4, vec![0, 1]),
            (2..4, vec![0, 1]),
            (3..5, vec![0, 1, 2]),
            (4..6, vec![0, 2]),
            (0..6, vec![0, 1, 2]),
            (90..99, vec![0, 2]),
        ];
        let mut friends = loaded(3, 3);
        assert_eq!(friends.view().friends.len(), 6);
        for (rows, expected) in cases {
            look(&mut friends, rows.clone());
            assert_eq!(friends.align(10), expected, "{rows:?}");
        }
        let mut longer = loaded(5, 5);
        look(&mut longer, 6..8);
        assert_eq!(longer.align(10), [0, 3]);
    }

    #[test]
    fn the_next_page_is_wanted_when_its_rows_are_seen() {
        let cases = [
            // pages there, rows seen, wanted
            (1, 0..2, vec![0]),
            (1, 0..3, vec![0, 1]),
            (2, 0..4, vec![0, 1]),
            (2, 0..5, vec![0, 1, 2]),
            (3, 0..99, vec![0, 1, 2]),
        ];
        for (count, rows, expected) in cases {
            let mut friends = loaded(count, 3);
            look(&mut friends, rows.clone());
            assert_eq!(friends.align(10), expected, "{count} pages, {rows:?}");
        }
    }

    #[test]
    fn no_more_pages_are_wanted_than_are_allowed() {
        for (limit, expected) in [(1, vec![0]), (2, vec![0, 1]), (3, vec![0, 1])] {
            let mut friends = Friends::new(Some(page(0, Some("1"))));
            look(&mut friends, 0..99);
            assert_eq!(friends.align(limit), expected, "of {limit}");
        }
    }

    #[test]
    fn a_page_stays_in_view_until_the_one_that_now_follows_is_there() {
        let mut friends = loaded(2, 2);
        let later = Moment::of(std::time::Duration::ZERO);
        let first = Kept { asked: later, ..page(0, Some("9")) };
        friends.find_mut(&FIRST).unwrap().keep(first);
        look(&mut friends, 0..99);
        assert_eq!(friends.align(10), [0, 1]);
        assert_eq!(friends.view().friends.len(), 4);
        assert_eq!(friends.view().state, ListState::Loading);
    }

    #[test]
    fn a_list_that_grew_shorter_has_fewer_pages() {
        let mut friends = loaded(3, 3);
        let later = Moment::of(std::time::Duration::ZERO);
        friends.find_mut(&FIRST).unwrap().keep(Kept { asked: later, ..page(0, None) });
        look(&mut friends, 0..99);
        assert_eq!(friends.align(10), [0]);
        assert_eq!(friends.view().friends.len(), 2);
        assert!(!friends.view().has_more);
    }

    #[test]
    fn only_what_differs_is_news() {
        let mut friends = Friends::new(None);
        look(&mut friends, 0..9);
        friends.align(10);
        assert!(!friends.hand_out(), "nothing yet");
        friends.find_mut(&FIRST).unwrap().keep(page(0, None));
        assert!(friends.hand_out());
        look(&mut friends, 0..2);
        assert!(!friends.hand_out(), "the same rows");
        friends.find_mut(&FIRST).unwrap().failure =
            Some(crate::cache::layer::OriginError::Malformed);
        assert!(!friends.hand_out(), "what is shown has not failed");
        assert_eq!(friends.users(&FIRST).len(), 2);

        let (mut friends, mut empty) = (Friends::new(None), page(0, None));
        if let Body::Friends(page) = &mut empty.document.body {
            page.friends.clear();
        }
        look(&mut friends, 0..9);
        friends.find_mut(&FIRST).unwrap().keep(empty);
        friends.align(10);
        assert!(friends.hand_out(), "there are none");
    }
}
