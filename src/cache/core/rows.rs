//! The rows of the friend list.
//!
//! **Invariant:** a page costs what it holds, however many came before it.

use std::{collections::BTreeSet, sync::Arc};

use miniature_api::{Friend, FriendsPage, UserId};

/// Rows in the order of the list, nobody twice. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Rows(Vec<Part>);

#[derive(Clone, Debug)]
struct Part {
    page: Arc<FriendsPage>,
    /// How many rows there are up to its end.
    end: usize,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |part| part.end)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at a place of the list.
    pub fn get(&self, index: usize) -> Option<&Friend> {
        let part = self.0.get(self.0.partition_point(|part| part.end <= index))?;
        part.page.friends.get(index + part.page.friends.len() - part.end)
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = &Friend> {
        self.0.iter().flat_map(|part| &part.page.friends)
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        let same = |(one, other): (&Part, &Part)| {
            Arc::ptr_eq(&one.page, &other.page) || one.page.friends == other.page.friends
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

/// Rows that follow the pages of the list.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    pages: Vec<Arc<FriendsPage>>,
    rows: Rows,
    /// The users in them.
    users: BTreeSet<UserId>,
}

impl Gathered {
    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Takes up these pages. Of those that are there already nothing is looked at.
    pub(super) fn follow<'a>(&mut self, pages: impl Iterator<Item = &'a Arc<FriendsPage>>) {
        let mut count = 0;
        for (at, page) in pages.enumerate() {
            count = at + 1;
            let is_there = self.pages.get(at).is_some_and(|held| Arc::ptr_eq(held, page));
            if !is_there && !self.replace(at, page) {
                self.cut(at);
                self.add(page);
            }
        }
        self.cut(count);
    }

    /// Puts a page in the place of one of the same people. Returns whether it was one.
    fn replace(&mut self, at: usize, page: &Arc<FriendsPage>) -> bool {
        let Some(part) = self.rows.0.get_mut(at) else { return false };
        let users = |page: &FriendsPage| {
            page.friends.iter().map(|friend| friend.user_id.clone()).collect::<Vec<_>>()
        };
        let same = users(&part.page) == users(page);
        if same {
            (self.pages[at], part.page) = (Arc::clone(page), Arc::clone(page));
        }
        same
    }

    fn cut(&mut self, at: usize) {
        if at < self.pages.len() {
            self.pages.truncate(at);
            self.rows.0.truncate(at);
            self.users = self.rows.iter().map(|friend| friend.user_id.clone()).collect();
        }
    }

    /// A friend who stands on two pages is shown on the first.
    fn add(&mut self, page: &Arc<FriendsPage>) {
        self.pages.push(Arc::clone(page));
        let is_new = |friend: &&Friend| self.users.insert(friend.user_id.clone());
        let new: Vec<&Friend> = page.friends.iter().filter(is_new).collect();
        let page = if new.len() == page.friends.len() {
            Arc::clone(page)
        } else {
            Arc::new(FriendsPage { friends: new.into_iter().cloned().collect(), next: None })
        };
        let end = self.rows.len() + page.friends.len();
        self.rows.0.push(Part { page, end });
    }
}

#[cfg(test)]
mod tests {
    use miniature_api::{Record, Revision};
    use proptest::prelude::*;

    use super::*;

    fn row(index: u8, name: &str) -> Friend {
        let user_id: UserId = format!("user{index}").parse().unwrap();
        let picture = Record {
            user_id: user_id.clone(),
            revision: Revision(1),
            image_id: None,
            thumbhash: None,
        };
        Friend { user_id, name: name.to_owned(), headline: String::new(), picture }
    }

    fn page(users: &[u8], name: &str) -> Arc<FriendsPage> {
        let friends = users.iter().map(|index| row(*index, name)).collect();
        Arc::new(FriendsPage { friends, next: None })
    }

    /// The rows without any sharing.
    fn plainly(pages: &[Arc<FriendsPage>]) -> Vec<Friend> {
        let mut users = BTreeSet::new();
        let all = pages.iter().flat_map(|page| page.friends.clone());
        all.filter(|friend| users.insert(friend.user_id.clone())).collect()
    }

    proptest! {
        #[test]
        fn the_rows_are_those_of_the_pages_nobody_twice(
            history in prop::collection::vec((0_usize..6, prop::collection::vec(0_u8..9, 0..4), "[ab]"), 1..12),
        ) {
            let (mut pages, mut gathered) = (Vec::new(), Gathered::default());
            for (at, users, name) in history {
                let users: Vec<u8> = users.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
                match users.is_empty() {
                    true => pages.truncate(at),
                    false if at < pages.len() => pages[at] = page(&users, &name),
                    false => pages.push(page(&users, &name)),
                }
                gathered.follow(pages.iter());
                let (rows, expected) = (gathered.rows(), plainly(&pages));
                prop_assert_eq!(rows.iter().cloned().collect::<Vec<_>>(), expected.clone());
                prop_assert_eq!(rows.len(), expected.len());
                for (index, friend) in expected.iter().enumerate() {
                    prop_assert_eq!(rows.get(index), Some(friend));
                }
                prop_assert_eq!(rows.get(expected.len()), None);
            }
        }
    }

    #[test]
    fn rows_are_equal_by_what_they_say() {
        let gather = |pages: &[Arc<FriendsPage>]| {
            let mut gathered = Gathered::default();
            gathered.follow(pages.iter());
            gathered.rows().clone()
        };
        assert_eq!(gather(&[page(&[1, 2], "a")]), gather(&[page(&[1, 2], "a")]));
        assert_ne!(gather(&[page(&[1, 2], "a")]), gather(&[page(&[1, 2], "b")]));
        assert_ne!(gather(&[page(&[1], "a")]), gather(&[page(&[1], "a"), page(&[2], "a")]));
    }

    #[test]
    fn a_page_that_says_the_same_of_others_shares_what_comes_after() {
        let pages = [page(&[1, 2], "a"), page(&[3], "a")];
        let mut gathered = Gathered::default();
        gathered.follow(pages.iter());
        gathered.follow([&page(&[1, 2], "b"), &pages[1]].into_iter());
        assert_eq!(gathered.rows().get(0).unwrap().name, "b");
        assert!(Arc::ptr_eq(&gathered.rows().0[1].page, &pages[1]));
    }
}
