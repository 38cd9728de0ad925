//! What the core is told.

use std::{ops::Range, time::Duration};

use miniature_api::{
    Account, BatchEntry, BatchUser, Change, Feed, FriendsPage, ImageId, Lineage, Marker, Post,
    Profile, Record, Size, UserId,
};
use serde::{Deserialize, Serialize};

use super::{
    effect::EffectId,
    session::{Epoch, Identity},
    viewers::ViewerId,
};
use crate::cache::{
    clock::Timestamp,
    document::Document,
    entry::{CheckedRecord, Found, Line, Rendition},
    eviction::Usage,
    key::RenditionKey,
    layer::{LayerError, OriginError},
    raster::RasterError,
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event<B> {
    /// A viewer looks no longer.
    Left(ViewerId),
    /// The page of these viewers is hidden.
    ViewersHidden(Vec<ViewerId>),
    /// The page of these viewers is shown again.
    ViewersShown(Vec<ViewerId>),
    /// Load pictures that nobody looks at yet, once.
    Prefetch(Vec<UserId>, Size),
    /// What IndexedDB says of these users ends soon: it is to be confirmed, behind all that is wanted.
    /// [`Effect::Renewed`](super::Effect::Renewed) says what came of it.
    Renew {
        /// Who, each with the revision of the latest lineage whose picture IndexedDB holds; the last are asked
        /// about first.
        users: Vec<BatchUser>,
        /// Whether a hidden page does it, too: it was woken for that.
        woken: bool,
    },
    /// What is known of the user's picture may be wrong from now on.
    Invalidate(UserId),
    /// Somebody asks for all that is wanted and missing to be tried now.
    Retry,
    /// The browser could not paint a rendition of the user's picture.
    Broken(UserId, RenditionKey),
    /// Whether what writes layers is still to be loaded. Until it is here layers are only read and erased, and
    /// the cache of pictures is not read either.
    WritesWait(bool),
    /// A picture was painted.
    Painted,
    /// There is a friend list, and this of it is on screen. Before the first such event no page is
    /// asked for.
    FriendsViewed(ListView),
    /// These rows of the feed are on screen; none: there is no feed any more.
    FeedViewed(Option<Range<usize>>),
    /// The feed's page is hidden. When it is looked at again, the same posts stand there and newer ones
    /// wait.
    FeedHidden,
    /// The newest posts are asked for.
    NewestPosts,
    /// The account's user has written a post, and the server took it.
    Posted {
        /// The author.
        account: UserId,
        /// The post.
        post: Post,
        /// The lineage of the answer.
        lineage: Lineage,
    },
    /// Somebody looks at a profile; [`Event::ProfileLeft`] once for each.
    ProfileViewed(UserId),
    /// Somebody looks at it no longer.
    ProfileLeft(UserId),
    /// Ask the server who is signed in.
    AskSession,
    /// What another source than a request of ours says of pictures, now.
    News(Vec<Record>, Lineage),
    /// Empty every layer; what is on screen stays in memory.
    Clear,
    /// The storages of an account are open from now on, or of nobody. Everything of before is
    /// forgotten, and erased if it was of another account.
    Session(Option<Box<Start>>),
    /// What the browser holds of sessions.
    Identity(Identity),
    /// A sign-in that began in `epoch` was answered.
    SignedIn {
        /// The epoch in which it was sent.
        epoch: Epoch,
        /// Who.
        account: Account,
        /// The marker that the browser holds now.
        marker: Marker,
    },
    /// Somebody asks to be signed out.
    SignOut,
    /// The browser says that there is a network, or certainly none.
    Online(bool),
    /// The page became visible, or hidden.
    Visible(bool),
    /// The account's own picture is to be this one, or none. It is shown, and kept by no layer.
    Proposed(Option<Rendition<B>>),
    /// It is not to be: what was before is shown.
    Withdrawn,
    /// The server took it.
    Taken {
        /// Whose picture it is now.
        account: UserId,
        /// What the server says of it.
        record: Record,
        /// The lineage of the answer.
        lineage: Lineage,
        /// When it was sent, on the running clock.
        sent: Duration,
    },
    /// The account's user has changed their name or headline.
    Described {
        /// Who.
        account: UserId,
        /// Their profile since.
        profile: Profile,
        /// The lineage of the answer.
        lineage: Lineage,
    },
    /// Another tab changed a row of LocalStorage.
    StorageChanged(StorageChange),
    /// The first frame was painted, and all that reads the stream is loaded. From now on the page listens
    /// for events.
    Painting {
        /// Whether the browser has Web Locks.
        has_locks: bool,
    },
    /// The page goes into the browser's page cache, or comes back.
    Frozen(bool),
    /// The lock that [`Effect::Lock`](super::Effect::Lock) asked for was granted.
    Locked(EffectId),
    /// The stream of [`Effect::Listen`](super::Effect::Listen) says something to this account.
    Streamed(EffectId, UserId, StreamEvent),
    /// Another tab passes on an event, or without one that its line is alive.
    Overheard(Option<StreamEvent>),
    /// A visible tab waits for the lock.
    LockAwaited,
    /// Somebody wants to know how much the layers hold.
    MeasureUsage,
    /// The origin stores so many bytes, of so many that it may, as the browser estimates.
    StorageUsed {
        /// All storages together.
        used: u64,
        /// The origin's quota.
        quota: u64,
    },
    /// Bytes of the answer to a request arrived, so many since the last time; headers count as 0.
    Progressed(EffectId, u64),
    /// A part of the answer to a request, of which the rest is on its way. The first has all of its JSON and
    /// the pictures that are here; each other is a [`Reply::Pictures`](super::Reply::Pictures) of no entries, with
    /// pictures that have come since. The answer that ends the request may say everything again.
    Arriving(EffectId, Fetched<B>),
    /// An effect has ended.
    Answer(EffectId, Answer<B>),
}

/// An event of `GET /api/events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEvent {
    /// The lineage of the stream.
    pub lineage: Lineage,
    /// Names it, to resume after. None if the server tells it ahead of its order: the document
    /// resumes after the event before, and may hear it once more.
    pub id: Option<Box<str>>,
    /// What it says.
    pub body: StreamBody,
}

