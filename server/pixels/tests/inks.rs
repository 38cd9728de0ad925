//! JPEGs of four inks, as programs for print write them, look as their profile says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use miniature_pixels::{Square, memory_for};
use proptest::sample::Index;

/// How a JPEG holds its inks: as such, or as colours that are their complement, and black.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Cmyk,
    Ycck,
}

/// Cyan, magenta, yellow and black; what they look like on the paper of [`profile`], as sRGB and as
/// CIE L*a*b* (D50).
const INKS: [([u8; 4], [u8; 3], [f64; 3]); 6] = [
    ([0, 0, 0, 0], [255, 255, 255], [100.0, 0.0, 0.0]),
    ([0, 255, 255, 0], [200, 62, 57], [47.69, 55.1, 35.73]),
    ([255, 0, 0, 0], [0, 158, 224], [60.81, -17.29, -43.91]),
    ([0, 255, 0, 0], [226, 0, 122], [49.62, 77.02, -0.05]),
    ([0, 0, 255, 0], [255, 236, 0], [92.74, -7.04, 90.06]),
    ([0, 0, 0, 255], [35, 31, 32], [12.25, 2.15, 0.05]),
];

/// A profile with a table of every ink or none; those that are not in [`INKS`] together are black.
///
/// # Source
///
/// ICC.1:2001-04, 6.1 (header), 6.5.9 (`lut16Type`) and A.3 (the encoding of L*a*b* in version 2).
fn profile() -> Vec<u8> {
    let mut table = [b"mft2".as_slice(), &[0; 4], &[4, 3, 2, 0]].concat();
    for n in 0..9 {
        table.extend((if n % 4 == 0 { 0x1_0000_u32 } else { 0 }).to_be_bytes());
    }
    let curve = [0, 0xffff_u16];
    let words = [2, 2].into_iter().chain([curve; 4].concat());
    let words = words.chain((0..16).flat_map(node)).chain([curve; 3].concat());
    table.extend(words.flat_map(u16::to_be_bytes));
    let length = u32::try_from(table.len()).unwrap();
    let mut header = vec![0; 128];
    header[..4].copy_from_slice(&(144 + length).to_be_bytes());
    for (at, field) in [
        (8, b"\x02\x40\0\0"),
        (12, b"prtr"),
        (16, b"CMYK"),
        (20, b"Lab "),
        (36, b"acsp"),
        (68, b"\0\0\xf6\xd6"),
        (72, b"\0\x01\0\0"),
        (76, b"\0\0\xd3\x2d"),
    ] {
        header[at..at + 4].copy_from_slice(field);
    }
    let tags = [1_u32.to_be_bytes(), *b"A2B0", 144_u32.to_be_bytes(), length.to_be_bytes()];
    [&header, tags.as_flattened(), &table].concat()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 65 535")]
fn node(n: usize) -> [u16; 3] {
    let inks = [8, 4, 2, 1].map(|bit| if n & bit == 0 { 0 } else { 255 });
    let known = INKS.iter().find(|(known, ..)| *known == inks);
    let [lightness, a, b] = known.map_or([0.0; 3], |(.., lab)| *lab);
    [lightness * 652.8, (a + 128.0) * 256.0, (b + 128.0) * 256.0].map(|value| value as u16)
}

/// A JPEG of one colour, inverted as Adobe's programs write it.
///
/// # Source
///
/// ITU-T T.81, annex B and F.1; T.872, 6.5.3 (`APP14`).
fn jpeg(stored: Stored, [c, m, y, k]: [u8; 4], edge: u16, profile: Option<&[u8]>) -> Vec<u8> {
    let samples = match stored {
        Stored::Cmyk => [255 - c, 255 - m, 255 - y, 255 - k],
        Stored::Ycck => {
            let [luma, blue, red] = luma_and_chroma([c, m, y]);
            [luma, blue, red, 255 - k]
        }
    };
    let mut file = vec![0xff, 0xd8];
    let transform = if stored == Stored::Cmyk { 0 } else { 2 };
    segment(&mut file, 0xee, &[b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat());
    if let Some(profile) = profile {
        segment(&mut file, 0xe2, &[b"ICC_PROFILE\0\x01\x01", profile].concat());
    }
    segment(&mut file, 0xdb, &[[0].as_slice(), &[8; 64]].concat());
    let [high, low] = edge.to_be_bytes();
    let components = (1..=4).flat_map(|n| [n, 0x11, 0]);
    segment(
        &mut file,
        0xc0,
        &[8, high, low, high, low, 4].into_iter().chain(components).collect::<Vec<_>>(),
    );
    // Lengths of differences in four bits; the end of a block in one.
    let lengths =
        [[0, 0, 0, 0, 12].as_slice(), &[0; 12], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]].concat();
    segment(&mut file, 0xc4, &lengths);
    segment(&mut file, 0xc4, &[[0x10, 1].as_slice(), &[0; 16]].concat());
    segment(&mut file, 0xda, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]);
    file.extend(scan(samples, usize::from(edge).div_ceil(8).pow(2)));
    file.extend([0xff, 0xd9]);
    file
}

