//! From the colours of the file to those of the web.

use std::{fmt, sync::Arc};

use image::{DynamicImage, ImageBuffer, Rgba, RgbaImage};
use moxcms::{
    ColorProfile, DataColorSpace, Layout, ParsingOptions, RenderingIntent, Transform16BitExecutor,
    TransformOptions,
};

/// The longest ICC profile that is read, in bytes: 4 MiB. Those of printing presses have up to three.
const MAX_PROFILE: usize = 4 << 20;

/// The tags of an ICC profile that say what colours mean.
const TAGS: [&[u8; 4]; 10] =
    [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"A2B0", b"A2B1", b"cicp"];

/// Where the table of tags begins, and how long each of its entries is, in bytes.
///
/// # Source
///
/// ICC.1:2022, 7.3.
const TAG_TABLE: usize = 132;
const TAG_ENTRY: usize = 12;

/// An ICC profile, or none if it is damaged or too long.
pub(crate) fn icc_profile(mut icc: Vec<u8>) -> Option<ColorProfile> {
    drop_other_tags(&mut icc);
    let options = ParsingOptions { max_profile_size: MAX_PROFILE, ..Default::default() };
    ColorProfile::new_from_slice_with_options(&icc, options).ok()
}

/// Leaves each tag of [`TAGS`] once. In what remains, nothing can be read twice: texts may name the
/// same bytes as often as they like, and take gigabytes.
fn drop_other_tags(icc: &mut [u8]) {
    let Some((head, table)) = icc.split_at_mut_checked(TAG_TABLE) else { return };
    let [.., a, b, c, d] = *head else { return };
    let count = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    let mut wanted = TAGS.to_vec();
    for entry in table.chunks_exact_mut(TAG_ENTRY).take(count) {
        match wanted.iter().position(|tag| entry.starts_with(*tag)) {
            Some(at) => drop(wanted.swap_remove(at)),
            None => entry[..4].fill(0),
        }
    }
}

/// What the channels of an image are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    /// Red, green and blue, and perhaps alpha.
    Colours,
    /// Grey, and perhaps alpha.
    Grey,
    /// Cyan, magenta, yellow and black.
    Inks,
}

/// How the colours of an image become those of the web.
#[derive(Clone)]
pub(crate) struct Conversion {
    layout: Layout,
    transform: Arc<Transform16BitExecutor>,
}

impl Conversion {
    /// None if the profile is about other channels than these, or leads nowhere.
    ///
    /// # Source
    ///
    /// ICC.1:2022, 7.2.6: the profile names the colour space of its data. Browsers take one of colours
    /// for grey as well.
    pub(crate) fn new(from: &ColorProfile, channels: Channels) -> Option<Self> {
        let layout = match (from.color_space, channels) {
            (DataColorSpace::Rgb, Channels::Colours | Channels::Grey) => Layout::Rgba,
            (DataColorSpace::Gray, Channels::Grey) => Layout::GrayAlpha,
            (DataColorSpace::Cmyk, Channels::Inks) => Layout::Rgba,
            _ => return None,
        };
        let srgb = ColorProfile::new_srgb();
        let by_intent = |rendering_intent| {
            let options = TransformOptions { rendering_intent, ..Default::default() };
            from.create_transform_16bit(layout, &srgb, Layout::Rgba, options).ok()
        };
        // A profile may have a table for one of both alone.
        let intents = [RenderingIntent::Perceptual, RenderingIntent::RelativeColorimetric];
        let transform = intents.into_iter().find_map(by_intent)?;
        Some(Self { layout, transform })
    }

    /// The same picture in sRGB, straight RGBA, eight bits a channel. Never none for channels that the
    /// conversion is for.
    pub(crate) fn apply(&self, image: DynamicImage) -> Option<RgbaImage> {
        let (width, height) = (image.width(), image.height());
        let pixels = match self.layout {
            Layout::GrayAlpha => image.into_luma_alpha16().into_raw(),
            _ => image.into_rgba16().into_raw(),
        };
        let mut converted = ImageBuffer::<Rgba<u16>, _>::new(width, height);
        self.transform.transform(&pixels, &mut converted).ok()?;
        drop(pixels); // makes room: with 16 bits, a master takes 8 MiB
        Some(DynamicImage::from(converted).into_rgba8())
    }
}

impl fmt::Debug for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversion").field("layout", &self.layout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::sample::Index;

    use super::*;

    #[test]
    fn nothing_but_colours_is_read_of_a_profile_and_nothing_twice() {
        let icc = include_bytes!("../photographs/display-p3.icc").to_vec();
        let profile = icc_profile(icc.clone()).unwrap();
        assert!(profile.red_trc.is_some());
        assert!(profile.description.is_none() && profile.copyright.is_none());

        let mut twice = icc;
        let green = twice.windows(4).position(|tag| tag == b"gXYZ").unwrap();
        twice[green..green + 4].copy_from_slice(b"rXYZ");
        assert_eq!(icc_profile(twice).unwrap().red_colorant, profile.red_colorant);
    }

    #[test]
    fn a_profile_of_more_than_4_mebibytes_is_ignored() {
        let mut icc = include_bytes!("../photographs/display-p3.icc").to_vec();
        icc.resize(MAX_PROFILE - 1, 0);
        assert!(icc_profile(icc.clone()).is_some());
        icc.push(0);
        assert!(icc_profile(icc).is_none());
    }

    proptest::proptest! {
        // Tables of 65 536 values are made for each.
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn a_damaged_profile_never_panics(
            damage in proptest::collection::vec(proptest::arbitrary::any::<(Index, u8)>(), 1..4),
        ) {
            let mut icc = include_bytes!("../photographs/display-p3.icc").to_vec();
            for (at, byte) in damage {
                let at = at.index(icc.len());
                icc[at] = byte;
            }
            if let Some(profile) = icc_profile(icc) {
                for channels in [Channels::Colours, Channels::Grey] {
                    let conversion = Conversion::new(&profile, channels);
                    conversion.map(|conversion| conversion.apply(DynamicImage::new_rgb8(2, 2)));
                }
            }
        }
    }
}