/// What an event of the stream says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamBody {
    /// Something happened to a friend, or to oneself.
    Change(Change),
    /// Events may have been missed: what is held is to be asked for anew.
    Reset,
    /// Nothing but its id: all before it were heard.
    UpTo,
}

/// The last event that was heard, for the document that resumes after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveNote {
    /// The lineage of the stream.
    pub lineage: Lineage,
    /// The event: milliseconds since 1970, a dash, and a count within the millisecond.
    pub id: Box<str>,
}

impl LiveNote {
    /// Whether it is known to have happened before another of the same lineage.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        let order = |note: &Self| {
            let (ms, count) = note.id.split_once('-')?;
            Some((ms.parse::<u64>().ok()?, count.parse::<u64>().ok()?))
        };
        let earlier = order(self).zip(order(other)).is_some_and(|(one, other)| one < other);
        self.lineage == other.lineage && earlier
    }
}

/// Where a list is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListView {
    /// The rows in view or near it, by index; it may reach beyond the rows that are known. Empty
    /// while the list is not on screen.
    pub rows: Range<usize>,
    /// The size of the pictures that rows show; none if pages are to come without.
    pub pictures: Option<Size>,
    /// How many rows behind those are to be there, however old.
    pub ahead: usize,
}

/// What LocalStorage says of an account when its storages open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Who.
    pub account: UserId,
    /// The latest lineage seen.
    pub lineage: Option<Lineage>,
    /// Rows checked before this are shown and never believed.
    pub believe_from: Timestamp,
    /// The first page of friends.
    pub friends: Option<Document>,
    /// The first page of the feed.
    pub feed: Option<Document>,
    /// The last event that was heard.
    pub live: Option<LiveNote>,
    /// Whether the account has a cache of pictures.
    pub has_picture_cache: bool,
}

