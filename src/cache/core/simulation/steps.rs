//! What may happen.

use miniature_api::Size;
use proptest::prelude::*;

use super::super::testing::{Fault, Store, Weather};

/// How many users there are to look at; one more is never created.
pub(super) const USERS: usize = 6;

/// One thing that happens, to one of two documents or to the world.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Open(usize, usize, Size),
    Leave(usize, usize),
    /// The page of all viewers but so many is hidden; none: every page is shown again.
    Hide(usize, Option<usize>),
    Prefetch(usize, usize, Size),
    Invalidate(usize, usize),
    /// What ends soon is looked for, perhaps in a page that was woken for that.
    Sync(usize, bool),
    Broken(usize, usize),
    Retry(usize),
    Clear(usize),
    Reload(usize),
    Visible(usize, bool),
    Online(usize, bool),
    News(usize),
    OldNews(usize),
    ViewList(usize, usize),
    ViewFeed(usize, usize),
    /// For good, or its page is hidden.
    LeaveFeed(usize, bool),
    NewestPosts(usize),
    /// Somebody writes something, who is there.
    Write(usize),
    ViewProfile(usize, usize),
    LeaveProfile(usize),
    Painted(usize),
    Progress(usize, u64),
    Turn(usize),
    Deliver(usize, usize),
    DeliverTwice(usize, usize),
    Delay(usize, usize),
    /// So much of an answer arrives, and it goes on.
    Arrive(usize, usize, usize),
    Storage(usize),
    SignOut(usize),
    /// Someone types their name: ada, or grace.
    SignIn(usize, bool),
    /// The sign-in is answered.
    SignedIn(usize),
    /// Another tab has changed who is signed in, or the page is about to be seen again.
    Identity(usize),
    Wait(u64),
    Late(u64),
    Jump(i64),
    Change(usize, bool),
    Create(usize),
    Delete(usize),
    Befriend(usize, u8),
    Unfriend(usize),
    Weather(Weather),
    /// For how many seconds a hint is good; none where bytes come with the records.
    Delivery(Option<u64>),
    Store(Store),
    LocalFault(Fault),
    DurableFault(Fault),
    PicturesFault(Fault),
    BackUp,
    Restore,
    EndSessions,
    /// The first frame was painted; with locks, or without.
    Listen(usize, bool),
    /// Into the page cache, or back.
    Frozen(usize, bool),
    /// What another tab passed on is heard.
    Overhear(usize),
    /// Someone says something else of themself.
    Describe(usize, u8),
    /// So many events are kept for those who come back.
    KeepEvents(usize),
    /// The browser says that the origin stores so many percent of what it may.
    Stored(usize, u64),
    /// A page of another port, which shares the cookies and no storage, signs ada in, or grace.
    OtherPort(bool),
}

