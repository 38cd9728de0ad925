//! What the core wants done.

use std::time::Duration;

use miniature_api::{BatchUser, Lineage, Marker, Size, UserId};
use serde::{Deserialize, Serialize};

use super::{event::LiveNote, session::Note};

use crate::cache::{
    clock::Timestamp,
    document::{Document, DocumentKey},
    entry::{CheckedRecord, Rendition},
    event::CacheEvent,
    eviction::Limits,
    key::{Lookup, RenditionKey, Source},
};

/// Names an effect that is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectId(pub(super) u64);

/// Something to do. Those with an id are answered by one [`Event::Answer`](super::Event::Answer).
///
/// An effect is carried out after the core's borrow has ended: its answer may come at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect<B> {
    /// Look all of these up in a layer, in one transaction. [`Answer::Read`](super::Answer::Read).
    Read {
        /// Names the answer.
        id: EffectId,
        /// IndexedDB, or the cache of pictures that the page shares with the service worker.
        layer: Source,
        /// What to look up.
        lookups: Vec<Lookup>,
    },
    /// Read documents in IndexedDB, in one transaction. [`Answer::Documents`](super::Answer::Documents).
    ReadDocuments {
        /// Names the answer.
        id: EffectId,
        /// Which.
        keys: Vec<DocumentKey>,
    },
    /// Send a request to the API. [`Answer::Fetched`](super::Answer::Fetched).
    Fetch {
        /// Names the answer.
        id: EffectId,
        /// What to ask.
        request: Request,
        /// The lineage to name in `Miniature-Lineage`; none if none was seen yet.
        lineage: Option<Lineage>,
    },
    /// Say whether the browser decodes it. [`Answer::Decoded`](super::Answer::Decoded).
    Decode {
        /// Names the answer.
        id: EffectId,
        /// What to decode.
        rendition: Rendition<B>,
    },
    /// Change what a layer holds: all of it or nothing. [`Answer::Written`](super::Answer::Written).
    Write {
        /// Names the answer.
        id: EffectId,
        /// LocalStorage, IndexedDB or the cache of pictures.
        layer: Source,
        /// The changes, in order.
        ops: Vec<Op<B>>,
        /// Becomes the last use of all that is kept.
        now: Timestamp,
        /// What the layer may hold afterwards.
        room: Room,
    },
    /// List what LocalStorage holds of the account. [`Answer::Counted`](super::Answer::Counted).
    Count {
        /// Names the answer.
        id: EffectId,
    },
    /// Say how much a layer holds. [`Answer::Measured`](super::Answer::Measured).
    Measure {
        /// Names the answer.
        id: EffectId,
        /// IndexedDB, or the cache of pictures.
        layer: Source,
    },
    /// Forget everything of the account in a layer. [`Answer::Erased`](super::Answer::Erased).
    Erase {
        /// Names the answer.
        id: EffectId,
        /// Whose; not always who is signed in.
        account: UserId,
        /// LocalStorage, IndexedDB or the cache of pictures.
        layer: Source,
    },
    /// List the accounts that any layer holds anything of. [`Answer::Accounts`](super::Answer::Accounts).
    ListAccounts {
        /// Names the answer.
        id: EffectId,
    },
    /// Wait for the account's Web Lock, and hold it until it is cancelled.
    /// [`Event::Locked`](super::Event::Locked), and at its end
    /// [`Answer::Unlocked`](super::Answer::Unlocked).
    Lock {
        /// Names it.
        id: EffectId,
        /// Whether to take it from the tab that holds it.
        steal: bool,
    },
    /// Read the stream of events until it is cancelled, and pass on to other tabs what it says.
    /// [`Event::Streamed`](super::Event::Streamed), [`Event::Progressed`](super::Event::Progressed),
    /// and at its end [`Answer::Hushed`](super::Answer::Hushed).
    Listen {
        /// Names it.
        id: EffectId,
        /// The lineage to name in `Miniature-Lineage`; none if none was seen yet.
        lineage: Option<Lineage>,
        /// The event to resume after.
        last: Option<Box<str>>,
    },
    /// Tell the other tabs that a visible one waits for the lock.
    AnnounceWait,
    /// Keep this for the next document and for other tabs.
    Note(Note),
    /// Note for `boot.js` whether IndexedDB holds the first page of the account's list.
    AnnounceList(bool),
    /// Nobody waits for this effect any more. An answer may still come and is then ignored, but
    /// for the real end of a write.
    Cancel(EffectId),
    /// [`Event::Renew`](super::Event::Renew) has come to its end.
    Renewed {
        /// Of how many users the server has said what is so.
        people: usize,
        /// Whether all were asked about.
        complete: bool,
    },
    /// A view differs from the one handed out last.
    Changed(Topic),
    /// Something for those who only listen.
    Report(CacheEvent),
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The picture of a user.
    Picture(UserId),
    /// The profile of a user.
    Profile(UserId),
    /// The friend list.
    Friends,
    /// The feed.
    Feed,
    /// Who is signed in.
    Session,
    /// Whether the server is there.
    Connection,
}

