//! From bytes that someone sent to pixels, without trusting them.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, metadata::Orientation};
use thiserror::Error;

use crate::{
    colour::{Channels, Conversion, icc_profile},
    container, inks, jpeg, png_colours,
};

/// The longest upload, in bytes: 10 MiB.
pub const MAX_UPLOAD_BYTES: usize = 10 << 20;

/// The longest edge, in pixels.
const MAX_EDGE: u32 = 12_000;

/// The most pixels: 50 million, which take 200 MB when decoded, at eight bits a channel.
const MAX_PIXELS: u64 = 50_000_000;

/// The most memory that what stands before the pixels may take, in bytes: a profile of colours, which
/// may be compressed, and notes.
const MAX_HEAD_BYTES: u64 = 16 << 20;

/// The most memory that one upload may take while it is worked on: 250 MiB.
const MAX_MEMORY: u64 = 250 << 20;

/// Why an upload is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UploadError {
    /// Longer than 10 MiB.
    #[error("a picture has at most 10 MiB")]
    TooLong,
    /// By its content it is no JPEG, PNG, GIF or WebP, whatever it was called.
    #[error("a picture is a JPEG, PNG, GIF or WebP")]
    UnknownType,
    /// Over 50 megapixels, or 12 000 px on a side.
    #[error(
        "a picture has at most 50 megapixels, and 12 000 px a side; this has {width} x {height}"
    )]
    TooLarge {
        /// Its width, in pixels.
        width: u32,
        /// Its height, in pixels.
        height: u32,
    },
    /// Of so many pixels, or of pixels coded so, that decoding takes over 250 MiB.
    #[error(
        "decoding this picture takes {mebibytes} MiB, over 250: save it with fewer pixels, with 8 bits \
         a channel, or as a JPEG that is not progressive"
    )]
    TooCostly {
        /// How much it takes, in MiB.
        mebibytes: u64,
    },
    /// It is damaged.
    #[error("the picture cannot be decoded")]
    Undecodable,
}

/// What a file shows, as it lies in the file. Of an animation, the first frame.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// The pixels, in colours of their own.
    pub(crate) image: DynamicImage,
    /// Whether the last channel is alpha.
    pub(crate) has_alpha: bool,
    /// How to turn them upright.
    pub(crate) orientation: Orientation,
    /// How its colours become those of the web; none: they are.
    pub(crate) conversion: Option<Conversion>,
}

/// The most memory that [`Square::from_upload`](crate::Square::from_upload) takes for this upload, in
/// bytes. Reads what stands before the pixels and decodes none.
///
/// # Errors
///
/// Why the upload is refused, if that much tells it.
pub fn memory_for(upload: &[u8]) -> Result<u64, UploadError> {
    open(upload).map(|opened| opened.memory)
}

/// Beside the pixels, a progressive JPEG keeps its coefficients, a WebP its planes, a GIF a frame. What
/// is made of them is small.
fn memory_of(decoder: &impl ImageDecoder, format: ImageFormat, file: &[u8]) -> u64 {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let beside = match format {
        ImageFormat::Jpeg => {
            // Of three channels that the decoder counts.
            let black = if jpeg::is_of_inks(file) { pixels } else { 0 };
            jpeg::coefficient_bytes(file) + black
        }
        ImageFormat::WebP | ImageFormat::Gif => pixels * 4,
        _ => 0,
    };
    decoder.total_bytes() + beside + (file.len() as u64) + MAX_HEAD_BYTES
}

/// Decodes an upload. Keeps a core busy.
pub(crate) fn decode(upload: &[u8]) -> Result<Decoded, UploadError> {
    let Opened { mut decoder, file, format, .. } = open(upload)?;
    // A damaged note is no reason to refuse the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let icc = decoder.icc_profile().ok().flatten().and_then(icc_profile);
    let profile = match format {
        ImageFormat::Png => png_colours::profile(file, icc),
        _ => icc,
    };
    let channels = channels(&decoder, format, file);
    let conversion = profile.and_then(|profile| Conversion::new(&profile, channels));
    if channels == Channels::Inks
        && conversion.is_some()
        && let Some(image) = inks::decode(file)
    {
        return Ok(Decoded { image: image.into(), has_alpha: false, orientation, conversion });
    }
    // Without a profile, the decoder makes colours of inks.
    let conversion = conversion.filter(|_| channels != Channels::Inks);
    let image = DynamicImage::from_decoder(decoder).map_err(|_| UploadError::Undecodable)?;
    Ok(Decoded { has_alpha: image.color().has_alpha(), image, orientation, conversion })
}

fn channels(decoder: &impl ImageDecoder, format: ImageFormat, file: &[u8]) -> Channels {
    if format == ImageFormat::Jpeg && jpeg::is_of_inks(file) {
        Channels::Inks
    } else if decoder.color_type().has_color() {
        Channels::Colours
    } else {
        Channels::Grey
    }
}

/// An upload whose head is sound.
struct Opened<'a, D> {
    decoder: D,
    format: ImageFormat,
    /// Without what trails it.
    file: &'a [u8],
    /// How much memory the rest takes at most, in bytes.
    memory: u64,
}

