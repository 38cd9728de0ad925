//! Which bytes are a picture: what law 9 lets into the cache.

use miniature_api::Size;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A raster image type that browsers show. Markup (SVG) is none: it can carry script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RasterType {
    /// `image/webp`, what the API sends.
    Webp,
}

/// Why bytes are not the rendition that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 100;

    /// A container whose first chunk is this one.
    fn webp(chunk: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let length = |of: usize| u32::try_from(of).unwrap().to_le_bytes();
        [b"RIFF", &length(12 + payload.len()), b"WEBP", &chunk[..], &length(payload.len()), payload]
            .concat()
    }

    fn lossy(width: u16, height: u16) -> Vec<u8> {
        let ([w, x], [h, i]) = (width.to_le_bytes(), height.to_le_bytes());
        webp(b"VP8 ", &[0x30, 1, 0, 0x9d, 1, 0x2a, w, x, h, i])
    }

    fn lossless(width: u32, height: u32) -> Vec<u8> {
        let bits = ((height - 1) << 14 | (width - 1)).to_le_bytes();
        webp(b"VP8L", &[&[0x2f], &bits[..]].concat())
    }

    fn extended(width: u32, height: u32) -> Vec<u8> {
        let [[a, b, c, _], [d, e, f, _]] = [width, height].map(|edge| (edge - 1).to_le_bytes());
        webp(b"VP8X", &[0x10, 0, 0, 0, a, b, c, d, e, f])
    }

    fn check(bytes: &[u8]) -> Result<RasterType, RasterError> {
        RasterType::check(bytes, Size::S128, LIMIT)
    }

    #[test]
    fn a_square_of_the_size_asked_for_is_taken_whatever_its_coding() {
        let scaled = 0x4000; // two bits over the width ask for scaling, which browsers do not do
        for bytes in
            [lossy(128, 128), lossy(128 | scaled, 128), lossless(128, 128), extended(128, 128)]
        {
            assert_eq!(check(&bytes), Ok(RasterType::Webp), "{bytes:?}");
            assert_eq!(RasterType::check(&bytes, Size::S64, LIMIT), Err(RasterError::WrongSize));
        }
        for bytes in [lossy(128, 127), lossy(127, 128), lossless(128, 129), lossless(127, 128)] {
            assert_eq!(check(&bytes), Err(RasterError::WrongSize), "{bytes:?}");
        }
        for bytes in [extended(128, 384), extended(384, 128), extended(128, 65_664)] {
            assert_eq!(check(&bytes), Err(RasterError::WrongSize), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_whole_container_is_refused() {
        let whole = lossy(128, 128);
        let changed = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            bytes
        };
        let refused = Err(RasterError::NotWebp);
        for at in (0..16).chain(23..26) {
            assert_eq!(check(&changed(at)), refused, "byte {at} is another");
        }
        assert_eq!(
            check(&webp(b"VP8L", &[0x2e, 127, 0xc0, 0x1f, 0])),
            refused,
            "another signature"
        );
        assert_eq!(check(&webp(b"ALPH", &[0; 10])), refused, "another chunk");
        for end in 0..whole.len() {
            assert_eq!(check(&whole[..end]), refused, "cut off after {end} bytes");
        }
        assert_eq!(check(&[&whole[..], &[0]].concat()), refused, "a byte too many");
        for short in [webp(b"VP8 ", &[0; 9]), webp(b"VP8L", &[0x2f, 0, 0]), webp(b"VP8X", &[0; 9])]
        {
            assert_eq!(check(&short), refused, "{short:?}");
        }
        assert_eq!(check(b"<!doctype html>"), refused);
    }

    #[test]
    fn the_limit_is_what_may_be_taken() {
        let bytes = lossy(128, 128);
        let within = |limit| RasterType::check(&bytes, Size::S128, limit);
        assert_eq!(within(bytes.len()), Ok(RasterType::Webp));
        assert_eq!(within(bytes.len() - 1), Err(RasterError::TooLarge));
    }

    #[test]
    fn a_type_is_known_by_its_name() {
        assert_eq!(RasterType::Webp.media_type(), "image/webp");
        assert_eq!(RasterType::named("image/webp"), Some(RasterType::Webp));
        for other in ["image/svg+xml", "image/webp2", "text/html", ""] {
            assert_eq!(RasterType::named(other), None, "{other}");
        }
    }
}
