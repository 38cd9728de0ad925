//! The feed: pages of posts, and those that were heard of since.
//!
//! What is newer than what was shown when the feed was opened waits until somebody asks for it: the feed
//! does not move under their eyes. What they wrote themselves is shown at once.

use std::{ops::Range, sync::Arc};

use miniature_api::{Feed as Page, Post, PostId, Profile, UserId};

use super::{
    Core,
    chain::Chain,
    documents::{Doc, Kept},
    person::Known,
    view::{FeedView, ListState},
};
use crate::cache::{
    clock::{Moment, Timestamp},
    document::{Body, Document, DocumentKey},
    entry::{Bytes, CheckedRecord},
};

/// The name of the first page.
pub(super) const FIRST: DocumentKey = DocumentKey::Feed(None);

/// The most posts that are heard of and kept. Those that fall out stand on a page by then.
const HEARD_AT_MOST: usize = 100;

/// A post of a page, which it shares.
#[derive(Clone, Debug)]
pub struct PostRow(Arc<Page>, usize);

impl PostRow {
    /// The post.
    pub fn post(&self) -> Option<&Post> {
        self.0.posts.get(self.1)
    }

    fn id(&self) -> Option<&PostId> {
        self.post().map(|post| &post.id)
    }
}

impl PartialEq for PostRow {
    fn eq(&self, other: &Self) -> bool {
        (Arc::ptr_eq(&self.0, &other.0) && self.1 == other.1) || self.post() == other.post()
    }
}

/// The facts about the feed.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    pub(super) chain: Chain,
    /// Posts that may stand on no page yet, each as a page of its own, the oldest first.
    heard: Vec<Arc<Page>>,
    viewed: Option<Range<usize>>,
    /// The newest post that is shown; none: whichever is the newest.
    shown_up_to: Option<PostId>,
    pub(super) handed: Option<FeedView>,
    unseen: bool,
}

impl Feed {
    /// The feed of an account, of which a layer may know the first page.
    pub(super) fn new(first: Option<Kept>) -> Self {
        Self {
            chain: Chain::new(FIRST, first),
            heard: Vec::new(),
            viewed: None,
            shown_up_to: None,
            handed: None,
            unseen: true,
        }
    }

    /// These rows are looked at, or none: the next look begins at the newest.
    pub(super) fn look_at(&mut self, rows: Option<Range<usize>>) {
        if rows.is_none() {
            self.shown_up_to = None;
        }
        self.viewed.clone_from(&rows);
        self.chain.look_at(rows, 0);
        self.unseen = true;
    }

    /// No rows are looked at. The next look goes on with the posts that are shown now.
    pub(super) fn hide(&mut self) {
        self.viewed = None;
        self.chain.look_at(None, 0);
    }

    #[cfg(test)]
    pub(super) fn viewed(&self) -> Option<&Range<usize>> {
        self.viewed.as_ref()
    }

    /// Those that wait stand before the rows that are looked at, on the same pages.
    fn shift(&mut self, new: usize) {
        let shifted =
            self.viewed.clone().map(|rows| rows.start + new..rows.end.saturating_add(new));
        self.chain.look_at(shifted, 0);
    }

