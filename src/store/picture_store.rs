//! Pictures as signals.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt,
    ops::Deref,
    rc::{Rc, Weak},
    time::Duration,
};

use leptos::prelude::*;
use miniature_api::{ImageId, Record, Revision, Size, UserId};
use send_wrapper::SendWrapper;

use super::{
    connection::{Connection, use_connection},
    environment::BrowserEnvironment,
    session::Session,
};
use crate::{
    browser::object_url::{ObjectUrl, ObjectUrls},
    cache::{
        entry::Rendition,
        key::{RenditionKey, Source, Wanted},
        layer::BatchAnswer,
        memory::Status,
        pipeline::{Environment, Pipeline, Viewer},
        policy::Policy,
        stats::Metrics,
    },
};

/// The picture cache of the signed-in account. Clones share one cache.
#[derive(Clone)]
pub struct PictureCache(SendWrapper<Rc<Inner>>);

struct Inner {
    account: UserId,
    pipeline: Rc<Pipeline<BrowserEnvironment>>,
    urls: Urls,
}

impl fmt::Debug for PictureCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PictureCache").finish_non_exhaustive()
    }
}

/// Builds the picture cache of an account and puts it into the context.
///
/// It reads nothing yet. When the account signs out, call [`PictureCache::close`]; a
/// [`Session`](super::Session) does that by itself.
pub fn provide_picture_cache(account: &UserId) -> PictureCache {
    let cache = PictureCache::new(account, use_connection());
    let (retry, connection) = (cache.clone(), use_connection());
    Effect::new(move |before: Option<bool>| {
        let reachable = connection.is_reachable();
        if reachable && before == Some(false) {
            retry.retry();
        }
        reachable
    });
    if let Some(session) = use_context::<Session>() {
        session.attach(&cache);
    }
    provide_context(cache.clone());
    cache
}

/// The picture cache in the context.
pub fn use_picture_cache() -> Option<PictureCache> {
    use_context()
}

impl PictureCache {
    pub(super) fn new(account: &UserId, connection: Connection) -> Self {
        let environment = BrowserEnvironment::new(account, connection);
        let pipeline = Pipeline::new(environment, Policy::default());
        let urls = Urls { inline_up_to: pipeline.policy().data_url_bytes, ..Urls::default() };
        Self(SendWrapper::new(Rc::new(Inner { account: account.clone(), pipeline, urls })))
    }

    /// Whose cache this is.
    pub fn account(&self) -> &UserId {
        &self.0.account
    }

    /// Asks for a user's picture, until the last clone of what is returned is dropped. What memory
    /// or LocalStorage holds can be shown at once.
    pub fn open(&self, user: UserId, size: Size) -> OpenPicture {
        let signal = self.environment().watch(&user);
        let viewer = self.pipeline().open(Wanted { user, size });
        let viewing = Viewing { cache: self.clone(), viewer };
        OpenPicture { viewing: SendWrapper::new(Rc::new(viewing)), signal }
    }

    /// Loads pictures that nobody looks at yet.
    pub fn prefetch(&self, users: &[UserId], size: Size) {
        self.pipeline().prefetch(users, size);
    }

    /// Asks the server about a user's picture, whatever is held.
    pub fn invalidate(&self, user: &UserId) {
        self.pipeline().invalidate(user);
    }

    /// Asks again for all that is on screen and could not be had.
    pub fn retry(&self) {
        self.pipeline().retry();
    }

    /// Empties every layer. What is on screen stays there.
    pub async fn clear(&self) {
        self.pipeline().clear().await;
        self.environment().metrics.notify();
    }

    /// Ends the cache: erases the account from every layer, and drops what is under way.
    pub async fn close(&self) {
        self.pipeline().close().await;
    }

    /// Takes in pictures that came with a list, which took `took` to come.
    pub(super) fn admit(
        &self,
        records: Vec<Record>,
        answer: BatchAnswer,
        size: Size,
        took: Duration,
    ) {
        self.pipeline().admit(records, answer, size, took);
    }

    /// Takes in records that came with a list, without their pictures.
    pub(super) fn observe(&self, records: Vec<Record>) {
        self.pipeline().observe(records);
    }

    /// What was counted so far. Does not track; see [`Self::track_metrics`].
    pub fn metrics(&self) -> Metrics {
        self.environment().stats.borrow().metrics()
    }

    /// Reruns the caller when something was counted, at most four times a second. What the layers
    /// hold is counted anew for it.
    pub fn track_metrics(&self) {
        self.environment().metrics.track();
        let cache = self.clone();
        crate::browser::schedule::spawn(async move { cache.note_usage().await });
    }

    /// Counts from zero.
    pub fn reset_metrics(&self) {
        use crate::cache::{clock::Clock, stats::Stats};
        let now = self.environment().clock().now();
        self.environment().stats.replace(Stats::new(now));
        self.environment().metrics.notify();
    }

