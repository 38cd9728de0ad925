//! All that follows from an image: every rendition, and what is known of them.

use bytes::Bytes;
use miniature_api::Size;
use miniature_pixels::{PixelError, Square};

use super::CONTENT_TYPE;
use crate::storage::ImageMetadata;

/// All that follows from an image.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    /// Each size, as WebP.
    pub(super) renditions: [(Size, Bytes); Size::ALL.len()],
    /// What is known of them.
    pub(super) metadata: ImageMetadata,
}

impl Drawing {
    /// Draws every size. Keeps a core busy.
    pub(super) fn of(square: &Square) -> Result<Self, PixelError> {
        let draw = |size: Size| Ok((size, rendition(square, size)?));
        let [s64, s128, s256, s512] = Size::ALL.map(draw);
        let renditions = [s64?, s128?, s256?, s512?];
        let bytes = renditions.each_ref().map(|(_, webp)| length(webp));
        let metadata = ImageMetadata {
            content_type: CONTENT_TYPE.to_owned(),
            edge: square.edge(),
            bytes,
            thumbhash: square.thumbhash()?,
        };
        Ok(Self { renditions, metadata })
    }
}

/// Draws one size. Keeps a core busy.
pub(super) fn rendition(square: &Square, size: Size) -> Result<Bytes, PixelError> {
    let at_most = if size <= Size::PREVIEW { Size::PREVIEW_BYTES } else { usize::MAX };
    Ok(Bytes::from(square.rendition(size.px(), at_most)?))
}

/// No rendition comes near 4 GiB.
fn length(webp: &Bytes) -> u32 {
    u32::try_from(webp.len()).unwrap_or(u32::MAX)
}
