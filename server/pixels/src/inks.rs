//! JPEGs of four inks: cyan, magenta, yellow and black.
//!
//! The image crate decodes them to colours by a rule of thumb; a profile is about the inks themselves.

use image::RgbaImage;
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

/// The inks, 255 for most, in the four channels of an image. None if it is damaged, or has others.
pub(crate) fn decode(file: &[u8]) -> Option<RgbaImage> {
    // As the image crate sets them; the caller has checked the size.
    let options = DecoderOptions::default().set_strict_mode(false);
    let options = options.set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().ok()?;
    let stored = decoder.input_colorspace()?;
    let to_inks = match stored {
        ColorSpace::CMYK => inverted,
        ColorSpace::YCCK => from_luma_and_chroma,
        _ => return None,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(stored));
    let samples = decoder.decode().ok()?;
    let (width, height) = decoder.dimensions()?;
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let mut image = RgbaImage::from_raw(width, height, samples)?;
    image.pixels_mut().for_each(|pixel| pixel.0 = to_inks(pixel.0));
    Some(image)
}

/// As Adobe's programs store them, and everyone reads them: 255 for no ink.
fn inverted(samples: [u8; 4]) -> [u8; 4] {
    samples.map(|sample| !sample)
}

/// Cyan, magenta and yellow as if they were red, green and blue; black inverted.
///
/// # Source
///
/// ITU-T T.871, 7 and T.872, 6.5.3.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn from_luma_and_chroma([luma, blue, red, black]: [u8; 4]) -> [u8; 4] {
    let (luma, blue, red) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    let cyan = luma + 1.402 * red;
    let magenta = luma - 0.344_136 * blue - 0.714_136 * red;
    let yellow = luma + 1.772 * blue;
    let [cyan, magenta, yellow] = [cyan, magenta, yellow].map(|ink| ink.round() as u8);
    [cyan, magenta, yellow, !black]
}