impl Step {
    /// The kind of step, for counting.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Open(..) => "open",
            Self::Leave(..) => "leave",
            Self::Hide(_, but) => either(but.is_some(), "page hidden", "page shown again"),
            Self::Prefetch(..) => "prefetch",
            Self::Invalidate(..) => "invalidate",
            Self::Sync(..) => "sync",
            Self::Broken(..) => "broken picture",
            Self::Retry(_) => "retry by hand",
            Self::Clear(_) => "clear",
            Self::Reload(_) => "reload",
            Self::Visible(_, visible) => either(*visible, "visible", "hidden"),
            Self::Online(_, online) => either(*online, "online", "offline"),
            Self::News(_) => "news",
            Self::OldNews(_) => "old news",
            Self::ViewList(..) => "view list",
            Self::ViewFeed(..) => "view feed",
            Self::LeaveFeed(_, gone) => either(*gone, "leave feed", "feed hidden"),
            Self::NewestPosts(_) => "newest posts",
            Self::Write(_) => "post",
            Self::ViewProfile(..) => "view profile",
            Self::LeaveProfile(_) => "leave profile",
            Self::Painted(_) => "painted",
            Self::Progress(..) => "progress",
            Self::Turn(_) => "turn",
            Self::Deliver(..) => "answer, in any order",
            Self::DeliverTwice(..) => "answer twice",
            Self::Delay(..) => "late answer",
            Self::Arrive(..) => "part of an answer",
            Self::Storage(_) => "storage event",
            Self::SignOut(_) => "sign-out",
            Self::SignIn(_, ada) => either(*ada, "sign-in as ada", "sign-in as grace"),
            Self::SignedIn(_) => "sign-in answered",
            Self::Identity(_) => "look who is signed in",
            Self::OtherPort(_) => "another port signs in",
            Self::EndSessions => "sessions ended",
            Self::Wait(_) => "wait",
            Self::Late(_) => "late timer",
            Self::Jump(by) => either(*by >= 0, "clock forward", "clock back"),
            Self::Change(_, new) => either(*new, "new picture", "picture removed"),
            Self::Create(_) => "user created",
            Self::Delete(_) => "user deleted",
            Self::Befriend(..) => "befriend or rename",
            Self::Unfriend(_) => "unfriend",
            Self::Weather(Weather::Fine) => "server well",
            Self::Weather(_) => "server ill",
            Self::Delivery(lasts) => either(lasts.is_some(), "hints", "no hints"),
            Self::Store(store) => either(*store == Store::Fine, "store well", "store ill"),
            Self::LocalFault(fault) => health(*fault, "LocalStorage well", "LocalStorage ill"),
            Self::DurableFault(fault) => health(*fault, "IndexedDB well", "IndexedDB ill"),
            Self::PicturesFault(fault) => health(*fault, "pictures well", "pictures ill"),
            Self::Listen(..) => "painted at all",
            Self::Frozen(_, is) => either(*is, "into the page cache", "out of the page cache"),
            Self::Overhear(_) => "overheard",
            Self::Describe(..) => "another headline",
            Self::KeepEvents(_) => "events kept",
            Self::Stored(..) => "storage used",
            Self::BackUp => "backup",
            Self::Restore => "restore",
        }
    }
}

fn health(fault: Fault, well: &'static str, ill: &'static str) -> &'static str {
    either(fault == Fault::None, well, ill)
}

fn either(is: bool, one: &'static str, other: &'static str) -> &'static str {
    if is { one } else { other }
}

/// All kinds that there are.
pub(super) const KINDS: usize = 71;

fn doc() -> impl Strategy<Value = usize> {
    0..2_usize
}

fn user() -> impl Strategy<Value = usize> {
    0..=USERS
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![3 => Just(Size::S64), 1 => Just(Size::S256)]
}

fn weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        8 => Just(Weather::Fine),
        1 => Just(Weather::Unreachable),
        1 => Just(Weather::Silent),
        1 => Just(Weather::Status(429)),
        1 => Just(Weather::Status(500)),
        1 => Just(Weather::Status(422)),
        1 => (1..900_u64).prop_map(Weather::Busy),
        1 => Just(Weather::NoLineage),
        1 => Just(Weather::ErrorPages),
        1 => Just(Weather::Undecodable),
        1 => Just(Weather::NoBytes),
    ]
}

fn store() -> impl Strategy<Value = Store> {
    prop_oneof![
        4 => Just(Store::Fine),
        1 => Just(Store::Unreachable),
        1 => Just(Store::Silent),
        1 => Just(Store::Refusing),
        1 => Just(Store::ErrorPages),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::Denied),
        1 => Just(Fault::Failing),
        1 => Just(Fault::Hanging),
        1 => Just(Fault::Full),
        1 => Just(Fault::Unwritable),
    ]
}

