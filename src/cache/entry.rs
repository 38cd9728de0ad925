//! What layers hold: records, and renditions as bytes or as a `data:` URL.

use std::rc::Rc;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use miniature_api::{ImageId, Lineage, Record, Revision, Size, UserId};
use serde::{Deserialize, Serialize};

use super::{clock::Timestamp, key::RenditionKey, raster::RasterType};

/// Which of two states of a user's picture is the later: by lineage, then by revision. A state
/// without a lineage is the earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The history that the revision belongs to.
    pub lineage: Option<Lineage>,
    /// Counts up within it.
    pub revision: Revision,
}

/// A record, and when the server last confirmed it. The time is of this browser's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedRecord {
    /// What is known.
    pub record: Record,
    /// The history that its revision belongs to.
    pub lineage: Option<Lineage>,
    /// When it was known: when the request was sent whose answer said so.
    pub checked_at: Timestamp,
}

impl CheckedRecord {
    /// Its place in the order of states.
    pub fn version(&self) -> Version {
        Version { lineage: self.lineage, revision: self.record.revision }
    }

    /// Whether this may replace `held` in a layer at `now`: it is of a later version, or of the same
    /// one and was checked later. A check that is still to come was made by a clock that ran ahead.
    pub fn supersedes(&self, held: &Self, now: Timestamp) -> bool {
        let held_at = held.checked_at.unless_after(now);
        (self.version(), self.checked_at) > (held.version(), held_at)
    }
}

/// A handle to the bytes of a rendition. Cheap to clone.
///
/// In the page it holds the bytes; a simulation or a replay holds no more than their length.
pub trait Bytes: Clone {
    /// The length of the encoded image, in bytes.
    fn byte_len(&self) -> usize;
}

/// A handle that can stand for as many bytes as are said.
pub trait Handle: Bytes {
    /// Stands for so many bytes.
    fn of_length(length: usize) -> Self;
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

impl Bytes for Content {
    fn byte_len(&self) -> usize {
        match self {
            Self::Bytes(_, bytes) => bytes.len(),
            Self::DataUrl(url) => {
                let base64 = url.split_once(',').map_or("", |(_, base64)| base64);
                base64.trim_end_matches('=').len() * 3 / 4
            }
        }
    }
}

/// Bytes that nobody looks at: a page has its core compiled for no other handle.
impl Handle for Content {
    fn of_length(length: usize) -> Self {
        Self::Bytes(RasterType::Webp, vec![0; length].into())
    }
}

impl Content {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition<B = Content> {
    /// Which image, how large.
    pub key: RenditionKey,
    /// What to paint.
    pub content: B,
}

impl<B> Rendition<B> {
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
/// The rendition need not be of the record's image: while the bytes of a newer image are not
/// stored, a layer keeps those of the older one and returns them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found<B = Content> {
    /// What the layer knows of the user's picture.
    pub record: Option<CheckedRecord>,
    /// The best rendition that it holds: of the image looked up, or else of the record's, or else
    /// of an older one; of the size asked for, or else the next larger, or else the largest.
    pub rendition: Option<Rendition<B>>,
    /// When the row was last used.
    pub used_at: Timestamp,
}

impl<B> Default for Found<B> {
    fn default() -> Self {
        Self { record: None, rendition: None, used_at: Timestamp(0) }
    }
}

/// One user's line of LocalStorage's inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Whose.
    pub user: UserId,
    /// What record and preview take with their keys, in bytes; 0: neither is there.
    pub bytes: u64,
    /// When the row was last used.
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
            proptest::prop_assert_eq!(url.byte_len(), content.byte_len());
        }
    }

    #[test]
    fn content_is_as_long_as_its_image() {
        let cases = [
            (Content::Bytes(RasterType::Webp, Rc::from([1, 2, 3, 4, 5])), 5),
            (Content::DataUrl("data:image/webp;base64,AAAA".into()), 3),
            (Content::DataUrl("data:image/webp;base64,AAA=".into()), 2),
            (Content::DataUrl("data:image/webp;base64,".into()), 0),
            (Content::DataUrl("nothing".into()), 0),
        ];
        for (content, expected) in cases {
            assert_eq!(content.byte_len(), expected, "{content:?}");
        }
    }

    const NOW: Timestamp = Timestamp(10);

    #[test]
    fn a_row_of_a_clock_that_ran_ahead_is_replaced() {
        let at = |checked_at| CheckedRecord {
            record: Record {
                user_id: "ada".parse().unwrap(),
                revision: Revision(1),
                image_id: None,
                thumbhash: None,
            },
            lineage: None,
            checked_at: Timestamp(checked_at),
        };
        assert!(at(1).supersedes(&at(NOW.0 + 1), NOW));
        assert!(!at(NOW.0 - 1).supersedes(&at(NOW.0), NOW));
    }

    #[test]
    fn lineage_goes_before_revision_and_revision_before_time() {
        let at = |lineage: Option<&str>, revision, checked_at| CheckedRecord {
            record: Record {
                user_id: "ada".parse().unwrap(),
                revision: Revision(revision),
                image_id: None,
                thumbhash: None,
            },
            lineage: lineage.map(|lineage| lineage.parse().unwrap()),
            checked_at: Timestamp(checked_at),
        };
        let (first, second) = ("1700000000000-0000000000000001", "1800000000000-0000000000000000");
        let rising = [
            ("no lineage", at(None, 9, 9)),
            ("an earlier lineage", at(Some(first), 4, 9)),
            ("a later revision", at(Some(first), 5, 1)),
            ("checked later", at(Some(first), 5, 2)),
            ("restored: a later lineage, counted from lower", at(Some(second), 1, 0)),
        ];
        for (at, (name, later)) in rising.iter().enumerate() {
            assert!(!later.supersedes(later, NOW), "{name}: the same");
            for (_, earlier) in &rising[..at] {
                assert!(later.supersedes(earlier, NOW), "{name}");
                assert!(!earlier.supersedes(later, NOW), "{name}");
            }
        }
    }
}
