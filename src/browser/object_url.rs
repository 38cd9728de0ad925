//! `blob:` URLs: one a rendition a document, revoked when the last lease on it drops.
//!
//! The browser keeps the bytes behind such a URL for as long as it is not revoked, and an `<img>`
//! whose URL is revoked before it has decoded stays empty. So a URL lives exactly as long as
//! somebody holds its lease.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::{Rc, Weak},
};

use js_sys::{Array, Uint8Array};
use web_sys::{Blob, BlobPropertyBag, Url};

use crate::cache::{
    entry::{Content, Rendition},
    key::RenditionKey,
    raster::RasterType,
};

type Registry = Rc<RefCell<HashMap<RenditionKey, Weak<ObjectUrl>>>>;

/// The document's object URLs.
#[derive(Clone, Debug, Default)]
pub struct ObjectUrls {
    registry: Registry,
}

/// A URL under which a rendition can be painted, for as long as this is held.
#[derive(Debug)]
pub struct ObjectUrl {
    url: Rc<str>,
    /// Where the URL is registered; none for a `data:` URL, which nobody needs to revoke.
    registered: Option<(Registry, RenditionKey)>,
}

impl ObjectUrls {
    /// The URL of a rendition: the one that there is, or a new one. A `data:` URL stays what it
    /// is. None if the browser refuses to make one.
    pub fn lease(&self, rendition: &Rendition) -> Option<Rc<ObjectUrl>> {
        match &rendition.content {
            Content::DataUrl(url) => {
                Some(Rc::new(ObjectUrl { url: url.clone(), registered: None }))
            }
            Content::Bytes(kind, bytes) => {
                self.held(&rendition.key).or_else(|| self.create(rendition.key, *kind, bytes))
            }
        }
    }

    /// How many `blob:` URLs are in existence.
    pub fn live(&self) -> usize {
        self.registry.borrow().len()
    }

    fn held(&self, key: &RenditionKey) -> Option<Rc<ObjectUrl>> {
        self.registry.borrow().get(key).and_then(Weak::upgrade)
    }

    fn create(&self, key: RenditionKey, kind: RasterType, bytes: &[u8]) -> Option<Rc<ObjectUrl>> {
        let blob = blob(kind, bytes)?;
        #[expect(clippy::disallowed_methods, reason = "the one place that leases them out")]
        let url = Url::create_object_url_with_blob(&blob).ok()?;
        let registered = Some((self.registry.clone(), key));
        let lease = Rc::new(ObjectUrl { url: url.into(), registered });
        self.registry.borrow_mut().insert(key, Rc::downgrade(&lease));
        Some(lease)
    }
}

impl ObjectUrl {
    /// The URL, for the `src` of an `<img>`.
    pub fn url(&self) -> &Rc<str> {
        &self.url
    }
}

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        if let Some((registry, key)) = self.registered.take() {
            registry.borrow_mut().remove(&key);
            let _ = Url::revoke_object_url(&self.url);
        }
    }
}

/// A blob with a copy of the bytes; none if the browser refuses.
fn blob(kind: RasterType, bytes: &[u8]) -> Option<Blob> {
    let options = BlobPropertyBag::new();
    options.set_type(kind.media_type());
    let parts = Array::of1(&Uint8Array::from(bytes));
    Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()
}
