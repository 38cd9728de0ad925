//! Pictures as cameras and programs write them look right. What they are, `photographs/README.md` tells.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{fs, io::Cursor, path::Path};

use image::{
    DynamicImage, ImageBuffer, ImageEncoder, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba,
    codecs::png::PngEncoder,
};
use miniature_pixels::Square;

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("photographs");
    fs::read(folder.join(name)).unwrap()
}

fn square(upload: &[u8]) -> Square {
    Square::from_upload(upload).unwrap()
}

/// The photograph that all others are made of.
fn original() -> DynamicImage {
    image::load_from_memory_with_format(&file("plain.png"), ImageFormat::Png).unwrap()
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// How far apart the colours of two pictures are, of 255, on average. Alpha is left out.
fn distance(one: &Square, other: &DynamicImage) -> f64 {
    let other = other.to_rgba8().into_raw();
    assert_eq!(one.rgba().len(), other.len(), "the size");
    let apart = one.rgba().iter().zip(&other).enumerate().filter(|(at, _)| at % 4 != 3);
    let total = apart.map(|(_, (a, b))| u64::from(a.abs_diff(*b))).sum::<u64>();
    let count = u32::try_from(other.len() / 4 * 3).unwrap();
    f64::from(u32::try_from(total).unwrap()) / f64::from(count)
}

#[test]
fn the_same_photograph_looks_the_same_however_it_was_written() {
    let colours = original();
    let grey = DynamicImage::from(colours.to_luma8());
    let cases = [
        // name, as, how far it may be off
        ("plain.png", &colours, 0.0),
        ("plain.jpg", &colours, 2.0),
        ("progressive.jpg", &colours, 3.0),
        ("plain.webp", &colours, 3.0),
        ("palette.png", &colours, 4.0),
        ("cmyk.jpg", &colours, 3.0),
        ("animated.gif", &colours, 5.0),
        ("animated.webp", &colours, 3.0),
        ("grey.jpg", &grey, 3.0),
        ("grey-linear.png", &grey, 3.0),
        ("wide-gamut.jpg", &colours, 2.0),
        ("wide-gamut.webp", &colours, 3.0),
        ("notes.jpg", &colours, 3.0),
        ("notes.png", &colours, 0.5),
        ("notes.webp", &colours, 3.0),
    ];
    for (name, expected, at_most) in cases {
        let distance = distance(&square(&file(name)), expected);
        assert!(distance <= at_most, "{name}: {distance}");
    }
}

#[test]
fn all_ways_to_hold_a_camera_stand_upright() {
    let original = original();
    for note in 2..=8 {
        let distance = distance(&square(&file(&format!("orientation-{note}.jpg"))), &original);
        assert!(distance < 7.0, "{note}: {distance}");
    }
    let turned = distance(&square(&file("plain.png")), &original.rotate90());
    assert!(turned > 30.0, "a turned picture is far off: {turned}");
}

#[test]
fn sixteen_bits_and_grey_with_transparency_keep_their_values() {
    let colours = original();
    let rgb = colours.to_rgb16();
    let mut rgba = colours.to_rgba16();
    rgba.pixels_mut().for_each(|pixel| pixel[3] = 0x8080);
    let mut grey_alpha = colours.to_luma_alpha8();
    grey_alpha.pixels_mut().for_each(|pixel| pixel[1] = 128);
    let grey = DynamicImage::from(colours.to_luma8());
    let cases = [
        ("colours", png(rgb), &colours, 255),
        ("colours and alpha", png(rgba), &colours, 128),
        ("grey", png(colours.to_luma16()), &grey, 255),
        ("grey and alpha", png(grey_alpha), &grey, 128),
    ];
    for (name, upload, expected, alpha) in cases {
        let square = square(&upload);
        assert!(distance(&square, expected) < 1.0, "{name}");
        assert!(square.rgba().chunks(4).all(|pixel| pixel[3] == alpha), "{name}");
    }
}

/// What LittleCMS 2 makes of these colours, relative colorimetric.
const WIDE: [([u8; 3], [u8; 3]); 5] = [
    ([200, 100, 50], [215, 93, 31]),
    ([255, 0, 0], [255, 0, 0]), // outside of sRGB
    ([60, 180, 75], [0, 183, 57]),
    ([40, 60, 200], [34, 61, 208]),
    ([128, 128, 128], [128, 128, 128]),
];

fn tagged(colour: [u8; 3], profile: &[u8], edge: u32) -> Vec<u8> {
    let image = RgbImage::from_pixel(edge, edge, Rgb(colour));
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    encoder.set_icc_profile(profile.to_vec()).unwrap();
    encoder.write_image(&image, edge, edge, image::ExtendedColorType::Rgb8).unwrap();
    file
}

#[test]
fn wide_colours_become_the_right_ones_of_the_web() {
    let profile = file("display-p3.icc");
    for (wide, expected) in WIDE {
        for edge in [8, 1_500] {
            let square = square(&tagged(wide, &profile, edge));
            for pixel in square.rgba().chunks(4) {
                let near = |n: usize| pixel[n].abs_diff(expected[n]) <= 2;
                assert!(near(0) && near(1) && near(2), "{wide:?}: {pixel:?}, not {expected:?}");
            }
        }
    }
}

#[test]
fn a_profile_that_does_not_fit_or_is_damaged_changes_nothing() {
    let colour = [200, 100, 50];
    let good = file("display-p3.icc");
    let mut of_grey = good.clone();
    of_grey[16..20].copy_from_slice(b"GRAY");
    let mut of_inks = good.clone();
    of_inks[16..20].copy_from_slice(b"CMYK");
    let cases = [
        ("of grey", of_grey),
        ("of inks", of_inks),
        ("cut off", good[..200].to_vec()),
        ("something else", b"not a profile at all".to_vec()),
    ];
    for (name, profile) in cases {
        let square = square(&tagged(colour, &profile, 8));
        assert_eq!(square.rgba()[..4], [200, 100, 50, 255], "{name}");
    }
}

#[test]
fn what_is_hidden_does_not_bleed_into_what_is_shown() {
    // Around the circle lies green that is not to be seen.
    let master = square(&file("transparent.webp"));
    let original = original().to_rgba8();
    assert!(master.rgba().chunks(4).any(|pixel| pixel[3] == 0));
    for (pixel, expected) in master.rgba().chunks(4).zip(original.pixels()) {
        assert!(pixel[3] == 0 || pixel[..3] == expected.0[..3], "{pixel:?} {expected:?}");
    }
    for (background, edge) in [(0, 2_000), (255, 2_000)] {
        let hidden = DynamicImage::from(ImageBuffer::from_fn(edge, edge, |x, _| {
            if x % 2 == 0 { Rgba([200_u8, 0, 0, 255]) } else { Rgba([0, 255, background, 0]) }
        }));
        let scaled = square(&png(hidden));
        let middle = &scaled.rgba()[scaled.rgba().len() / 2..][..4];
        assert!(middle[0] >= 198 && middle[1] <= 2 && middle[2] <= 2, "{middle:?}");
        assert!((100..=155).contains(&middle[3]), "{middle:?}");
    }
}

#[test]
fn a_picture_of_one_colour_keeps_it_when_made_smaller() {
    let shades = [
        ("grey", png(ImageBuffer::from_pixel(1_300, 1_100, Luma([90_u8]))), [90, 90, 90, 255]),
        (
            "grey, 16 bits",
            png(ImageBuffer::from_pixel(1_300, 1_100, Luma([90_u16 * 257]))),
            [90, 90, 90, 255],
        ),
        (
            "grey and alpha",
            png(ImageBuffer::from_pixel(1_300, 1_100, LumaA([90_u8, 51]))),
            [90, 90, 90, 51],
        ),
        (
            "colours",
            png(ImageBuffer::from_pixel(1_300, 1_100, Rgb([10_u8, 20, 30]))),
            [10, 20, 30, 255],
        ),
        (
            "colours, 16 bits",
            png(ImageBuffer::from_pixel(1_300, 1_100, Rgba([2_570_u16, 5_140, 7_710, 0xcccc]))),
            [10, 20, 30, 204],
        ),
    ];
    for (name, upload, expected) in shades {
        let square = square(&upload);
        assert_eq!(square.edge(), 1_024, "{name}");
        for pixel in square.rgba().chunks(4) {
            let near = pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 3);
            assert!(near, "{name}: {pixel:?}");
        }
    }
}

#[test]
fn no_note_gets_through() {
    for name in ["notes.jpg", "notes.png", "notes.webp"] {
        let upload = file(name);
        assert!(holds(&upload, b"SECRET") || name == "notes.png", "{name} has notes");
        let square = square(&upload);
        let mut kept = vec![square.master().unwrap()];
        kept.extend([64, 128, 256, 512].map(|edge| square.rendition(edge, usize::MAX).unwrap()));
        for webp in kept {
            for note in [&b"SECRET"[..], b"EXIF", b"Exif", b"XMP ", b"xmp", b"ICCP", b"ADOBE"] {
                assert!(!holds(&webp, note), "{name}: {}", String::from_utf8_lossy(note));
            }
        }
    }
}

fn holds(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}
