//! Square pixels: cropped, scaled, encoded.

use base64::{Engine, engine::general_purpose::STANDARD};
use fast_image_resize::{
    FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image,
    images::ImageRef,
};
use image::DynamicImage;
use thiserror::Error;

use crate::{
    UploadError,
    decode::{Decoded, decode},
};

/// The longest edge of a master, in pixels: twice the largest rendition.
const MASTER_EDGE: u32 = 1_024;

/// Of 100. Renditions are made from masters, so these lose less.
const MASTER_QUALITY: f32 = 90.0;

/// Of 100.
const RENDITION_QUALITY: f32 = 85.0;

/// Of 100: noise of 128 px fits into 6 KiB by then.
const LEAST_QUALITY: f32 = 5.0;

/// Each try takes 1 ms at 128 px.
const QUALITY_STEP: f32 = 10.0;

/// The longest edge that ThumbHash takes is 100 px; it keeps a 7 by 7 sketch of it.
const THUMBHASH_EDGE: u32 = 64;

/// A square picture in straight RGBA, eight bits a channel.
#[derive(Clone, Debug)]
pub struct Square {
    edge: u32,
    rgba: Vec<u8>,
}

/// A codec refused what should have suited it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("pixels could not be {0}")]
pub struct PixelError(&'static str);

impl Square {
    /// What an uploaded file shows, upright and in sRGB; of an animation, the first frame. Of that the
    /// middle, at most 1 024 px an edge.
    ///
    /// Keeps a core busy, and takes at most [`memory_for`](crate::memory_for) the upload.
    ///
    /// # Errors
    ///
    /// Why the upload is refused.
    pub fn from_upload(upload: &[u8]) -> Result<Self, UploadError> {
        let Decoded { image, has_alpha, orientation, conversion } = decode(upload)?;
        let mut middle = middle(image, has_alpha).map_err(|_| UploadError::Undecodable)?;
        middle.apply_orientation(orientation);
        let rgba = match conversion {
            Some(conversion) => conversion.apply(middle).ok_or(UploadError::Undecodable)?,
            None => middle.into_rgba8(),
        };
        Ok(Self { edge: rgba.width(), rgba: rgba.into_raw() })
    }

    /// How long an edge is, in pixels.
    pub fn edge(&self) -> u32 {
        self.edge
    }

    /// The pixels, row by row: straight RGBA in sRGB, eight bits a channel.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// Reads a master that [`Square::master`] has written.
    ///
    /// # Errors
    ///
    /// If it is damaged.
    pub fn from_master(webp: &[u8]) -> Result<Self, PixelError> {
        let image = webp::Decoder::new(webp).decode().ok_or(PixelError("decoded"))?;
        if image.width() != image.height() {
            return Err(PixelError("square"));
        }
        let rgba = if image.is_alpha() { image.to_vec() } else { opaque(&image) };
        Ok(Self { edge: image.width(), rgba })
    }

    /// The same picture with another edge, in pixels; larger too.
    fn scaled(&self, edge: u32) -> Result<Self, PixelError> {
        if edge == self.edge {
            return Ok(self.clone());
        }
        let refused = PixelError("scaled");
        let from = ImageRef::new(self.edge, self.edge, &self.rgba, PixelType::U8x4);
        let from = from.map_err(|_| refused.clone())?;
        let mut to = Image::new(edge, edge, PixelType::U8x4);
        Resizer::new().resize(&from, &mut to, &sharp()).map_err(|_| refused)?;
        Ok(Self { edge, rgba: to.into_vec() })
    }

    /// What is kept for good, as WebP.
    ///
    /// # Errors
    ///
    /// If the codec refuses.
    pub fn master(&self) -> Result<Vec<u8>, PixelError> {
        self.encode(MASTER_QUALITY)
    }

    /// What is handed out with this edge, in pixels, as WebP. One that takes more than `at_most`
    /// bytes is encoded again, of lower quality.
    ///
    /// # Errors
    ///
    /// If the codec refuses.
    pub fn rendition(&self, edge: u32, at_most: usize) -> Result<Vec<u8>, PixelError> {
        let scaled = self.scaled(edge)?;
        let mut quality = RENDITION_QUALITY;
        loop {
            let webp = scaled.encode(quality)?;
            if webp.len() <= at_most || quality <= LEAST_QUALITY {
                return Ok(webp);
            }
            quality -= QUALITY_STEP;
        }
    }

    /// A sketch of under 50 bytes, in base64.
    ///
    /// # Errors
    ///
    /// If it cannot be scaled.
    ///
    /// # Source
    ///
    /// [ThumbHash](https://evanw.github.io/thumbhash/).
    pub fn thumbhash(&self) -> Result<String, PixelError> {
        let small = self.scaled(THUMBHASH_EDGE)?;
        let edge = THUMBHASH_EDGE as usize;
        Ok(STANDARD.encode(thumbhash::rgba_to_thumb_hash(edge, edge, &small.rgba)))
    }

    fn encode(&self, quality: f32) -> Result<Vec<u8>, PixelError> {
        let encoder = webp::Encoder::from_rgba(&self.rgba, self.edge, self.edge);
        let webp = encoder.encode_simple(false, quality).map_err(|_| PixelError("encoded"))?;
        Ok(webp.to_vec())
    }
}

/// The square about the centre, at most [`MASTER_EDGE`] an edge, in the colours that it had.
///
/// Made in one step, out of the decoded picture itself: the crop is only looked at, and transparency
/// multiplied in place, so that no second picture of full size is ever in memory.
fn middle(mut image: DynamicImage, has_alpha: bool) -> Result<DynamicImage, PixelError> {
    let refused = |_| PixelError("scaled");
    let side = image.width().min(image.height());
    let edge = side.min(MASTER_EDGE);
    let (left, top) = ((image.width() - side) / 2, (image.height() - side) / 2);
    let side = f64::from(side);
    let options = sharp().crop(left.into(), top.into(), side, side).use_alpha(false);
    let mut middle = DynamicImage::new(edge, edge, image.color());
    let is_blended = has_alpha && side > f64::from(edge);
    if is_blended {
        MulDiv::new().multiply_alpha_inplace(&mut image).map_err(|_| PixelError("blended"))?;
    }
    Resizer::new().resize(&image, &mut middle, &options).map_err(refused)?;
    if is_blended {
        MulDiv::new().divide_alpha_inplace(&mut middle).map_err(|_| PixelError("blended"))?;
    }
    Ok(middle)
}

fn sharp() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
}