/// A `storage` event about one user's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageChange {
    /// Whose row.
    pub user: UserId,
    /// Whether the change is of the record. Otherwise it is of the preview alone.
    pub of_record: bool,
    /// The record before, where it can be read.
    pub old: Option<CheckedRecord>,
    /// The record now, where it can be read.
    pub new: Option<CheckedRecord>,
    /// What the row takes now.
    pub line: Line,
}

/// How an effect ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer<B> {
    /// What a layer found for each lookup, in the order asked.
    Read(Result<Vec<Found<B>>, LayerError>),
    /// The documents asked for, in the order asked.
    Documents(Result<Vec<Option<Document>>, LayerError>),
    /// What the API answered.
    Fetched(Fetched<B>),
    /// Whether the browser decodes the rendition.
    Decoded(bool),
    /// What a write came to.
    Written(Result<Written, LayerError>),
    /// What LocalStorage holds, a line a user.
    Counted(Result<Vec<Line>, LayerError>),
    /// What a layer holds.
    Measured(Result<Usage, LayerError>),
    /// Whether the layer holds nothing of the account any more.
    Erased(Result<(), LayerError>),
    /// The accounts that layers hold anything of.
    Accounts(Result<Vec<UserId>, LayerError>),
    /// The lock was stolen; or the browser grants none.
    Unlocked {
        /// Whether there are locks at all.
        has_locks: bool,
    },
    /// The stream has ended, or never began.
    Hushed(Refusal),
}

/// What a write left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Records that were not written, because these later ones stand.
    pub standing: Vec<CheckedRecord>,
    /// LocalStorage: a line for each user whose row was written; of 0 bytes if it is gone.
    pub lines: Vec<Line>,
    /// IndexedDB, and the cache of pictures: what it holds now.
    pub usage: Usage,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fetched<B> {
    /// The lineage that the answer named.
    pub lineage: Option<Lineage>,
    /// The account that it was given to.
    pub account: Option<UserId>,
    /// When it was sent, on the running clock, if that was before the effect.
    pub asked: Option<Duration>,
    /// The last event that had happened when the answer was made.
    pub event: Option<Box<str>>,
    /// The answer, or why there is none.
    pub outcome: Result<Reply<B>, Refusal>,
}

/// An answer whose shape is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply<B> {
    /// To [`Request::Pictures`](super::Request::Pictures).
    Pictures {
        /// One a user, as far as each could be read.
        entries: Vec<BatchEntry>,
        /// The renditions.
        renditions: Vec<Checked<B>>,
    },
    /// To [`Request::Rendition`](super::Request::Rendition).
    Rendition(Checked<B>),
    /// To [`Request::Friends`](super::Request::Friends); none: not modified.
    Friends(Option<FriendsReply<B>>),
    /// To [`Request::Feed`](super::Request::Feed).
    Feed(Feed),
    /// To [`Request::Profile`](super::Request::Profile); none: no such user.
    Profile(Option<Profile>),
    /// To [`Request::Session`](super::Request::Session); none: nobody is signed in.
    Session(Option<Account>),
    /// To [`Request::SignOut`](super::Request::SignOut).
    SignedOut,
}

/// A page of friends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FriendsReply<B> {
    /// The page.
    pub page: FriendsPage,
    /// Names this state of the page.
    pub etag: Option<Box<str>>,
    /// The size of the pictures that came along, if any were asked for.
    pub pictures: Option<Size>,
    /// The pictures that came along.
    pub renditions: Vec<Checked<B>>,
}

/// An image that arrived, and its bytes if container and size are as asked for.
pub type Checked<B> = (ImageId, Result<B, RasterError>);

/// Why a request was not answered as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why.
    pub error: OriginError,
    /// The least time to wait, if the server named one.
    pub retry_after: Option<Duration>,
}

impl From<OriginError> for Refusal {
    fn from(error: OriginError) -> Self {
        Self { error, retry_after: None }
    }
}
