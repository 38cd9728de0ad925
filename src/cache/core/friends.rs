//! The friend list.

use std::sync::Arc;

use miniature_api::{FriendsPage, Profile, UserId};

use super::{
    chain::Chain,
    documents::{Doc, Kept},
    event::ListView,
    rows::{Gathered, Rows},
    view::{FriendsView, ListState},
};
use crate::cache::document::{Body, Document, DocumentKey};

/// The facts about the list.
#[derive(Clone, Debug)]
pub(super) struct Friends {
    chain: Chain,
    /// None: this page has no list.
    viewed: Option<ListView>,
    pub(super) handed: Option<FriendsView>,
    /// The rows as they were handed out.
    gathered: Gathered,
    /// Whether the view, or its rows too, may differ from what was handed out: thousands of rows are not
    /// looked through for nothing.
    unseen: bool,
    unseen_rows: bool,
}

/// The name of the first page.
pub(super) const FIRST: DocumentKey = DocumentKey::Friends(None);

impl Friends {
    /// The list of an account, of which a layer may know the first page.
    pub(super) fn new(first: Option<Kept>) -> Self {
        Self {
            chain: Chain::new(FIRST, first),
            viewed: None,
            handed: None,
            gathered: Gathered::default(),
            unseen: true,
            unseen_rows: true,
        }
    }

    /// The page shows these rows.
    pub(super) fn look_at(&mut self, view: ListView) {
        self.chain.look_at(Some(view.rows.clone()), view.ahead);
        self.viewed = Some(view);
        self.unseen = true;
    }

    /// How the list is looked at, if this page has one.
    pub(super) fn viewed(&self) -> Option<&ListView> {
        self.viewed.as_ref()
    }

    pub(super) fn align(&mut self, limit: usize) -> &[usize] {
        self.chain.align(limit)
    }

    pub(super) fn get(&self, at: usize) -> Option<&Doc> {
        self.chain.get(at)
    }

    pub(super) fn find(&self, key: &DocumentKey) -> Option<&Doc> {
        self.chain.find(key)
    }

    pub(super) fn find_mut(&mut self, key: &DocumentKey) -> Option<&mut Doc> {
        (self.unseen, self.unseen_rows) = (true, true);
        self.chain.find_mut(key)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Doc> {
        (self.unseen, self.unseen_rows) = (true, true);
        self.chain.all_mut()
    }

    #[cfg(test)]
    pub(super) fn find_wanted(&self) -> Vec<usize> {
        self.chain.find_wanted()
    }

    /// Whether anything of the page is shown.
    pub(super) fn is_empty(&self, key: &DocumentKey) -> bool {
        self.chain.is_empty(key)
    }

    /// The users on the page that is shown for `key`.
    pub(super) fn users(&self, key: &DocumentKey) -> Vec<UserId> {
        let page = self.chain.current(key).and_then(page);
        page.map_or(Vec::new(), |page| page.friends.iter().map(|f| f.user_id.clone()).collect())
    }

    /// A friend calls themself something else. Returns the pages that say so now.
    pub(super) fn rename(&mut self, profile: &Profile) -> Vec<Document> {
        let Profile { user_id, name, headline, .. } = profile;
        let mut changed = Vec::new();
        for kept in self.chain.kept_mut() {
            let Body::Friends(page) = &mut kept.document.body else { continue };
            let Some(at) = page.friends.iter().position(|row| row.user_id == *user_id) else {
                continue;
            };
            if (&page.friends[at].name, &page.friends[at].headline) != (name, headline) {
                let row = &mut Arc::make_mut(page).friends[at];
                (row.name, row.headline) = (name.clone(), headline.clone());
                kept.document.etag = None;
                changed.push(kept.document.clone());
            }
        }
        if !changed.is_empty() {
            (self.unseen, self.unseen_rows) = (true, true);
        }
        changed
    }

    /// The list as it is to be shown.
    pub(super) fn view(&self) -> FriendsView {
        FriendsView {
            friends: self.rows(),
            state: self.chain.state(),
            has_more: self.chain.has_more(),
        }
    }

    fn rows(&self) -> Rows {
        if !self.unseen_rows {
            return self.gathered.rows().clone();
        }
        let mut gathered = self.gathered.clone();
        gathered.follow(self.shown());
        gathered.rows().clone()
    }

    /// The pages that there are rows of.
    fn shown(&self) -> impl Iterator<Item = &Arc<FriendsPage>> {
        self.chain.shown().filter_map(page)
    }

    /// Hands out the view as it is now. Returns whether that is news.
    pub(super) fn hand_out(&mut self) -> bool {
        if !std::mem::take(&mut self.unseen) {
            return false;
        }
        if std::mem::take(&mut self.unseen_rows) {
            let mut gathered = std::mem::take(&mut self.gathered);
            gathered.follow(self.shown());
            self.gathered = gathered;
        }
        let view = self.view();
        let nothing = view.friends.is_empty() && view.state == ListState::Loading;
        let is_news = self.handed.as_ref().map_or(!nothing, |before| *before != view);
        self.handed = Some(view);
        is_news
    }
}

fn page(body: &Body) -> Option<&Arc<FriendsPage>> {
    match body {
        Body::Friends(page) => Some(page),
        Body::Feed(_) | Body::Profile(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use miniature_api::{Friend, Lineage, Record, Revision};

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
        let body = Body::Friends(FriendsPage { friends, next: next.map(Into::into) }.into());
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
        friends.look_at(ListView { rows, pictures: None, ahead: 0 });
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
            Arc::make_mut(page).friends.clear();
        }
        look(&mut friends, 0..9);
        friends.find_mut(&FIRST).unwrap().keep(empty);
        friends.align(10);
        assert!(friends.hand_out(), "there are none");
    }
}
