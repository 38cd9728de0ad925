//! Pictures as signals.

use std::{
    cell::{Cell, RefCell},
    fmt,
    ops::Deref,
    rc::{Rc, Weak},
};

use leptos::prelude::*;
use miniature_api::{ImageId, Revision, Size, UserId};
use send_wrapper::SendWrapper;

use super::{bypass, driver::driver, page_scope::PageScope};
use crate::{
    browser::object_url::{ObjectUrl, ObjectUrls},
    cache::{
        core::{Event, Status, ViewerId},
        entry::{Bytes as _, Rendition},
        key::{RenditionKey, Source, Wanted},
        layer::OriginError,
        metrics::Metrics,
        tint::Tint,
    },
};

/// The picture cache of the signed-in account. Clones share one cache.
#[derive(Clone)]
pub struct PictureCache(SendWrapper<Scoped>);

#[derive(Clone)]
struct Scoped {
    inner: Rc<Inner>,
    /// The page in which pictures are opened, if that may be hidden.
    page: Option<PageScope>,
}

struct Inner {
    account: UserId,
    urls: Urls,
}

impl fmt::Debug for PictureCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PictureCache").finish_non_exhaustive()
    }
}

/// Builds the picture cache of an account and puts it into the context.
///
/// Of another account before it nothing stays, in memory or in a storage. When the account signs
/// out, call [`PictureCache::close`]; a [`Session`](super::Session) does that by itself.
pub fn provide_picture_cache(account: &UserId) -> PictureCache {
    let driver = driver();
    driver.begin(account);
    let inline_up_to = driver.read(|core| core.policy().data_url_bytes);
    let urls = Urls { inline_up_to, ..Urls::default() };
    let inner = Inner { account: account.clone(), urls };
    let cache = PictureCache(SendWrapper::new(Scoped { inner: Rc::new(inner), page: None }));
    provide_context(cache.clone());
    cache
}

/// The picture cache in the context.
pub fn use_picture_cache() -> Option<PictureCache> {
    use_context()
}

impl PictureCache {
    /// Whose cache this is.
    pub fn account(&self) -> &UserId {
        &self.0.inner.account
    }

    /// The same cache, for the pictures of a page.
    pub(super) fn of_page(&self, page: PageScope) -> Self {
        Self(SendWrapper::new(Scoped { inner: self.0.inner.clone(), page: Some(page) }))
    }

    /// The page in which it opens pictures.
    pub(super) fn page(&self) -> Option<&PageScope> {
        self.0.page.as_ref()
    }

    /// Asks for a user's picture, until the last clone of what is returned is dropped. What memory
    /// or LocalStorage holds can be shown at once.
    pub fn open(&self, user: UserId, size: Size) -> OpenPicture {
        let driver = driver();
        let signal = driver.signals.pictures.watch(&user);
        let viewer = (!driver.signals.bypass.is_on()).then(|| {
            let (viewer, _) = driver.open(Wanted { user: user.clone(), size });
            self.page().into_iter().for_each(|page| page.admit(viewer));
            viewer
        });
        let viewing = Viewing { cache: self.clone(), user, size, viewer };
        OpenPicture { viewing: SendWrapper::new(Rc::new(viewing)), signal }
    }

    /// Loads pictures that nobody looks at yet.
    pub fn prefetch(&self, users: &[UserId], size: Size) {
        driver().handle(Event::Prefetch(users.to_vec(), size));
    }

    /// Asks the server about a user's picture, whatever is held.
    pub fn invalidate(&self, user: &UserId) {
        driver().handle(Event::Invalidate(user.clone()));
    }

    /// Asks again, now, for all that is wanted and could not be had.
    pub fn retry(&self) {
        driver().handle(Event::Retry);
    }

    /// Empties every layer. What is on screen stays there.
    pub fn clear(&self) {
        driver().handle(Event::Clear);
    }

    /// Ends the cache: erases the account from every layer, and drops what is under way.
    pub fn close(&self) {
        let driver = driver();
        if driver.read(|core| core.account() == Some(&self.0.inner.account)) {
            driver.end();
        }
    }

    /// What was counted so far.
    pub fn metrics(&self) -> Metrics {
        super::monitor::metrics()
    }