fn segment(file: &mut Vec<u8>, marker: u8, content: &[u8]) {
    file.extend([0xff, marker]);
    file.extend((u16::try_from(content.len()).unwrap() + 2).to_be_bytes());
    file.extend(content);
}

/// Blocks that are all alike: only the first differs from what is foreseen, 128.
fn scan(samples: [u8; 4], blocks: usize) -> Vec<u8> {
    let first = samples.map(|sample| {
        let difference = i32::from(sample) - 128;
        let length = (i32::BITS - difference.abs().leading_zeros()) as usize;
        let bits = if difference < 0 { difference - 1 } else { difference };
        let bits = format!("{bits:032b}")[32 - length..].to_owned();
        format!("{length:04b}{bits}0")
    });
    let bits = first.concat() + &"00000".repeat(4 * (blocks - 1)) + "1111111";
    let bytes = bits.as_bytes().chunks_exact(8);
    let bytes = bytes.map(|byte| u8::from_str_radix(str::from_utf8(byte).unwrap(), 2).unwrap());
    bytes.flat_map(|byte| if byte == 0xff { vec![0xff, 0] } else { vec![byte] }).collect()
}

/// # Source
///
/// ITU-T T.871, 7.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 255")]
fn luma_and_chroma(colour: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = colour.map(f64::from);
    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
    [luma, (b - luma) / 1.772 + 128.0, (r - luma) / 1.402 + 128.0].map(|value| value.round() as u8)
}

#[track_caller]
fn check(file: &[u8], expected: [u8; 3], name: &str) {
    for pixel in Square::from_upload(file).unwrap().rgba().chunks(4) {
        let is_near = pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 3);
        assert!(is_near && pixel[3] == 255, "{name}: {pixel:?}, not {expected:?}");
    }
}

#[test]
fn inks_look_as_on_the_paper_that_they_were_mixed_for() {
    let profile = profile();
    for stored in [Stored::Cmyk, Stored::Ycck] {
        for (inks, expected, _) in INKS {
            check(
                &jpeg(stored, inks, 8, Some(&profile)),
                expected,
                &format!("{stored:?} {inks:?}"),
            );
        }
    }
}

#[test]
fn black_is_no_transparency_when_made_smaller() {
    let (inks, expected, _) = INKS[1];
    check(&jpeg(Stored::Cmyk, inks, 1_200, Some(&profile())), expected, "without black");
}

#[test]
fn without_a_profile_of_inks_they_are_taken_for_complements_of_the_web_s_colours() {
    let mut of_colours = profile();
    of_colours[16..20].copy_from_slice(b"RGB ");
    let mut damaged = profile();
    damaged[144..148].fill(0);
    let cut = &profile()[..200];
    let cases = [
        ("none", None),
        ("of colours", Some(&of_colours[..])),
        ("damaged", Some(&damaged)),
        ("cut off", Some(cut)),
    ];
    for (name, profile) in cases {
        for stored in [Stored::Cmyk, Stored::Ycck] {
            check(&jpeg(stored, [0, 245, 255, 51], 8, profile), [204, 8, 0], name);
        }
    }
}

#[test]
fn the_memory_of_four_channels_is_foreseen() {
    let [with, without] = [Some(profile()), None]
        .map(|profile| memory_for(&jpeg(Stored::Cmyk, [0; 4], 1_200, profile.as_deref())).unwrap());
    assert!(with - without < 1_000, "{with} {without}");
    assert!(with > 4 * 1_200 * 1_200 + (16 << 20), "{with}");
}

proptest::proptest! {
    // A table of 17 steps an ink is made for each.
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

    #[test]
    fn a_damaged_profile_never_panics(
        damage in proptest::collection::vec(proptest::arbitrary::any::<(Index, u8)>(), 1..4),
    ) {
        let mut profile = profile();
        for (at, byte) in damage {
            let at = at.index(profile.len());
            profile[at] = byte;
        }
        Square::from_upload(&jpeg(Stored::Cmyk, INKS[1].0, 8, Some(&profile))).unwrap();
    }
}
