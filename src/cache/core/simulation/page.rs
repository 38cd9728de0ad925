//! One document of a history: what is done in it, and what is seen.

use miniature_api::{Post, Size, UserId};

use super::{
    super::{
        ConnectionView, Epoch, Event, Kind, ListView, ProfileView, Status, StorageChange, ViewerId,
        person::Person,
        testing::{Blob, Document, Token, World, account, account_of, user, wanted},
    },
    steps::Step,
};
use crate::cache::{
    entry::{Rendition, Version},
    key::Wanted,
    layer::OriginError,
    policy::Policy,
    replay::{Pseudonyms, Recording, Renamed, counts, replay, verify},
};

/// The most viewers a document has, so that histories stay readable.
const VIEWERS: usize = 8;

/// A document and what was seen in it.
pub(super) struct Page {
    pub(super) doc: Document,
    pub(super) viewers: Vec<Seen>,
    pub(super) profiles: Vec<UserId>,
    /// What other documents did, in order.
    pub(super) inbox: Vec<StorageChange>,
    pub(super) visible: bool,
    /// A sign-in that was not answered: who, and when it was sent.
    pub(super) signing_in: Option<(UserId, Epoch, Option<Token>)>,
    /// Of what is on screen.
    epoch: Epoch,
    /// Whether the browser has locks.
    pub(super) has_locks: bool,
}

/// A viewer, and what it saw last.
pub(super) struct Seen {
    pub(super) id: ViewerId,
    pub(super) wanted: Wanted,
    pub(super) version: Option<Version>,
    pub(super) shown: Option<Rendition<Blob>>,
    pub(super) shown_at: Option<Version>,
    pub(super) broken: bool,
}