    pub(super) fn find_mut(&mut self, key: &DocumentKey) -> Option<&mut Doc> {
        self.unseen = true;
        self.chain.find_mut(key)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Doc> {
        self.unseen = true;
        self.chain.all_mut()
    }

    /// A post was heard of, or written here.
    pub(super) fn hear(&mut self, post: Post) {
        let is_older = |page: &Arc<Page>| page.posts.first().is_some_and(|of| of.id < post.id);
        let place = self.heard.partition_point(is_older);
        let is_known = self
            .heard
            .get(place)
            .and_then(|page| page.posts.first())
            .is_some_and(|of| of.id == post.id);
        let page = Arc::new(Page { posts: vec![post], next: None });
        self.heard.splice(place..place + usize::from(is_known), [page]);
        let too_many = self.heard.len().saturating_sub(HEARD_AT_MOST);
        self.heard.drain(..too_many);
        self.unseen = true;
    }

    /// What newer posts push off a page stays until the next page brings it.
    fn retain_older(&mut self, key: &DocumentKey, page: &Page) {
        let Some(last) = page.posts.last().map(|post| &post.id) else { return };
        let before = self.chain.current(key).and_then(self::page);
        let pushed = before.into_iter().flat_map(|before| &before.posts);
        let pushed: Vec<Post> = pushed.filter(|post| post.id < *last).cloned().collect();
        pushed.into_iter().for_each(|post| self.hear(post));
    }

    /// The newest are asked for.
    pub(super) fn show_newest(&mut self) {
        self.shown_up_to = None;
        self.unseen = true;
    }

    /// An author calls themself something else. Returns the pages that say so now.
    pub(super) fn rename(&mut self, profile: &Profile) -> Vec<Document> {
        let is_old = |post: &Post| {
            post.author.user_id == profile.user_id && post.author.name != profile.name
        };
        let rename = |page: &mut Arc<Page>| {
            let old = page.posts.iter().any(is_old);
            if old {
                let posts = &mut Arc::make_mut(page).posts;
                let of_them = posts.iter_mut().filter(|post| is_old(post));
                of_them.for_each(|post| post.author.name.clone_from(&profile.name));
            }
            old
        };
        let mut changed: Vec<Document> = Vec::new();
        for kept in self.chain.kept_mut() {
            if let Body::Feed(page) = &mut kept.document.body
                && rename(page)
            {
                changed.push(kept.document.clone());
            }
        }
        let heard = self.heard.iter_mut().map(rename).fold(false, |any, old| any | old);
        self.unseen |= heard || !changed.is_empty();
        changed
    }

    /// All posts that are known, the newest first, each once.
    fn posts(&self) -> Vec<PostRow> {
        let pages = self.heard.iter().chain(self.chain.shown().filter_map(page));
        let rows = |page: &Arc<Page>| {
            let page = page.clone();
            (0..page.posts.len()).map(move |at| PostRow(page.clone(), at))
        };
        let mut rows: Vec<PostRow> = pages.flat_map(rows).collect();
        rows.sort_by(|one, other| other.id().cmp(&one.id()));
        rows.dedup_by(|one, other| one.id() == other.id());
        rows
    }

    /// The feed as it is to be shown to `account`.
    pub(super) fn view(&self, account: Option<&UserId>) -> FeedView {
        let posts = self.posts();
        let shown = |row: &PostRow| {
            let post = row.post();
            let is_own = post.map(|post| &post.author.user_id) == account;
            is_own
                || self
                    .shown_up_to
                    .as_ref()
                    .is_none_or(|newest| post.map(|p| &p.id) <= Some(newest))
        };
        let count = posts.len();
        let posts: Vec<PostRow> = posts.into_iter().filter(shown).collect();
        FeedView {
            new: count - posts.len(),
            posts,
            state: self.chain.state(),
            has_more: self.chain.has_more(),
        }
    }

    /// Hands out the view as it is now. Returns whether that is news.
    pub(super) fn hand_out(&mut self, account: Option<&UserId>) -> bool {
        self.viewed.is_some() && std::mem::take(&mut self.unseen) && self.hand_out_posts(account)
    }

    #[inline(never)]
    fn hand_out_posts(&mut self, account: Option<&UserId>) -> bool {
        if self.shown_up_to.is_none() {
            self.shown_up_to = self.posts().first().and_then(PostRow::id).cloned();
        }
        let view = self.view(account);
        if self.handed.as_ref().map_or(0, |before| before.new) != view.new {
            self.shift(view.new);
        }
        let nothing = view.posts.is_empty() && view.state == ListState::Loading;
        let is_news = self.handed.as_ref().map_or(!nothing, |before| *before != view);
        self.handed = Some(view);
        is_news
    }
}

fn page(body: &Body) -> Option<&Arc<Page>> {
    match body {
        Body::Feed(page) => Some(page),
        Body::Friends(_) | Body::Profile(_) => None,
    }
}

impl<B: Bytes> Core<B> {
    /// A page of the feed came.
    #[inline(never)]
    pub(super) fn feed_page(
        &mut self,
        key: DocumentKey,
        sent: Moment,
        lineage: miniature_api::Lineage,
        page: Page,
    ) {
        for post in &page.posts {
            self.learn_snapshot(&post.author.picture, lineage);
        }
        self.feed.retain_older(&key, &page);
        self.keep_document(key, Body::Feed(page.into()), None, lineage, sent);
    }

    /// The account's user has written something, and the server took it.
    #[inline(never)]
    pub(super) fn posted(&mut self, account: &UserId, post: Post, lineage: miniature_api::Lineage) {
        if self.account.as_ref() == Some(account) {
            self.hear_post(post, lineage);
        }
    }

    /// Somebody has written something, and the server took it.
    pub(super) fn hear_post(&mut self, post: Post, lineage: miniature_api::Lineage) {
        if self.lineage.is_none_or(|latest| lineage >= latest) {
            self.see_lineage(lineage);
            self.learn_snapshot(&post.author.picture, lineage);
            self.feed.hear(post);
        }
    }

    /// A picture as it was when something was written: shown until it is known how it is now.
    fn learn_snapshot(&mut self, record: &miniature_api::Record, lineage: miniature_api::Lineage) {
        if self.people.get(&record.user_id).is_some_and(|person| person.known.is_some()) {
            return;
        }
        let checked = CheckedRecord {
            record: record.clone(),
            lineage: Some(lineage),
            checked_at: Timestamp(0),
        };
        let (asked, fresh_until) = (Moment::NEVER, Moment::NEVER);
        self.learn(Known { checked, asked, fresh_until, heard: false });
    }
}