fn of_documents() -> BoxedStrategy<Step> {
    prop_oneof![
        12 => (doc(), user(), size()).prop_map(|(d, u, s)| Step::Open(d, u, s)),
        6 => (doc(), any::<usize>()).prop_map(|(d, n)| Step::Leave(d, n)),
        4 => (doc(), prop::option::weighted(0.6, 0..4_usize)).prop_map(|(d, n)| Step::Hide(d, n)),
        2 => (doc(), user(), size()).prop_map(|(d, u, s)| Step::Prefetch(d, u, s)),
        1 => (doc(), user()).prop_map(|(d, u)| Step::Invalidate(d, u)),
        2 => (doc(), any::<bool>()).prop_map(|(d, w)| Step::Sync(d, w)),
        1 => (doc(), any::<usize>()).prop_map(|(d, n)| Step::Broken(d, n)),
        1 => doc().prop_map(Step::Retry),
        1 => doc().prop_map(Step::Clear),
        2 => doc().prop_map(Step::Reload),
        2 => (doc(), any::<bool>()).prop_map(|(d, v)| Step::Visible(d, v)),
        2 => (doc(), any::<bool>()).prop_map(|(d, v)| Step::Online(d, v)),
        2 => doc().prop_map(Step::News),
        1 => doc().prop_map(Step::OldNews),
        2 => (doc(), 0..8_usize).prop_map(|(d, n)| Step::ViewList(d, n)),
        2 => (doc(), 0..8_usize).prop_map(|(d, n)| Step::ViewFeed(d, n)),
        2 => (doc(), any::<bool>()).prop_map(|(d, g)| Step::LeaveFeed(d, g)),
        1 => doc().prop_map(Step::NewestPosts),
        2 => (doc(), user()).prop_map(|(d, u)| Step::ViewProfile(d, u)),
        1 => doc().prop_map(Step::LeaveProfile),
        1 => doc().prop_map(Step::Painted),
        4 => (doc(), prop::bool::weighted(0.9)).prop_map(|(d, l)| Step::Listen(d, l)),
        2 => (doc(), any::<bool>()).prop_map(|(d, f)| Step::Frozen(d, f)),
        1 => (doc(), 0..2000_u64).prop_map(|(d, n)| Step::Progress(d, n)),
        1 => (doc(), 50..110_u64).prop_map(|(d, p)| Step::Stored(d, p)),
        1 => doc().prop_map(Step::SignOut),
        4 => (doc(), any::<bool>()).prop_map(|(d, a)| Step::SignIn(d, a)),
    ]
    .boxed()
}

fn of_the_edge() -> BoxedStrategy<Step> {
    prop_oneof![
        6 => doc().prop_map(Step::Turn),
        10 => (doc(), any::<usize>()).prop_map(|(d, n)| Step::Deliver(d, n)),
        1 => (doc(), any::<usize>()).prop_map(|(d, n)| Step::DeliverTwice(d, n)),
        3 => (doc(), any::<usize>()).prop_map(|(d, n)| Step::Delay(d, n)),
        3 => (doc(), any::<usize>(), 0..8_usize).prop_map(|(d, n, p)| Step::Arrive(d, n, p)),
        3 => doc().prop_map(Step::Storage),
        3 => doc().prop_map(Step::Overhear),
        4 => doc().prop_map(Step::SignedIn),
        3 => doc().prop_map(Step::Identity),
        4 => (1..4000_u64).prop_map(Step::Wait),
        1 => (60_000..4_000_000_u64).prop_map(Step::Wait),
        1 => (200..100_000_u64).prop_map(Step::Late),
        1 => (-100_000_000..100_000_000_i64).prop_map(Step::Jump),
    ]
    .boxed()
}

fn of_the_world() -> BoxedStrategy<Step> {
    prop_oneof![
        4 => (user(), any::<bool>()).prop_map(|(u, p)| Step::Change(u, p)),
        2 => user().prop_map(Step::Write),
        1 => user().prop_map(Step::Create),
        1 => user().prop_map(Step::Delete),
        2 => (user(), 0..20_u8).prop_map(|(u, n)| Step::Befriend(u, n)),
        1 => user().prop_map(Step::Unfriend),
        3 => weather().prop_map(Step::Weather),
        2 => prop::option::of(0..3_600_u64).prop_map(Step::Delivery),
        1 => store().prop_map(Step::Store),
        2 => fault().prop_map(Step::LocalFault),
        2 => fault().prop_map(Step::DurableFault),
        2 => fault().prop_map(Step::PicturesFault),
        1 => (user(), 0..3_u8).prop_map(|(u, w)| Step::Describe(u, w)),
        1 => (0..6_usize).prop_map(Step::KeepEvents),
        1 => Just(Step::BackUp),
        1 => Just(Step::Restore),
        1 => Just(Step::EndSessions),
        1 => any::<bool>().prop_map(Step::OtherPort),
    ]
    .boxed()
}

/// A history of at least 60 events.
pub(super) fn history() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![4 => of_documents(), 4 => of_the_edge(), 2 => of_the_world()];
    prop::collection::vec(step, 60..90)
}
