//! The verbs of a layer, and why one may fail. Layers judge nothing.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use miniature_api::{BatchEntry, BatchUser, ImageId, Size, UserId};
use thiserror::Error;

use super::{
    clock::Timestamp,
    entry::{Entry, Found, Held, Rendition},
    key::{Key, Lookup, Source},
};

/// One shelf of the cache, belonging to one account.
///
/// Freshness, eviction and order belong to [`Policy`](super::policy::Policy) and the pipeline, so
/// a new storage is one small file, and every storage passes the same contract tests.
#[expect(async_fn_in_trait, reason = "one thread: no future of the cache crosses threads")]
pub trait CacheLayer {
    /// Names the shelf in events, in errors and on the dashboard.
    const SOURCE: Source;

    /// Returns what is held for each lookup, fresh or not, in the order asked, in one trip.
    ///
    /// What cannot be read back as it was written counts as not held, and is removed.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    async fn get_many(&self, lookups: &[Lookup]) -> Result<Vec<Found>, LayerError>;

    /// Stores the entries, replacing what was there, all or none; `now` becomes their last use.
    ///
    /// # Errors
    ///
    /// [`LayerError::Full`] if the quota is spent; nothing is stored.
    async fn put_many(&self, entries: &[Entry], now: Timestamp) -> Result<(), LayerError>;

    /// Forgets the keys; those not held are no error.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    async fn remove_many(&self, keys: &[Key]) -> Result<(), LayerError>;

    /// Notes that the keys were used at `now`; those not held are no error.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    async fn touch_many(&self, keys: &[Key], now: Timestamp) -> Result<(), LayerError>;

    /// The inventory, in no order.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    async fn inventory(&self) -> Result<Vec<Held>, LayerError>;

    /// Forgets everything of the account.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    async fn clear(&self) -> Result<(), LayerError>;
}

/// [`CacheLayer`] behind a pointer, for the writing that is the same on every shelf: one copy of
/// that code in the bundle, not one a shelf.
pub(crate) trait Shelf {
    /// As [`CacheLayer::put_many`].
    fn put<'a>(&'a self, entries: &'a [Entry], now: Timestamp) -> Answer<'a, ()>;
    /// As [`CacheLayer::remove_many`].
    fn remove<'a>(&'a self, keys: &'a [Key]) -> Answer<'a, ()>;
    /// As [`CacheLayer::touch_many`].
    fn touch<'a>(&'a self, keys: &'a [Key], now: Timestamp) -> Answer<'a, ()>;
    /// As [`CacheLayer::inventory`].
    fn list(&self) -> Answer<'_, Vec<Held>>;
    /// As [`CacheLayer::clear`].
    fn empty(&self) -> Answer<'_, ()>;
}

/// What a shelf will say.
pub(crate) type Answer<'a, T> = LocalBoxFuture<'a, Result<T, LayerError>>;

impl<L: CacheLayer> Shelf for L {
    fn put<'a>(&'a self, entries: &'a [Entry], now: Timestamp) -> Answer<'a, ()> {
        Box::pin(self.put_many(entries, now))
    }

    fn remove<'a>(&'a self, keys: &'a [Key]) -> Answer<'a, ()> {
        Box::pin(self.remove_many(keys))
    }

    fn touch<'a>(&'a self, keys: &'a [Key], now: Timestamp) -> Answer<'a, ()> {
        Box::pin(self.touch_many(keys, now))
    }

    fn list(&self) -> Answer<'_, Vec<Held>> {
        Box::pin(self.inventory())
    }

    fn empty(&self) -> Answer<'_, ()> {
        Box::pin(self.clear())
    }
}

/// A shelf that answers within the call: what it holds can be in the first frame.
pub trait InstantLayer: CacheLayer {
    /// Returns what is held of a user, without waiting.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    fn peek(&self, user: &UserId) -> Result<Found, LayerError>;
}

