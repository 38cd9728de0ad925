//! The feed.

use miniature_api::{Change, Post, UserId};

use super::*;
use crate::cache::core::{
    ListState, StreamBody, StreamEvent,
    testing::{Weather, account},
};

impl Fixture {
    /// A server with so many posts, two a page, and a document that shows the feed.
    fn with_posts(count: usize) -> Self {
        let mut t = Self::with_users(3);
        t.world.borrow_mut().server.page_size = 2;
        for at in 0..count {
            t.world.borrow_mut().server.write(&user(at % 3));
        }
        t.look(0..1);
        t
    }

    fn look(&mut self, rows: std::ops::Range<usize>) {
        self.doc.tell(Event::FeedViewed(Some(rows)));
        self.doc.run();
    }

    fn posts(&self) -> Vec<String> {
        let view = self.doc.core.feed();
        view.posts.iter().map(|row| row.post().unwrap().text.clone()).collect()
    }

    fn waiting(&self) -> usize {
        self.doc.core.feed().new
    }

    fn write(&mut self, author: &UserId) -> Post {
        self.world.borrow_mut().server.write(author)
    }

    fn hear_post(&mut self, post: Post) {
        let lineage = self.world.borrow().server.lineage();
        let body = StreamBody::Change(Change::Post(post));
        self.doc.tell(Event::Overheard(Some(StreamEvent { lineage, id: None, body })));
        self.doc.wait(secs(1));
    }
}

#[test]
fn the_newest_stand_first_and_older_ones_come_as_one_scrolls() {
    let mut t = Fixture::with_posts(5);
    assert_eq!(t.posts(), ["post 4", "post 3"]);
    assert!(t.doc.core.feed().has_more);
    t.look(0..3);
    assert_eq!(t.posts().len(), 4);
    t.look(3..9);
    assert_eq!(t.posts(), ["post 4", "post 3", "post 2", "post 1", "post 0"]);
    assert!(!t.doc.core.feed().has_more);
}

#[test]
fn a_post_that_is_heard_of_waits_and_moves_nothing() {
    let mut t = Fixture::with_posts(2);
    for expected in 1..=3 {
        let post = t.write(&user(0));
        t.hear_post(post);
        assert_eq!((t.posts().len(), t.waiting()), (2, expected));
    }
    t.doc.tell(Event::NewestPosts);
    t.doc.run();
    assert_eq!((t.posts().len(), t.waiting()), (5, 0));
    assert_eq!(t.posts()[0], "post 4");
    let post = t.write(&user(0));
    t.hear_post(post);
    assert_eq!((t.posts().len(), t.waiting()), (5, 1), "and again");
}

#[test]
fn a_page_that_is_newer_moves_nothing_either() {
    let mut t = Fixture::with_posts(2);
    t.write(&user(1));
    t.doc.wait(minutes(20));
    assert_eq!((t.posts(), t.waiting()), (vec!["post 1".to_owned(), "post 0".to_owned()], 1));
}

#[test]
fn who_comes_back_finds_the_newest() {
    let mut t = Fixture::with_posts(2);
    let post = t.write(&user(0));
    t.hear_post(post);
    t.doc.tell(Event::FeedViewed(None));
    t.doc.run();
    t.look(0..1);
    assert_eq!((t.posts().len(), t.waiting()), (3, 0));
}

#[test]
fn what_one_writes_is_shown_at_once_and_once() {
    let mut t = Fixture::with_posts(2);
    let other = t.write(&user(0));
    t.hear_post(other);
    let me = account();
    let picture = t.world.borrow().server.truth[&user(0)].clone();
    t.world.borrow_mut().server.truth.insert(me.clone(), picture);
    let post = t.write(&me);
    let lineage = t.world.borrow().server.lineage();
    t.doc.tell(Event::Posted { account: me, post: post.clone(), lineage });
    t.doc.run();
    assert_eq!(t.posts()[0], post.text);
    assert_eq!(t.waiting(), 1, "the other still waits");
    t.hear_post(post);
    assert_eq!(t.posts().len(), 3);
}

#[test]
fn a_snapshot_is_shown_and_a_newer_picture_replaces_it() {
    let mut t = Fixture::with_posts(1);
    t.change(0, true);
    let (viewer, _) = t.open(0);
    t.doc.wait(secs(1));
    assert!(t.shows_revision(viewer, 0, 2), "the snapshot is of revision 1");
    let post = t.world.borrow().server.truth[&user(0)].revision;
    assert_eq!(post, Revision(2));
}

#[test]
fn all_authors_of_a_page_are_asked_about_in_one_request() {
    let mut t = Fixture::with_posts(2);
    t.doc.requests();
    let _ = t.doc.look(wanted(0, Size::S64));
    let _ = t.doc.look(wanted(1, Size::S64));
    t.doc.run();
    assert_eq!(t.picture_requests(), 1);
}

#[test]
fn the_first_page_is_there_in_the_first_frame_of_the_next_visit() {
    let mut t = Fixture::with_posts(3);
    t.doc.wait(secs(10));
    t.world.borrow_mut().server.weather = Weather::Silent;
    t.doc = Document::open(&t.world, t.policy.clone(), 2);
    t.doc.tell(Event::FeedViewed(Some(0..1)));
    assert_eq!(t.posts(), ["post 2", "post 1"], "before the first poll");
}

#[test]
fn a_feed_that_cannot_be_had_is_tried_again() {
    let mut t = Fixture::with_users(1);
    t.write(&user(0));
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.look(0..1);
    assert!(matches!(t.doc.core.feed().state, ListState::Failed(_)));
    t.world.borrow_mut().server.weather = Weather::Fine;
    t.doc.wait(minutes(2));
    assert_eq!(t.posts(), ["post 0"]);
}

#[test]
fn a_hidden_feed_asks_for_nothing_and_goes_on_where_it_was() {
    let mut t = Fixture::with_posts(2);
    let shown = t.posts();
    t.doc.requests();
    t.doc.tell(Event::FeedHidden);
    t.doc.run();
    let post = t.write(&user(0));
    t.hear_post(post);
    t.doc.wait(minutes(20));
    assert_eq!(t.doc.requests(), []);

    t.look(0..2);
    assert_eq!((t.posts(), t.waiting()), (shown, 1));
    assert!(!t.doc.requests().is_empty(), "what is old is asked for");
    t.doc.tell(Event::FeedViewed(None));
    t.look(0..2);
    assert_eq!(t.waiting(), 0, "a feed that is opened shows the newest");
}
