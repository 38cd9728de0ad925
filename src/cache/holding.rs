//! What each layer holds of one user, side by side.

use std::time::Duration;

use miniature_api::{ImageId, Revision, Size};
use serde::{Deserialize, Serialize};

use super::{
    clock::{Timestamp, whole_millis},
    entry::{Bytes, CheckedRecord, Rendition},
    key::Source,
};

/// What a layer holds of one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The layer.
    pub layer: Source,
    /// Whether it could be looked at.
    pub is_readable: bool,
    /// Of the record; none if it holds none.
    pub revision: Option<Revision>,
    /// The image that the record names; none if it names none, or there is no record.
    pub image_id: Option<ImageId>,
    /// When the server last confirmed the record.
    pub checked_at: Option<Timestamp>,
    /// Until when the layer answers without asking the server.
    pub believed_until: Option<Timestamp>,
    /// The encoded images, smallest first. They may be of an older image than the record's.
    pub pictures: Vec<HeldPicture>,
}

/// An encoded image in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HeldPicture {
    /// The edge.
    pub size: Size,
    /// Its length, in bytes.
    pub bytes: u64,
    /// Which image.
    pub image_id: ImageId,
}

impl Holding {
    /// Of a layer that cannot be read.
    pub fn unreadable(layer: Source) -> Self {
        Self { is_readable: false, ..Self::new(layer, None, Duration::ZERO, &[] as &[Rendition]) }
    }

    /// Of a layer that believes its record for so long.
    pub fn new<B: Bytes>(
        layer: Source,
        record: Option<&CheckedRecord>,
        fresh_for: Duration,
        held: &[Rendition<B>],
    ) -> Self {
        let checked_at = record.map(|record| record.checked_at);
        let lasts = whole_millis(fresh_for);
        let mut pictures: Vec<HeldPicture> = held
            .iter()
            .map(|rendition| HeldPicture {
                size: rendition.size(),
                bytes: rendition.content.byte_len() as u64,
                image_id: rendition.image(),
            })
            .collect();
        pictures.sort_unstable();
        pictures.dedup();
        Self {
            layer,
            is_readable: true,
            revision: record.map(|record| record.record.revision),
            image_id: record.and_then(|record| record.record.image_id),
            checked_at,
            believed_until: checked_at.map(|at| Timestamp(at.0.saturating_add(lasts))),
            pictures,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{entry::Content, key::RenditionKey, raster::RasterType};
    use miniature_api::Record;

    #[test]
    fn a_layer_is_shown_with_its_pictures_each_once() {
        let image: ImageId = "00112233445566778899aabbccddeeff".parse().unwrap();
        let content = Content::Bytes(RasterType::Webp, [7; 90].into());
        let held = [Size::S256, Size::S64, Size::S256]
            .map(|size| Rendition { key: RenditionKey { image, size }, content: content.clone() });
        let record = CheckedRecord {
            record: Record {
                user_id: "ada".parse().unwrap(),
                revision: Revision(3),
                image_id: Some(image),
                thumbhash: None,
            },
            lineage: None,
            checked_at: Timestamp(1_000),
        };
        let week = Duration::from_secs(7 * 86_400);
        let holding = Holding::new(Source::IndexedDb, Some(&record), week, &held);
        let sizes: Vec<Size> = holding.pictures.iter().map(|picture| picture.size).collect();
        assert_eq!(sizes, [Size::S64, Size::S256]);
        assert_eq!(holding.believed_until, Some(Timestamp(604_801_000)));
        assert_eq!(holding.pictures[0].bytes, 90);

        let nothing = Holding::unreadable(Source::LocalStorage);
        assert!(!nothing.is_readable && nothing.revision.is_none() && nothing.pictures.is_empty());
    }
}
