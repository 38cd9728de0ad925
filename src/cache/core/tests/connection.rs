//! Whether the server counts as there, and what is asked of one that is not.

use miniature_api::{Lineage, UserId};

use super::*;
use crate::cache::{
    core::{
        Answer, ConnectionView, Effect, Fetched, ListView, Refusal, Reply,
        testing::{Blob, Fault, Under, Weather, account},
    },
    layer::OriginError,
};

impl Fixture {
    fn connection(&self) -> ConnectionView {
        self.doc.core.connection()
    }

    /// Answers the first request under way by a status, from something that names lineage and account
    /// or does not.
    fn answer_as_a_gateway(&mut self, status: u16, named: [bool; 2]) {
        let outcome = Err(Refusal { error: OriginError::Status(status), retry_after: None });
        let lineage = Some(self.world.borrow().server.lineage()).filter(|_| named[0]);
        self.answer(lineage, Some(account()).filter(|_| named[1]), outcome);
    }

    /// Answers the first request under way.
    fn answer(
        &mut self,
        lineage: Option<Lineage>,
        account: Option<UserId>,
        outcome: Result<Reply<Blob>, Refusal>,
    ) {
        let is_request = |(_, under): &(_, Under)| matches!(under, Under::Fetch(..));
        let nth = self.doc.under_way.iter().position(is_request).unwrap();
        let (id, _) = self.doc.under_way.remove(nth);
        let fetched = Fetched { lineage, account, asked: None, event: None, outcome };
        self.doc.tell(Event::Answer(id, Answer::Fetched(fetched)));
    }
}

#[test]
fn a_server_that_is_slow_is_there() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    t.open(0);
    t.doc.wait(secs(5));
    assert_eq!(t.connection(), ConnectionView::Reachable);
}

#[test]
fn a_server_that_failed_is_there_again_when_nobody_wants_anything() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    let (viewer, _) = t.open(0);
    assert_eq!(t.connection(), ConnectionView::Unreachable);
    t.doc.leave(viewer);
    t.doc.run();
    assert_eq!(t.connection(), ConnectionView::Reachable);
    t.doc.tell(Event::FriendsViewed(ListView { rows: 0..4, pictures: None, ahead: 0 }));
    t.doc.run();
    assert_eq!(t.connection(), ConnectionView::Unreachable, "the list rests");
}

#[test]
fn an_answer_on_its_way_during_a_restore_says_nothing_of_the_server() {
    let mut t = Fixture::with_users(2);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    let earlier = t.world.borrow().server.lineage();
    t.world.borrow_mut().server.restore();
    t.world.borrow_mut().advance(secs(1));
    t.open(1);
    t.doc.deliver(1);
    t.doc.run();
    let empty = Reply::Pictures { entries: Vec::new(), renditions: Vec::new() };

    t.answer(Some(earlier), Some(account()), Ok(empty));

    t.doc.run();
    assert_eq!(t.view(viewer).error, Some(OriginError::Outdated));
    assert_eq!(t.connection(), ConnectionView::Reachable);
    t.doc.slow = false;
    t.doc.wait(secs(2));
    assert_eq!(t.view(viewer).status, Status::Settled, "it is asked for again");
}

#[test]
fn a_refusal_of_something_before_the_server_says_that_it_is_out_of_reach() {
    let cases = [(400, [false; 2]), (404, [false, true]), (500, [true, false]), (500, [true; 2])];
    for (status, named) in cases {
        let mut t = Fixture::with_users(1);
        t.doc.slow = true;
        let (viewer, _) = t.open(0);
        t.answer_as_a_gateway(status, named);
        t.doc.run();
        let (error, connection) = match named {
            [true, true] => (OriginError::Status(status), ConnectionView::Reachable),
            _ => (OriginError::Unreachable, ConnectionView::Unreachable),
        };
        assert_eq!(t.view(viewer).error, Some(error), "{status} {named:?}");
        assert_eq!(t.connection(), connection, "{status} {named:?}");
    }
}

#[test]
fn nothing_is_woken_for_a_server_of_which_nobody_wants_anything() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.weather = Weather::Busy(20);
    let (viewer, _) = t.open(0);
    t.doc.leave(viewer);
    t.doc.wait(secs(5));
    let sleeps = t.doc.core.wake().at - t.doc.now().running;
    assert_eq!(sleeps, t.policy.longest_sleep);
}

#[test]
fn a_hidden_page_asks_once_for_what_it_never_had() {
    let mut t = Fixture::with_users(1);
    t.doc.tell(Event::Visible(false));
    t.world.borrow_mut().server.weather = Weather::Unreachable;
    t.open(0);
    t.doc.wait(minutes(10));
    assert_eq!(t.picture_requests(), 1);
}

#[test]
fn someone_who_comes_back_with_the_same_picture_is_seen() {
    let mut t = Fixture::with_users(1);
    let record = t.world.borrow().server.truth[&user(0)].clone();
    let (viewer, _) = t.open(0);
    t.world.borrow_mut().advance(secs(1));
    t.world.borrow_mut().server.delete(&user(0));
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.run();
    assert!(t.view(viewer).shown.is_none());
    t.world.borrow_mut().server.truth.insert(user(0), record);
    t.doc.wait(minutes(60));
    assert!(t.shows_revision(viewer, 0, 1));
}

#[test]
fn a_read_of_a_profile_that_is_left_goes_on() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().durable.fault = Fault::Hanging;
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    t.doc.tell(Event::ProfileLeft(user(0)));
    let effects: Vec<_> = std::iter::from_fn(|| t.doc.core.poll(t.doc.now())).collect();
    let cancels = effects.iter().any(|effect| matches!(effect, Effect::Cancel(_)));
    assert!(!cancels, "only requests are cancelled: {effects:?}");
}