impl Seen {
    /// How each image of this user begins, as [`super::testing::image_of`] makes them.
    pub(super) fn prefix(&self) -> String {
        self.wanted.user.as_str().bytes().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Page {
    pub(super) fn open(world: &World, policy: &Policy, seed: u64) -> Self {
        let mut doc = Document::begin(world, policy.clone(), seed);
        doc.tell(Event::WritesWait(seed % 3 == 1));
        Self {
            epoch: doc.core.epoch(),
            signing_in: None,
            doc,
            viewers: Vec::new(),
            profiles: Vec::new(),
            inbox: Vec::new(),
            visible: true,
            has_locks: true,
        }
    }

    /// What was on screen goes with its epoch.
    pub(super) fn follow_epoch(&mut self) {
        let epoch = self.doc.core.epoch();
        if epoch != self.epoch {
            self.epoch = epoch;
            self.viewers.clear();
            self.profiles.clear();
        }
    }

    /// Hears of a row of ada's, if her storages are open.
    pub(super) fn hear(&mut self, change: StorageChange) {
        if self.doc.core.account() == Some(&account()) {
            self.doc.tell(Event::StorageChanged(change));
        }
    }

    /// The server answers the sign-in.
    pub(super) fn signed_in(&mut self, world: &World) {
        let Some((user, epoch, cookie)) = self.signing_in.take() else {
            return;
        };
        let marker = world.borrow_mut().sign_in(&user, cookie);
        self.doc.tell(Event::SignedIn { epoch, account: account_of(&user), marker });
    }

    fn look(&mut self, index: usize, size: Size) {
        if self.viewers.len() >= VIEWERS || self.doc.core.account().is_none() {
            return;
        }
        let wanted = wanted(index, size);
        let (id, view) = self.doc.look(wanted.clone());
        let version = self.doc.core.people.get(&wanted.user).and_then(Person::version);
        let shown = view.shown.map(|shown| shown.rendition);
        let (shown_at, broken) = (version, false);
        self.viewers.push(Seen { id, wanted, version, shown, shown_at, broken });
    }

    /// Every page is shown.
    pub(super) fn show_again(&mut self) {
        let viewers = self.viewers.iter().map(|seen| seen.id).collect();
        self.doc.tell(Event::ViewersShown(viewers));
    }

    fn view_profile(&mut self, user: UserId) {
        if self.profiles.len() < 2 && self.doc.core.account().is_some() {
            self.profiles.push(user.clone());
            self.doc.tell(Event::ProfileViewed(user));
        }
    }

    fn break_one(&mut self, nth: usize) {
        let Some(nth) = nth.checked_rem(self.viewers.len()) else {
            return;
        };
        let user = self.viewers[nth].wanted.user.clone();
        if let Some(key) = self.viewers[nth].shown.as_ref().map(|shown| shown.key) {
            for seen in self.viewers.iter_mut().filter(|seen| seen.wanted.user == user) {
                seen.broken = true;
            }
            self.doc.tell(Event::Broken(user, key));
        }
    }

    /// What a person, the browser or the edge does in one document.
    pub(super) fn gesture(&mut self, step: &Step) {
        let page = self;
        match *step {
            Step::Open(_, index, size) => page.look(index, size),
            Step::Leave(_, which) => {
                if let Some(which) = which.checked_rem(page.viewers.len()) {
                    let seen = page.viewers.swap_remove(which);
                    page.doc.leave(seen.id);
                }
            }
            Step::Hide(_, Some(but)) => {
                let hidden = page.viewers.iter().skip(but).map(|seen| seen.id).collect();
                page.doc.tell(Event::ViewersHidden(hidden));
            }
            Step::Hide(_, None) => page.show_again(),
            Step::Prefetch(_, index, size) => {
                page.doc.tell(Event::Prefetch(vec![user(index)], size));
            }
            Step::Sync(_, woken) => page.doc.sync(woken),
            Step::Invalidate(_, index) => page.doc.tell(Event::Invalidate(user(index))),
            Step::Broken(_, which) => page.break_one(which),
            Step::Retry(_) => page.doc.tell(Event::Retry),
            Step::Clear(_) => page.doc.tell(Event::Clear),
            Step::Visible(_, visible) => {
                page.visible = visible;
                page.doc.tell(Event::Visible(visible));
            }
            Step::Online(_, online) => page.doc.tell(Event::Online(online)),
            Step::ViewList(_, from) => {
                let view =
                    ListView { rows: 0..from + 3, pictures: Some(Size::S64), ahead: from % 3 };
                page.doc.tell(Event::FriendsViewed(view));
            }
            Step::ViewFeed(_, from) => page.doc.tell(Event::FeedViewed(Some(0..from + 1))),
            Step::LeaveFeed(_, true) => page.doc.tell(Event::FeedViewed(None)),
            Step::LeaveFeed(_, false) => page.doc.tell(Event::FeedHidden),
            Step::NewestPosts(_) => page.doc.tell(Event::NewestPosts),
            Step::ViewProfile(_, index) => page.view_profile(user(index)),
            Step::LeaveProfile(_) => {
                if let Some(user) = page.profiles.pop() {
                    page.doc.tell(Event::ProfileLeft(user));
                }
            }
            Step::Painted(_) => page.doc.tell(Event::Painted),
            Step::Progress(_, bytes) => {
                let first = page.doc.under_way.first().map(|(id, _)| *id);
                first.into_iter().for_each(|id| page.doc.tell(Event::Progressed(id, bytes)));
            }
            Step::Listen(_, has_locks) => {
                page.has_locks = has_locks;
                page.doc.tell(Event::WritesWait(false));
                page.doc.tell(Event::Painting { has_locks });
            }
            Step::Frozen(_, frozen) => page.doc.tell(Event::Frozen(frozen)),
            Step::Stored(_, used) => page.doc.tell(Event::StorageUsed { used, quota: 100 }),
            Step::Overhear(_) => {
                page.doc.overhear();
            }
            _ => page.answer(step),
        }
    }

    /// An effect comes to its end, or not yet.
    fn answer(&mut self, step: &Step) {
        let doc = &mut self.doc;
        let under_way = doc.under_way.len();
        match *step {
            Step::Deliver(_, which) => {
                if let Some(which) = which.checked_rem(under_way) {
                    doc.deliver(which);
                }
            }
            Step::DeliverTwice(_, which) => {
                let once = |which: &usize| !doc.under_way[*which].1.goes_on();
                if let Some(which) = which.checked_rem(under_way).filter(once) {
                    let twice = doc.under_way[which].clone();
                    doc.under_way.push(twice);
                    doc.deliver(which);
                }
            }
            Step::Delay(_, which) => {
                if let Some(which) = which.checked_rem(under_way) {
                    doc.delay(which);
                }
            }
            Step::Arrive(_, which, parts) => {
                if let Some(which) = which.checked_rem(under_way) {
                    doc.arrive(which, parts);
                }
            }
            _ => {}
        }
    }

    /// Whether the server wants to be left alone for longer than any pause.
    pub(super) fn is_held_off(&self) -> bool {
        let core = &self.doc.core;
        let kinds = [Kind::Pictures, Kind::Friends, Kind::Profile, Kind::Session];
        let longest = core.time.now() + core.policy.longest_pause;
        kinds.into_iter().any(|kind| core.pause_of(kind) > longest)
    }

    /// The posts that are looked at are those that there are, the newest first; newer ones are announced.
    pub(super) fn check_feed(&self, truth: &[Post]) {
        let core = &self.doc.core;
        let Some(rows) = core.feed.viewed().filter(|_| core.account().is_some()) else { return };
        let view = core.feed();
        let seen: Vec<&Post> = view.posts.iter().filter_map(|row| row.post()).collect();
        assert!(seen.is_sorted_by(|a, b| a.id > b.id), "the feed is out of order");
        let expected = truth.iter().rev().skip(view.new).take(rows.end);
        let lacking = expected.filter(|post| seen.iter().all(|shown| shown.id != post.id)).count();
        assert_eq!(lacking, 0, "the feed never came to be right: {seen:?}, {} new", view.new);
    }

    /// Told the same again, a core reports the same.
    pub(super) fn check_replay(&self) {
        if let Some(tape) = &self.doc.tape {
            let replayed = replay(tape.recording());
            assert_eq!(replayed, self.doc.events, "a replay reports something else");
            if tape.recording().seed.is_multiple_of(NAMELESS) {
                check_without_names(tape.recording());
            }
        }
    }

    /// Nothing is said of a server that answers.
    pub(super) fn check_connection(&self) {
        let connection = self.doc.core.connection();
        assert_eq!(connection, ConnectionView::Reachable, "liveness: the banner stays");
    }

    /// All that is wanted is there, but for what came to an end of its own.
    pub(super) fn check_served(&self) {
        for seen in &self.viewers {
            let view = self.doc.core.view(seen.id);
            let ended = view.status == Status::Failed(OriginError::Malformed);
            assert!(
                view.status == Status::Settled || ended,
                "liveness: {:?} never came: {view:?}",
                seen.wanted
            );
        }
        assert!(self.doc.core.renewal.is_none(), "liveness: a sync never came to its end");
        for user in &self.profiles {
            let view = self.doc.core.profile(user);
            assert!(view != ProfileView::Loading, "liveness: the profile of {user} never came");
        }
    }
}

pub(super) fn page_of(step: &Step) -> Option<usize> {
    match step {
        Step::Open(nth, ..)
        | Step::Leave(nth, _)
        | Step::Hide(nth, _)
        | Step::Prefetch(nth, ..)
        | Step::Invalidate(nth, _)
        | Step::Sync(nth, _)
        | Step::Broken(nth, _)
        | Step::Retry(nth)
        | Step::Clear(nth)
        | Step::Visible(nth, _)
        | Step::Online(nth, _)
        | Step::ViewList(nth, _)
        | Step::ViewFeed(nth, _)
        | Step::LeaveFeed(nth, _)
        | Step::NewestPosts(nth)
        | Step::ViewProfile(nth, _)
        | Step::LeaveProfile(nth)
        | Step::Painted(nth)
        | Step::Progress(nth, _)
        | Step::Deliver(nth, _)
        | Step::DeliverTwice(nth, _)
        | Step::Listen(nth, _)
        | Step::Frozen(nth, _)
        | Step::Overhear(nth)
        | Step::Stored(nth, _)
        | Step::Arrive(nth, ..)
        | Step::Delay(nth, _) => Some(*nth),
        _ => None,
    }
}

/// Of so many recordings one is told again without names.
const NAMELESS: u64 = 16;

/// Without a name in it a recording counts the same.
fn check_without_names(recording: &Recording) {
    let session = [recording.clone()];
    let texts = std::cell::RefCell::new(Vec::new());
    let note = |text: &str| {
        texts.borrow_mut().push(text.to_owned());
        String::new()
    };
    serde_json::to_value(Renamed(&session, &note)).unwrap();
    let names = Pseudonyms::of(texts.into_inner());
    let text = serde_json::to_string(&Renamed(&session, &|text| names.text(text))).unwrap();
    for name in ["\"ada", "user0", "\"post ", "3OcRJYB4d3h"] {
        assert!(!text.contains(name), "{name} is in {text}");
    }
    let read: Vec<Recording> = serde_json::from_str(&text).unwrap();
    assert_eq!(verify(&read[0], &counts(recording)), Vec::<String>::new(), "without names");
}
