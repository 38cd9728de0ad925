//! Which bytes are a picture: what law 9 lets into the cache.

use miniature_api::Size;
use thiserror::Error;

/// A raster image type that browsers show. Markup (SVG) is none: it can carry script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RasterType {
    /// `image/webp`, what the API sends.
    Webp,
}

/// Why bytes are not the rendition that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RasterError {
    /// Not a WebP container, or cut off.
    #[error("the answer is not a whole WebP image")]
    NotWebp,
    /// More than a rendition may have.
    #[error("the answer is larger than a rendition may be")]
    TooLarge,
    /// An image of another size than asked for.
    #[error("the image is not a square of the size asked for")]
    WrongSize,
}

impl RasterType {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Webp => "image/webp",
        }
    }

    /// The type with this media type.
    pub fn named(media_type: &str) -> Option<Self> {
        [Self::Webp].into_iter().find(|kind| kind.media_type() == media_type)
    }

    /// Checks that `bytes` are a whole WebP image of `size` with at most `limit` bytes.
    ///
    /// This reads the container, not the pixels: whether they decode, the browser says.
    ///
    /// # Errors
    ///
    /// [`RasterError`], what is wrong with them.
    ///
    /// # Source
    ///
    /// RFC 9649, WebP Image Format: the RIFF container and the headers of its chunks.
    pub fn check(bytes: &[u8], size: Size, limit: usize) -> Result<Self, RasterError> {
        if bytes.len() > limit {
            return Err(RasterError::TooLarge);
        }
        let (width, height) = webp_dimensions(bytes).ok_or(RasterError::NotWebp)?;
        if (width, height) != (size.px(), size.px()) {
            return Err(RasterError::WrongSize);
        }
        Ok(Self::Webp)
    }
}

fn webp_dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let riff_length = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    let whole = usize::try_from(riff_length).ok()?.checked_add(8)? == bytes.len();
    if bytes.get(..4)? != b"RIFF" || bytes.get(8..12)? != b"WEBP" || !whole {
        return None;
    }
    let payload = bytes.get(20..)?;
    match bytes.get(12..16)? {
        b"VP8 " => lossy_dimensions(payload),
        b"VP8L" => lossless_dimensions(payload),
        b"VP8X" => extended_dimensions(payload),
        _ => None,
    }
}

fn lossy_dimensions(payload: &[u8]) -> Option<(u32, u32)> {
    let start_code = payload.get(3..6)? == [0x9d, 0x01, 0x2a];
    let fourteen_bits = |at: usize| {
        Some(u32::from(u16::from_le_bytes(payload.get(at..at + 2)?.try_into().ok()?) & 0x3fff))
    };
    start_code.then_some(())?;
    Some((fourteen_bits(6)?, fourteen_bits(8)?))
}

fn lossless_dimensions(payload: &[u8]) -> Option<(u32, u32)> {
    (*payload.first()? == 0x2f).then_some(())?;
    let bits = u32::from_le_bytes(payload.get(1..5)?.try_into().ok()?);
    Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
}

fn extended_dimensions(payload: &[u8]) -> Option<(u32, u32)> {
    let three_bytes = |at: usize| {
        let b = payload.get(at..at + 3)?;
        Some(u32::from_le_bytes([b[0], b[1], b[2], 0]) + 1)
    };
    Some((three_bytes(4)?, three_bytes(7)?))
}