#[test]
fn profiles_that_nobody_looks_at_are_bounded() {
    let mut t = Fixture::with_users(0);
    let most = t.policy.profiles;
    for index in 0..most + 10 {
        t.doc.tell(Event::ProfileViewed(user(index)));
        t.doc.tell(Event::ProfileLeft(user(index)));
    }
    assert_eq!(t.doc.core.profiles.len(), most);
    assert!(t.doc.core.held_profile(&user(most + 9)).is_some(), "the last one is held");
    assert!(t.doc.core.held_profile(&user(0)).is_none(), "the first one went");
}

#[test]
fn a_page_that_is_shown_is_asked_for_without_its_pictures() {
    let mut t = Fixture::with_users(2);
    t.world.borrow_mut().server.befriend(&user(0), "a");
    t.doc.tell(Event::FriendsViewed(ListView { rows: 0..4, pictures: Some(Size::S64), ahead: 0 }));
    t.doc.run();
    t.world.borrow_mut().server.befriend(&user(1), "b");
    t.doc.requests();
    t.doc.wait(minutes(6));
    let asked = t.doc.requests();
    let lists = asked.iter().filter_map(|request| match request {
        Request::Friends { pictures, .. } => Some(*pictures),
        _ => None,
    });
    assert_eq!(lists.collect::<Vec<_>>(), [None], "{asked:?}");
}

#[test]
fn each_load_is_told_with_its_own_way() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.run();
    t.doc.slow = true;
    t.change(0, true);
    t.hear();
    t.open(0);
    t.doc.slow = false;
    t.doc.run();
    let loads = t.loads();
    let trips = |load: &Load| load.path.iter().filter(|s| s.layer == Source::Network).count();
    assert_eq!(loads.iter().map(trips).collect::<Vec<_>>(), [1, 1], "{loads:?}");
}

#[test]
fn an_answer_that_news_overtook_is_no_failure() {
    let mut t = Fixture::with_users(1);
    t.doc.slow = true;
    let (viewer, _) = t.open(0);
    t.doc.delay(0);
    t.world.borrow_mut().advance(secs(1));
    t.change(0, true);
    t.hear();
    assert!(t.doc.deliver(0));
    t.doc.turn();
    assert_eq!(t.view(viewer).error, None);
    t.doc.slow = false;
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 2), "at once");
}

#[test]
fn one_of_two_who_look_leaves_and_the_other_is_told() {
    let mut t = Fixture::with_users(1);
    let ((first, _), (second, _)) = (t.open(0), t.open(0));
    t.doc.leave(first);
    t.doc.run();
    t.change(0, true);
    t.doc.changed.clear();
    t.hear();
    assert!(t.doc.changed.contains(&crate::cache::core::Topic::Picture(user(0))));
    assert!(t.shows_revision(second, 0, 2));
}

#[test]
fn what_nobody_looked_at_when_the_page_was_shown_again_is_believed() {
    let mut t = Fixture::with_users(1);
    let (viewer, _) = t.open(0);
    t.doc.leave(viewer);
    t.doc.tell(Event::Visible(false));
    t.doc.wait(minutes(2));
    t.doc.tell(Event::Visible(true));
    t.doc.requests();
    t.open(0);
    t.doc.wait(secs(5));
    assert_eq!(t.picture_requests(), 0);
}

#[test]
fn a_page_that_was_seen_all_the_time_is_not_shown_again() {
    let mut t = Fixture::with_users(1);
    t.open(0);
    t.doc.wait(minutes(2));
    t.doc.requests();
    t.doc.tell(Event::Visible(true));
    t.doc.wait(secs(5));
    assert_eq!(t.picture_requests(), 0);
}

#[test]
fn a_later_lineage_is_a_reason_to_ask_about_everyone_on_screen() {
    let mut t = Fixture::with_users(2);
    t.open(0);
    t.open(1);
    t.doc.wait(secs(5));
    t.world.borrow_mut().server.restore();
    t.doc.requests();
    t.doc.tell(Event::Invalidate(user(0)));
    t.doc.run();
    let asked: Vec<_> = t
        .doc
        .requests()
        .into_iter()
        .filter_map(|request| match request {
            Request::Pictures { users, .. } => Some(users),
            _ => None,
        })
        .flatten()
        .map(|asked| asked.user_id)
        .collect();
    assert!(asked.contains(&user(1)), "{asked:?}");
}

#[test]
fn a_picture_that_comes_with_a_page_ends_a_failure() {
    let mut t = Fixture::with_users(1);
    t.world.borrow_mut().server.befriend(&user(0), "a");
    t.world.borrow_mut().server.weather = Weather::Status(500);
    let (viewer, _) = t.open(0);
    assert_eq!(t.view(viewer).error, Some(OriginError::Status(500)));
    t.world.borrow_mut().server.weather = Weather::Fine;
    let view = ListView { rows: 0..4, pictures: Some(Size::S64), ahead: 0 };
    t.doc.tell(Event::FriendsViewed(view));
    t.doc.run();
    assert!(t.shows_revision(viewer, 0, 1));
    assert_eq!(t.view(viewer).error, None);
}

#[test]
fn what_was_heard_of_waits_for_no_server() {
    let mut t = Fixture::live(1);
    t.doc.wait(secs(1));
    t.doc.slow = true;
    t.doc.tell(Event::ProfileViewed(user(0)));
    t.doc.run();
    t.answer(None, None, Err(OriginError::Unreachable.into()));
    t.doc.run();
    assert_eq!(t.connection(), ConnectionView::Unreachable);
    t.world.borrow_mut().server.describe(&user(0), "the stream is open still");
    t.doc.wait(Duration::from_millis(50));
    assert_eq!(t.connection(), ConnectionView::Reachable);
}