    pub(super) fn pipeline(&self) -> &Rc<Pipeline<BrowserEnvironment>> {
        &self.0.pipeline
    }

    fn environment(&self) -> &BrowserEnvironment {
        self.pipeline().env()
    }

    async fn note_usage(&self) {
        let before = self.metrics().layers;
        let usage = [
            (Source::Memory, Ok(self.pipeline().memory_usage())),
            (Source::LocalStorage, self.pipeline().instant_usage().await),
            (Source::IndexedDb, self.pipeline().durable_usage().await),
        ];
        for (source, usage) in usage {
            self.environment().stats.borrow_mut().note_usage(source, usage.unwrap_or_default());
        }
        if self.metrics().layers != before {
            self.environment().metrics.notify();
        }
    }
}

/// Someone who looks at a picture. Clones look at the same.
#[derive(Clone)]
pub struct OpenPicture {
    viewing: SendWrapper<Rc<Viewing>>,
    signal: ArcTrigger,
}

struct Viewing {
    cache: PictureCache,
    viewer: Viewer<BrowserEnvironment>,
}

impl fmt::Debug for OpenPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenPicture").field(self.viewing.viewer.wanted()).finish()
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        self.cache.environment().unwatch(&self.viewer.wanted().user);
    }
}

impl OpenPicture {
    /// What is to be shown. Tracks this user's changes.
    pub fn view(&self) -> View {
        self.signal.track();
        let view = self.viewing.viewer.view();
        let shown = view.shown.map(|shown| Shown {
            url: self.viewing.cache.0.urls.lease(&shown.rendition),
            source: shown.source,
            size: shown.rendition.size(),
            image: shown.rendition.image(),
        });
        View { shown, status: view.status, revision: view.revision }
    }

    /// Asks the server anew.
    pub fn refetch(&self) {
        self.viewing.cache.invalidate(&self.viewing.viewer.wanted().user);
    }

    /// Says that the browser could not paint what is shown: it is taken out of every layer and
    /// asked for anew, once.
    pub fn broken(&self) {
        if let Some(shown) = self.viewing.viewer.view().shown {
            let user = &self.viewing.viewer.wanted().user;
            self.viewing.cache.pipeline().broken(user, shown.rendition.key);
        }
    }
}

/// Everything a component needs to know of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// What to paint; none: initials.
    pub shown: Option<Shown>,
    /// Whether more is to come.
    pub status: Status,
    /// The revision that is known, if any is.
    pub revision: Option<Revision>,
}

/// A picture to paint.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its address, for as long as this lives.
    pub url: PictureUrl,
    /// The layer that gave it.
    pub source: Source,
    /// Its edge. Other than asked for while the right size is on its way.
    pub size: Size,
    /// Its content.
    pub image: ImageId,
}

/// The address of a picture: a `data:` URL if it is small, else a `blob:` URL that works until the
/// last clone is dropped.
#[derive(Clone, Debug)]
pub struct PictureUrl(SendWrapper<Rc<Url>>);

#[derive(Debug)]
enum Url {
    Data(Rc<str>),
    Object(Rc<ObjectUrl>),
}

impl Deref for PictureUrl {
    type Target = str;

    fn deref(&self) -> &str {
        match &**self.0 {
            Url::Data(url) => url,
            Url::Object(url) => url.url(),
        }
    }
}

impl PartialEq for PictureUrl {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// The addresses in use, one a rendition.
#[derive(Default)]
struct Urls {
    /// Up to how many bytes a picture is addressed by a `data:` URL.
    inline_up_to: usize,
    objects: ObjectUrls,
    used: RefCell<HashMap<RenditionKey, Weak<Url>>>,
}

impl Urls {
    fn lease(&self, rendition: &Rendition) -> PictureUrl {
        let mut used = self.used.borrow_mut();
        if let Some(url) = used.get(&rendition.key).and_then(Weak::upgrade) {
            return PictureUrl(SendWrapper::new(url));
        }
        used.retain(|_, url| url.strong_count() > 0);
        let url = Rc::new(self.address(rendition));
        used.insert(rendition.key, Rc::downgrade(&url));
        PictureUrl(SendWrapper::new(url))
    }

    fn address(&self, rendition: &Rendition) -> Url {
        if rendition.content.len() <= self.inline_up_to {
            return Url::Data(rendition.content.to_data_url());
        }
        match self.objects.lease(rendition) {
            Some(url) => Url::Object(url),
            None => Url::Data(rendition.content.to_data_url()),
        }
    }
}

/// Erases what an account left behind in the browser's storage.
pub(super) async fn erase(account: &UserId, connection: Connection) {
    PictureCache::new(account, connection).close().await;
}
