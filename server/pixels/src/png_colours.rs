//! What the chunks of a PNG say of its colours.
//!
//! # Source
//!
//! PNG, third edition, 4.3: `cICP` before `iCCP` before `sRGB` before `gAMA` with `cHRM`. Where that leaves
//! a choice, what Chromium does (`CreateColorProfile` of Skia's `SkPngRustCodec`).

use std::io::Cursor;

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile,
    MatrixCoefficients, ToneReprCurve, TransferCharacteristics,
};
use png::{Decoder, Info, ScaledFloat, SourceChromaticities};

/// How far a gamma may be from 1/2.2, as a ratio, and mean the colours of the web. As in libpng.
const NEUTRAL: f32 = 0.05;

/// The profile that counts, given the one of the `iCCP` chunk, if that is sound. None: sRGB.
pub(crate) fn profile(file: &[u8], icc: Option<ColorProfile>) -> Option<ColorProfile> {
    let mut decoder = Decoder::new(Cursor::new(file));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let Ok(reader) = decoder.read_info() else { return icc };
    of_code_points(reader.info()).or(icc).or_else(|| of_gamma(reader.info()))
}

/// Narrow ranges are not decoded, as in browsers; nor high dynamic ranges, which take more than a
/// profile to be shown in a lower one.
fn of_code_points(info: &Info<'_>) -> Option<ColorProfile> {
    let points = info.coding_independent_code_points?;
    let transfer = TransferCharacteristics::try_from(points.transfer_function).ok()?;
    let is_high =
        matches!(transfer, TransferCharacteristics::Smpte2084 | TransferCharacteristics::Hlg);
    if is_high || !points.is_video_full_range_image {
        return None;
    }
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: CicpColorPrimaries::try_from(points.color_primaries).ok()?,
        transfer_characteristics: transfer,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    profile.is_matrix_shaper().then_some(profile)
}

/// Primaries alone say nothing, and a gamma alone is about those of sRGB.
fn of_gamma(info: &Info<'_>) -> Option<ColorProfile> {
    if info.srgb.is_some() {
        return None;
    }
    let gamma = info.gama_chunk?.into_value();
    let mut profile = ColorProfile::new_srgb();
    match info.chrm_chunk {
        Some(chunk) => set_primaries(&mut profile, chunk)?,
        None if (gamma * 2.2 - 1.0).abs() < NEUTRAL => return None,
        None => {}
    }
    let curve = Some(ToneReprCurve::Parametric(vec![1.0 / gamma]));
    (profile.red_trc, profile.green_trc) = (curve.clone(), curve.clone());
    profile.blue_trc = curve;
    profile.cicp = None; // says that the curve is that of sRGB
    Some(profile)
}

/// None if there are no such colours.
fn set_primaries(profile: &mut ColorProfile, chunk: SourceChromaticities) -> Option<()> {
    let SourceChromaticities { white, red, green, blue } = chunk;
    let [white, red, green, blue] = [white, red, green, blue].map(chromaticity);
    let primaries = ColorPrimaries { red: red?, green: green?, blue: blue? };
    profile.update_rgb_colorimetry(white?.to_xyyb(), primaries);
    profile.profile_volume().filter(|volume| volume.is_normal()).map(drop)
}

fn chromaticity((x, y): (ScaledFloat, ScaledFloat)) -> Option<Chromaticity> {
    let (x, y) = (x.into_value(), y.into_value());
    (x <= 1.0 && y <= 1.0).then_some(Chromaticity { x, y })
}
