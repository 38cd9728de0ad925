//! From the colours of the camera to those of the web.

use image::{DynamicImage, RgbaImage};
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformOptions};

/// The same picture in sRGB, straight RGBA, eight bits a channel.
///
/// A profile that is damaged, or is about other colours than these pixels have, counts as none; and
/// without one, colours are sRGB already.
pub(crate) fn to_srgb(image: DynamicImage, profile: Option<&[u8]>) -> RgbaImage {
    let profile = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok());
    let converted = profile.and_then(|profile| convert(&image, &profile).ok().flatten());
    converted.unwrap_or_else(|| image.into_rgba8())
}

/// None if the profile is not about these pixels.
///
/// # Source
///
/// ICC.1:2022, 7.2.6: the profile names the colour space of its data.
fn convert(image: &DynamicImage, from: &ColorProfile) -> Result<Option<RgbaImage>, CmsError> {
    let (layout, pixels) = match (from.color_space, image.color().has_color()) {
        (DataColorSpace::Rgb, true) => (Layout::Rgba, image.to_rgba8().into_raw()),
        (DataColorSpace::Gray, false) => (Layout::GrayAlpha, image.to_luma_alpha8().into_raw()),
        _ => return Ok(None),
    };
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    let transform = from.create_transform_8bit(layout, &srgb, Layout::Rgba, options)?;
    let mut converted = RgbaImage::new(image.width(), image.height());
    transform.transform(&pixels, &mut converted)?;
    Ok(Some(converted))
}
