//! PNGs show the colours that browsers show, whichever chunks say what they are.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{fs, path::Path};

use miniature_pixels::Square;
use png::{BitDepth, ColorType, Info, chunk, chunk::ChunkType};

/// In the colours of the web, unless a chunk says otherwise.
const COLOUR: [u8; 3] = [200, 100, 50];

/// What [`COLOUR`] is in sRGB if it is Display P3, relative colorimetric.
const OF_DISPLAY_P3: [u8; 3] = [215, 93, 31];

const PRIMARIES_OF_SRGB: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
const PRIMARIES_OF_P3: [u32; 8] = [31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000];
const PRIMARIES_OF_NTSC: [u32; 8] = [31_000, 31_600, 67_000, 33_000, 21_000, 71_000, 14_000, 8_000];

type Chunk = (ChunkType, Vec<u8>);

/// The exponent of an encoder, in 100 000ths.
fn gamma(exponent: u32) -> Chunk {
    (chunk::gAMA, exponent.to_be_bytes().to_vec())
}

/// White, red, green and blue, in 100 000ths of CIE x and y.
fn primaries(points: [u32; 8]) -> Chunk {
    (chunk::cHRM, points.into_iter().flat_map(u32::to_be_bytes).collect())
}

fn srgb() -> Chunk {
    (chunk::sRGB, vec![0])
}

/// Primaries, transfer function and range, as ITU-T H.273 numbers them.
fn cicp(primaries: u8, transfer: u8, is_full_range: bool) -> Chunk {
    (chunk::cICP, vec![primaries, transfer, 0, is_full_range.into()])
}

fn display_p3() -> Option<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("photographs");
    Some(fs::read(folder.join("display-p3.icc")).unwrap())
}

/// One pixel with these samples.
fn file(
    kind: (ColorType, BitDepth),
    samples: &[u8],
    icc: Option<Vec<u8>>,
    chunks: &[Chunk],
) -> Vec<u8> {
    let mut info = Info::with_size(1, 1);
    (info.color_type, info.bit_depth) = kind;
    info.palette = (kind.0 == ColorType::Indexed).then(|| COLOUR.to_vec().into());
    info.icc_profile = icc.map(Into::into);
    let mut file = Vec::new();
    let mut writer = png::Encoder::with_info(&mut file, info).unwrap().write_header().unwrap();
    for (name, content) in chunks {
        writer.write_chunk(*name, content).unwrap();
    }
    writer.write_image_data(samples).unwrap();
    writer.finish().unwrap();
    file
}

fn colours(icc: Option<Vec<u8>>, chunks: &[Chunk]) -> Vec<u8> {
    file((ColorType::Rgb, BitDepth::Eight), &COLOUR, icc, chunks)
}

#[track_caller]
fn check(file: &[u8], expected: [u8; 3], name: &str) {
    let square = Square::from_upload(file).unwrap();
    let is_near = square.rgba().iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1);
    assert!(is_near, "{name}: {:?}, not {expected:?}", square.rgba());
}

#[test]
fn gamma_and_primaries_say_what_colours_are() {
    let cases = [
        ("light itself", vec![gamma(100_000)], [229, 168, 122]),
        ("of an old Macintosh", vec![gamma(55_556)], [210, 119, 65]),
        ("of the web, more or less", vec![gamma(45_455)], COLOUR),
        ("with primaries", vec![gamma(45_455), primaries(PRIMARIES_OF_SRGB)], [201, 100, 46]),
        ("with wide primaries", vec![gamma(45_455), primaries(PRIMARIES_OF_P3)], [216, 93, 24]),
        ("with another white", vec![primaries(PRIMARIES_OF_NTSC), gamma(45_455)], [233, 93, 22]),
        ("primaries alone", vec![primaries(PRIMARIES_OF_P3)], COLOUR),
        ("primaries at one point", vec![gamma(100_000), primaries([0; 8])], COLOUR),
        ("primaries nowhere", vec![gamma(100_000), primaries([u32::MAX; 8])], COLOUR),
        ("no gamma", vec![gamma(0)], COLOUR),
        ("cut off", vec![(chunk::gAMA, vec![0, 1])], COLOUR),
    ];
    for (name, chunks, expected) in cases {
        check(&colours(None, &chunks), expected, name);
    }
    for exponent in [1, u32::MAX] {
        Square::from_upload(&colours(None, &[gamma(exponent)])).unwrap();
    }
}

#[test]
fn code_points_say_what_colours_are() {
    let cases = [
        ("Display P3", cicp(12, 13, true), OF_DISPLAY_P3),
        ("sRGB", cicp(1, 13, true), COLOUR),
        ("television", cicp(1, 1, true), [206, 114, 66]),
        ("not of the full range", cicp(12, 13, false), COLOUR),
        ("unspecified", cicp(2, 2, true), COLOUR),
        ("reserved", cicp(200, 13, true), COLOUR),
        ("reserved transfer", cicp(12, 200, true), COLOUR),
        ("of high dynamic range, PQ", cicp(9, 16, true), COLOUR),
        ("of high dynamic range, HLG", cicp(9, 18, true), COLOUR),
    ];
    for (name, chunk, expected) in cases {
        check(&colours(None, &[chunk]), expected, name);
    }
}

#[test]
fn of_several_chunks_the_best_counts() {
    let (light, p3) = (gamma(100_000), display_p3);
    let broken = Some(b"no profile".to_vec());
    let cases = [
        (
            "sRGB over gAMA and cHRM",
            None,
            vec![srgb(), light.clone(), primaries(PRIMARIES_OF_P3)],
            COLOUR,
        ),
        ("iCCP over gAMA", p3(), vec![light.clone()], OF_DISPLAY_P3),
        ("iCCP over sRGB", p3(), vec![srgb()], OF_DISPLAY_P3),
        ("cICP over iCCP", p3(), vec![cicp(1, 13, true)], COLOUR),
        ("cICP over gAMA", None, vec![light.clone(), cicp(12, 13, true)], OF_DISPLAY_P3),
        ("iCCP for a cICP of no use", p3(), vec![cicp(9, 16, true)], OF_DISPLAY_P3),
        ("gAMA for an iCCP of no use", broken.clone(), vec![light], [229, 168, 122]),
        ("sRGB for an iCCP of no use", broken, vec![srgb()], COLOUR),
    ];
    for (name, icc, chunks, expected) in cases {
        check(&colours(icc, &chunks), expected, name);
    }
}

#[test]
fn pixels_of_any_kind_are_converted() {
    let light = [gamma(100_000)];
    let cases = [
        ("grey", (ColorType::Grayscale, BitDepth::Eight), &[128][..], [188; 3]),
        ("grey and alpha", (ColorType::GrayscaleAlpha, BitDepth::Eight), &[128, 255], [188; 3]),
        ("dark, of 16 bits", (ColorType::Grayscale, BitDepth::Sixteen), &[1, 0], [13; 3]),
        ("a palette", (ColorType::Indexed, BitDepth::Eight), &[0], [229, 168, 122]),
        ("alpha", (ColorType::Rgba, BitDepth::Eight), &[200, 100, 50, 255], [229, 168, 122]),
    ];
    for (name, kind, samples, expected) in cases {
        check(&file(kind, samples, None, &light), expected, name);
    }
}
