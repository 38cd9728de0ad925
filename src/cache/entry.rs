//! What layers hold: records, and renditions as bytes or as a `data:` URL.

use std::rc::Rc;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use miniature_api::{ImageId, Record, Size};
use serde::{Deserialize, Serialize};

use super::{
    clock::Timestamp,
    key::{Key, RenditionKey},
    raster::RasterType,
};

/// A record, and when the server last confirmed it. The time is of this browser's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedRecord {
    /// What is known.
    pub record: Record,
    /// When it was known.
    pub checked_at: Timestamp,
}

/// The content of a rendition, in the form in which its layer keeps it.
///
/// Previews live in LocalStorage as `data:` URLs and are shown as such; taking them apart into
/// bytes and together again would cost the first frame for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The encoded image.
    Bytes(RasterType, Rc<[u8]>),
    /// The encoded image as a `data:` URL in base64.
    DataUrl(Rc<str>),
}

impl Content {
    /// The length of the encoded image, in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(_, bytes) => bytes.len(),
            Self::DataUrl(url) => {
                let base64 = url.split_once(',').map_or("", |(_, base64)| base64);
                base64.trim_end_matches('=').len() * 3 / 4
            }
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The content as a `data:` URL.
    pub fn to_data_url(&self) -> Rc<str> {
        match self {
            Self::Bytes(kind, bytes) => {
                format!("data:{};base64,{}", kind.media_type(), BASE64.encode(bytes)).into()
            }
            Self::DataUrl(url) => url.clone(),
        }
    }
}

/// One image at one size, with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// Which image, how large.
    pub key: RenditionKey,
    /// What to paint.
    pub content: Content,
}

impl Rendition {
    /// The image of which this is a rendition.
    pub fn image(&self) -> ImageId {
        self.key.image
    }

    /// The edge.
    pub fn size(&self) -> Size {
        self.key.size
    }
}

/// What a layer found for one [`Lookup`](super::key::Lookup).
///
/// The rendition may be there without the record, and is then of the image that the lookup named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What the layer knows of the user's picture.
    pub record: Option<CheckedRecord>,
    /// A rendition of the image looked up, or else of the record's. LocalStorage holds one size
    /// a user and returns it whatever size was asked for.
    pub rendition: Option<Rendition>,
}

/// What a layer is to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is known of the user's picture.
    pub record: CheckedRecord,
    /// A rendition of the record's image, or none if there is none or it is held already.
    pub rendition: Option<Rendition>,
}

/// One line of a layer's inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What is held.
    pub key: Key,
    /// What it takes, in bytes.
    pub bytes: u64,
    /// When it was last written or shown.
    pub used_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_data_url_is_as_long_as_its_bytes(bytes: Vec<u8>) {
            let content = Content::Bytes(RasterType::Webp, bytes.into());
            let url = Content::DataUrl(content.to_data_url());
            proptest::prop_assert_eq!(url.len(), content.len());
        }
    }
}