/// Reads what stands before the pixels, and checks it: a small file can claim to be huge.
fn open(upload: &[u8]) -> Result<Opened<'_, impl ImageDecoder + '_>, UploadError> {
    if upload.len() > MAX_UPLOAD_BYTES {
        return Err(UploadError::TooLong);
    }
    let format = image::guess_format(upload).map_err(|_| UploadError::UnknownType)?;
    if !is_taken(format) {
        return Err(UploadError::UnknownType);
    }
    let is_webp = format == ImageFormat::WebP;
    let file = if is_webp { container::whole(upload) } else { Some(upload) };
    let file = file.ok_or(UploadError::Undecodable)?;
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits(MAX_HEAD_BYTES));
    let mut decoder = reader.into_decoder().map_err(|_| UploadError::Undecodable)?;
    check_dimensions(decoder.dimensions())?;
    if is_webp && !container::fits(file, decoder.dimensions()) {
        return Err(UploadError::Undecodable);
    }
    // A frame of a GIF may claim to be larger than the whole.
    let whole = limits(decoder.total_bytes());
    decoder.set_limits(whole).map_err(|_| UploadError::Undecodable)?;
    let memory = memory_of(&decoder, format, file);
    if memory > MAX_MEMORY {
        return Err(UploadError::TooCostly { mebibytes: memory >> 20 });
    }
    Ok(Opened { decoder, format, file, memory })
}

fn is_taken(format: ImageFormat) -> bool {
    use ImageFormat::{Gif, Jpeg, Png, WebP};
    matches!(format, Gif | Jpeg | Png | WebP)
}

fn limits(bytes: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(bytes);
    limits
}

fn check_dimensions((width, height): (u32, u32)) -> Result<(), UploadError> {
    let too_many = u64::from(width) * u64::from(height) > MAX_PIXELS;
    if width == 0 || height == 0 {
        Err(UploadError::Undecodable)
    } else if too_many || width > MAX_EDGE || height > MAX_EDGE {
        Err(UploadError::TooLarge { width, height })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let image = RgbImage::from_fn(40, 20, |x, _| Rgb([if x < 20 { 250 } else { 5 }, 9, 9]));
        let mut file = Cursor::new(Vec::new());
        DynamicImage::from(image).write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    #[test]
    fn the_four_types_are_taken_by_content() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
            let image = decode(&encoded(format)).unwrap().image;
            assert_eq!((image.width(), image.height()), (40, 20), "{format:?}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let png = encoded(ImageFormat::Png);
        let mut huge = png.clone();
        huge[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]); // 10 000 x 10 000
        let checksum = crc32(&huge[12..29]);
        huge[29..33].copy_from_slice(&checksum.to_be_bytes());
        let cases = [
            ("empty", Vec::new(), UploadError::UnknownType),
            ("a page", b"<html>".to_vec(), UploadError::UnknownType),
            ("a bitmap", b"BM\0\0\0\0\0\0".to_vec(), UploadError::UnknownType),
            ("too long", vec![0; MAX_UPLOAD_BYTES + 1], UploadError::TooLong),
            ("cut off", png[..png.len() / 2].to_vec(), UploadError::Undecodable),
            ("a bomb", huge, UploadError::TooLarge { width: 10_000, height: 10_000 }),
        ];
        for (name, upload, expected) in cases {
            assert_eq!(decode(&upload).unwrap_err(), expected, "{name}");
        }
    }

    /// A PNG that claims these edges and this depth, and holds no pixels.
    fn claimed_png(width: u32, height: u32, depth: u8) -> Vec<u8> {
        let mut head = [b"IHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes()].concat();
        head.extend([depth, 6, 0, 0, 0]);
        let checksum = crc32(&head).to_be_bytes();
        let data = [b"IDAT".as_slice()].concat();
        let empty = crc32(&data).to_be_bytes();
        let (length, none) = (13_u32.to_be_bytes(), 0_u32.to_be_bytes());
        let signature = b"\x89PNG\r\n\x1a\n".as_slice();
        [signature, &length, &head, &checksum, &none, &data, &empty].concat()
    }

    #[test]
    fn what_takes_too_much_to_decode_is_refused_by_its_head() {
        let deep = memory_for(&claimed_png(7_071, 7_071, 16)).unwrap_err();
        assert_eq!(deep, UploadError::TooCostly { mebibytes: 397 });
        assert!(deep.to_string().contains("8 bits a channel"));
        let plain = memory_for(&claimed_png(7_071, 7_071, 8)).unwrap();
        assert!((200 << 20..MAX_MEMORY).contains(&plain), "{plain}");
        assert!(memory_for(&claimed_png(5_000, 5_000, 16)).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, kind in 0..4_usize) {
            let heads: [&[u8]; 4] =
                [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\x20\0\0\0WEBPVP8 "];
            let _ = decode(&[heads[kind], &bytes].concat());
        }

        #[test]
        fn a_damaged_picture_never_panics(at: proptest::sample::Index, byte: u8, kind in 0..4_usize) {
            let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
            let mut file = encoded(formats[kind]);
            let at = at.index(file.len());
            file[at] = byte;
            let _ = decode(&file);
        }
    }

    /// As PNG checks its chunks.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
            })
        })
    }
}