/// The API behind all shelves.
#[expect(async_fn_in_trait, reason = "one thread: no future of the cache crosses threads")]
pub trait Origin {
    /// Asks for up to 50 users' records, and the renditions newer than what is held.
    ///
    /// Dropping the future cancels the request.
    ///
    /// # Errors
    ///
    /// [`OriginError`], by what can help.
    async fn batch(&self, size: Size, users: &[BatchUser]) -> Result<BatchAnswer, OriginError>;

    /// Whether the browser can decode the rendition. Asked before anything is stored.
    async fn decodes(&self, rendition: &Rendition) -> bool;
}

/// What the API answered, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchAnswer {
    /// One a user, in the order asked.
    pub entries: Vec<BatchEntry>,
    /// Encoded images by what they claim to be.
    pub renditions: Vec<(ImageId, Rc<[u8]>)>,
}

/// Why a layer could not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum LayerError {
    /// The browser denies this storage: blocked cookies, a private window, no such API.
    #[error("the browser denies this storage")]
    Unavailable,
    /// The origin's quota is spent; nothing was written.
    #[error("the storage quota is spent")]
    Full,
    /// Another tab upgraded or deleted the database under us.
    #[error("another tab closed the connection")]
    Disconnected,
    /// No answer in the time allowed.
    #[error("the storage did not answer in time")]
    TimedOut,
    /// Anything else that the storage reports.
    #[error("the storage failed")]
    Failed,
}

impl LayerError {
    /// The one response that can help. Callers branch on this, never on the message.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::Unavailable => Recovery::BypassUntilReload,
            Self::Full => Recovery::EvictThenRetryOnce,
            Self::Disconnected => Recovery::RetryOnce,
            Self::TimedOut | Self::Failed => Recovery::RetryLater,
        }
    }
}

/// What to do about a [`LayerError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing helps in this document.
    BypassUntilReload,
    /// Make room, try once more, then only read.
    EvictThenRetryOnce,
    /// Try once more: the layer connects anew by itself.
    RetryOnce,
    /// Count it; after several in a row, leave the layer alone for a while.
    RetryLater,
}

/// Why the API did not answer as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum OriginError {
    /// Not reached: no network, no server, or no answer in the time allowed.
    #[error("the server cannot be reached")]
    Unreachable,
    /// The session has ended.
    #[error("signed out")]
    SignedOut,
    /// The server answered with this status.
    #[error("the server answered {0}")]
    Status(u16),
    /// The answer is not what the API promises.
    #[error("the server's answer cannot be read")]
    Malformed,
}

/// A shelf that could not be opened.
impl<L: CacheLayer> CacheLayer for Option<L> {
    const SOURCE: Source = L::SOURCE;

    async fn get_many(&self, lookups: &[Lookup]) -> Result<Vec<Found>, LayerError> {
        self.as_ref().ok_or(LayerError::Unavailable)?.get_many(lookups).await
    }

    async fn put_many(&self, entries: &[Entry], now: Timestamp) -> Result<(), LayerError> {
        self.as_ref().ok_or(LayerError::Unavailable)?.put_many(entries, now).await
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<(), LayerError> {
        self.as_ref().ok_or(LayerError::Unavailable)?.remove_many(keys).await
    }

    async fn touch_many(&self, keys: &[Key], now: Timestamp) -> Result<(), LayerError> {
        self.as_ref().ok_or(LayerError::Unavailable)?.touch_many(keys, now).await
    }

    async fn inventory(&self) -> Result<Vec<Held>, LayerError> {
        self.as_ref().ok_or(LayerError::Unavailable)?.inventory().await
    }

    async fn clear(&self) -> Result<(), LayerError> {
        self.as_ref().ok_or(LayerError::Unavailable)?.clear().await
    }
}

impl<L: InstantLayer> InstantLayer for Option<L> {
    fn peek(&self, user: &UserId) -> Result<Found, LayerError> {
        self.as_ref().ok_or(LayerError::Unavailable)?.peek(user)
    }
}