/// A request to the API, or to where it says. Nothing is changed by asking twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET /api/images/batch`: up to 50 users.
    Pictures {
        /// The edge.
        size: Size,
        /// Of whom, each with the revision whose bytes are held at this size.
        users: Vec<BatchUser>,
    },
    /// The URL of a hint, which need not be of the API: one rendition.
    Rendition {
        /// Where it is.
        url: Box<str>,
        /// What it is.
        key: RenditionKey,
    },
    /// `GET /api/friends`.
    Friends {
        /// The page after the one that named this cursor; the first page without.
        cursor: Option<Box<str>>,
        /// Send the pictures along, at this size.
        pictures: Option<Size>,
        /// Send nothing if the page is still the one with this ETag.
        etag: Option<Box<str>>,
    },
    /// `GET /api/posts`: the page before this post; the newest without.
    Feed(Option<Box<str>>),
    /// `GET /api/users/{user_id}`.
    Profile(UserId),
    /// `GET /api/session`.
    Session,
    /// `DELETE /api/session`, for the session of this marker; an empty one names none.
    SignOut(Marker),
}

/// One change of what a layer holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Op<B> {
    /// Keep a record, unless the row that is there [stands](CheckedRecord::supersedes).
    Record {
        /// What is known.
        record: CheckedRecord,
        /// Whether to make a row where there is none.
        insert: bool,
    },
    /// Keep a rendition of the user's picture. It replaces what is held of the user's older images, but in
    /// the cache of pictures, which knows nobody.
    Rendition {
        /// Whose picture.
        user: UserId,
        /// What to keep.
        rendition: Rendition<B>,
    },
    /// Keep a document.
    Document(Document),
    /// Note that the row of a user, and this rendition if there is one, were used now.
    Touch {
        /// Whose row.
        user: UserId,
        /// The rendition shown.
        rendition: Option<RenditionKey>,
    },
    /// Let the row be believed no more (its `checked_at` becomes 0), if there is one.
    Expire(UserId),
    /// Forget the user's row and, in LocalStorage, their preview.
    RemoveUser(UserId),
    /// Forget one rendition, which cannot be painted; others of its image stay.
    RemoveRendition {
        /// Whose picture it is.
        user: UserId,
        /// Which.
        key: RenditionKey,
    },
    /// Forget renditions of an image; in LocalStorage the preview of `user`, if it shows it.
    RemoveImage {
        /// Whose picture it was.
        user: UserId,
        /// Which; every size of it.
        image: miniature_api::ImageId,
    },
    /// Forget a document.
    RemoveDocument(DocumentKey),
    /// LocalStorage: rows checked before this are shown and never believed.
    BelieveFrom(Timestamp),
    /// LocalStorage: the latest lineage seen.
    Lineage(Lineage),
    /// LocalStorage: the last event that was heard.
    Live(LiveNote),
}

/// What a layer may hold after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The limits. IndexedDB evicts what is over them in the transaction of the write, least
    /// recently used first, renditions before records; the cache of pictures what was put there longest
    /// ago; of LocalStorage the core removes rows.
    pub limits: Limits,
    /// The most pages of lists.
    pub pages: usize,
    /// The most profiles.
    pub profiles: usize,
    /// Whether to give up half of what is held first: the disk is full.
    pub halve: bool,
}

/// When to call [`Core::poll`](super::Core::poll) if nothing happens before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// The moment of the running clock.
    pub at: Duration,
    /// Whether the call may wait until the browser is idle: only writes are due then.
    pub idle: bool,
}