fn opaque(rgb: &[u8]) -> Vec<u8> {
    rgb.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect()
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    /// Red, with a green square in the middle.
    fn picture(width: u32, height: u32, alpha: u8) -> DynamicImage {
        let edge = width.min(height);
        let (left, top) = ((width - edge) / 2, (height - edge) / 2);
        RgbaImage::from_fn(width, height, |x, y| {
            let inside = (left..left + edge).contains(&x) && (top..top + edge).contains(&y);
            if inside { Rgba([20, 200, 20, alpha]) } else { Rgba([250, 0, 0, alpha]) }
        })
        .into()
    }

    fn square(width: u32, height: u32, alpha: u8) -> Square {
        let rgba = middle(picture(width, height, alpha), true).unwrap().into_rgba8();
        Square { edge: rgba.width(), rgba: rgba.into_raw() }
    }

    #[test]
    fn the_middle_is_kept_whatever_the_shape() {
        for (width, height, edge) in
            [(300, 100, 100), (100, 300, 100), (1, 9, 1), (2_100, 1_500, 1_024)]
        {
            let square = square(width, height, 255);
            assert_eq!(square.edge, edge, "{width} x {height}");
            assert!(square.rgba.chunks(4).all(|pixel| pixel[1] > 150), "{width} x {height}");
        }
    }

    #[test]
    fn every_rendition_has_exactly_its_size() {
        let square = square(90, 70, 255);
        let master = Square::from_master(&square.master().unwrap()).unwrap();
        for edge in [64, 128, 256, 512] {
            let webp = master.rendition(edge, usize::MAX).unwrap();
            assert_eq!(Square::from_master(&webp).unwrap().edge, edge);
        }
    }

    #[test]
    fn noise_fits_into_what_a_preview_may_take() {
        let mut state = 1_u32;
        let noise = RgbaImage::from_fn(128, 128, |_, _| {
            let mut byte = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            };
            Rgba([byte(), byte(), byte(), 255])
        });
        let square = Square { edge: 128, rgba: noise.into_raw() };
        assert!(square.rendition(128, usize::MAX).unwrap().len() > 12_000, "or it proves nothing");
        let webp = square.rendition(128, 6 * 1024).unwrap();
        assert!(webp.len() <= 6 * 1024, "{}", webp.len());
    }

    #[test]
    fn what_is_transparent_stays_so() {
        let square = square(64, 64, 0);
        let master = Square::from_master(&square.master().unwrap()).unwrap();
        assert!(master.rgba.chunks(4).all(|pixel| pixel[3] == 0));
    }

    #[test]
    fn a_thumbhash_is_short() {
        for alpha in [0, 128, 255] {
            let square = square(640, 480, alpha);
            let hash = square.thumbhash().unwrap();
            assert!((1..50).contains(&hash.len()), "{hash}");
        }
    }
}
