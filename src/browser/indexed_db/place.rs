//! Names a row, in its store.

use miniature_api::{ImageId, UserId};
use wasm_bindgen::JsValue;

use super::{
    PAGES, RECORDS, RENDITIONS,
    row::{self, RecordRow},
};
use crate::cache::{document::DocumentKey, key::RenditionKey};

/// A row of records, renditions or pages.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Record(UserId),
    Rendition(RenditionKey),
    Page(DocumentKey),
}

impl Place {
    pub(super) fn store(&self) -> &'static str {
        match self {
            Self::Record(_) => RECORDS,
            Self::Rendition(_) => RENDITIONS,
            Self::Page(_) => PAGES,
        }
    }

    /// The key in its store. A user id has no slash, so that none is a rendition's in `uses`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Record(user) => user.as_str().to_owned(),
            Self::Rendition(RenditionKey { image, size }) => format!("{}{size}", prefix(*image)),
            Self::Page(DocumentKey::Friends(None)) => "friends".to_owned(),
            Self::Page(DocumentKey::Friends(Some(cursor))) => format!("friends:{cursor}"),
            Self::Page(DocumentKey::Feed(None)) => "feed".to_owned(),
            Self::Page(DocumentKey::Feed(Some(before))) => format!("feed:{before}"),
            Self::Page(DocumentKey::Profile(user)) => format!("profile:{user}"),
        }
    }

    pub(super) fn is_readable(&self, row: &JsValue) -> bool {
        match self {
            Self::Record(user) => RecordRow::read(row, user).is_some(),
            Self::Rendition(key) => row::read_rendition(row, *key).is_some(),
            Self::Page(key) => row::read_page(row, key).is_some(),
        }
    }
}

/// Begins the names of an image's renditions.
fn prefix(image: ImageId) -> String {
    format!("{image}/")
}

/// The bounds of the names of an image's renditions: a zero is what follows a slash in ASCII.
pub(super) fn bounds_of(image: ImageId) -> [String; 2] {
    [prefix(image), format!("{image}0")]
}

/// The size of a rendition, from its name.
pub(super) fn size_of(name: &JsValue) -> Option<miniature_api::Size> {
    name.as_string()?.split_once('/')?.1.parse().ok()
}