    /// Counts from zero.
    pub fn reset_metrics(&self) {
        driver().counters.reset();
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
    user: UserId,
    size: Size,
    /// None where the picture is a plain `<img>`.
    viewer: Option<ViewerId>,
}

impl fmt::Debug for OpenPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenPicture").field(&self.viewing.user).finish()
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        let driver = driver();
        driver.signals.pictures.unwatch(&self.user);
        if let Some(viewer) = self.viewer {
            self.cache.page().into_iter().for_each(|page| page.dismiss(viewer));
            driver.handle(Event::Left(viewer));
        }
    }
}

impl OpenPicture {
    /// What is to be shown. Tracks this user's changes.
    pub fn view(&self) -> View {
        self.signal.track();
        let Some(viewer) = self.viewing.viewer else {
            return bypass::plain_view(&self.viewing.user, self.viewing.size);
        };
        let view = driver().read(|core| core.view(viewer));
        let shown = view.shown.map(|shown| Shown {
            url: self.viewing.cache.0.inner.urls.lease(&shown.rendition),
            source: shown.source,
            size: shown.rendition.size(),
            image: shown.rendition.image(),
        });
        View {
            shown,
            status: view.status,
            error: view.error,
            revision: view.revision,
            tint: view.tint,
        }
    }

    /// Asks the server anew.
    pub fn refetch(&self) {
        self.viewing.cache.invalidate(&self.viewing.user);
    }

    /// Says that what is shown was painted.
    pub fn painted(&self) {
        driver().handle(Event::Painted);
    }

    /// Says that the browser could not paint a rendition: it is taken out of every layer and asked
    /// for anew, some times.
    pub fn broken(&self, key: RenditionKey) {
        if self.viewing.viewer.is_none() {
            return;
        }
        driver().handle(Event::Broken(self.viewing.user.clone(), key));
    }
}

/// Everything a component needs to know of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// What to paint; none: initials.
    pub shown: Option<Shown>,
    /// Whether more is to come.
    pub status: Status,
    /// Why the last attempt to learn or load something newer failed, until the next one begins.
    pub error: Option<OriginError>,
    /// The revision that is known, if any is.
    pub revision: Option<Revision>,
    /// The colour of a picture that is on its way from the server, if nothing of it is here.
    pub tint: Option<Tint>,
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

impl Shown {
    /// Names what is painted.
    pub fn key(&self) -> RenditionKey {
        RenditionKey { image: self.image, size: self.size }
    }
}

/// The address of a picture: a `data:` URL if it is small, else a `blob:` URL that works until the
/// last clone is dropped.
#[derive(Clone, Debug)]
pub struct PictureUrl(SendWrapper<Rc<Url>>);

impl PictureUrl {
    /// One that is as it is.
    pub(crate) fn plain(url: impl Into<Rc<str>>) -> Self {
        Self(SendWrapper::new(Rc::new(Url::Plain(url.into()))))
    }
}

#[derive(Debug)]
enum Url {
    Plain(Rc<str>),
    Object(Rc<ObjectUrl>),
}

impl Deref for PictureUrl {
    type Target = str;

    fn deref(&self) -> &str {
        match &**self.0 {
            Url::Plain(url) => url,
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
    /// By rendition, sorted.
    used: RefCell<Vec<(RenditionKey, Weak<Url>)>>,
    /// At how many those go that nobody uses any more.
    sweep_at: Cell<usize>,
}

/// Fewer addresses than these are never looked through.
const SWEEP: usize = 256;

impl Urls {
    fn lease(&self, rendition: &Rendition) -> PictureUrl {
        let find = |used: &[(RenditionKey, _)]| used.binary_search_by_key(&rendition.key, |u| u.0);
        let mut used = self.used.borrow_mut();
        let held = find(&used).ok().and_then(|at| used.get(at)?.1.upgrade());
        let url = held.unwrap_or_else(|| {
            let url = Rc::new(self.address(rendition));
            if used.len() >= self.sweep_at.get() {
                used.retain(|(_, url)| url.strong_count() > 0);
                self.sweep_at.set(SWEEP.max(2 * used.len()));
            }
            let lease = (rendition.key, Rc::downgrade(&url));
            match find(&used) {
                Ok(at) => used[at] = lease,
                Err(at) => used.insert(at, lease),
            }
            url
        });
        PictureUrl(SendWrapper::new(url))
    }

    fn address(&self, rendition: &Rendition) -> Url {
        if rendition.content.byte_len() <= self.inline_up_to {
            return Url::Plain(rendition.content.to_data_url());
        }
        match self.objects.lease(rendition) {
            Some(url) => Url::Object(url),
            None => Url::Plain(rendition.content.to_data_url()),
        }
    }
}
