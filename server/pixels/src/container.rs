//! WebP's container: what it claims, held against what is there.
//!
//! The decoder asks for as much memory as a file claims to need. So whatever a file claims of itself is
//! checked here first.
//!
//! # Source
//!
//! WebP Container Specification; RFC 6386, section 9.1 (the head of a lossy frame).

/// What stands before the chunks: `RIFF`, a length, `WEBP`.
const HEAD: usize = 12;

/// What stands before the chunks of an animation's frame: where it goes, and for how long.
const FRAME_HEAD: usize = 16;

/// The file without what trails it, or none if it claims more than there is.
pub(crate) fn whole(file: &[u8]) -> Option<&[u8]> {
    let stated = u32::from_le_bytes(file.get(4..8)?.try_into().ok()?);
    let file = file.get(..usize::try_from(stated).ok()?.checked_add(8)?)?;
    let chunks = file.get(HEAD..)?;
    all(chunks, |name, content| match name {
        b"ANMF" => content.get(FRAME_HEAD..).is_some_and(|frame| all(frame, |_, _| true)),
        _ => true,
    })
    .then_some(file)
}

/// Whether no lossy frame is larger than the picture that it is a part of, in pixels.
pub(crate) fn fits(file: &[u8], (width, height): (u32, u32)) -> bool {
    let fits = |name: &[u8; 4], content: &[u8]| {
        name != b"VP8 " || frame_size(content).is_some_and(|(w, h)| w <= width && h <= height)
    };
    let chunks = file.get(HEAD..).unwrap_or_default();
    all(chunks, |name, content| match name {
        b"ANMF" => all(content.get(FRAME_HEAD..).unwrap_or_default(), fits),
        _ => fits(name, content),
    })
}

/// The width and height that a lossy frame states, in pixels; the upper two bits only ask to scale.
fn frame_size(frame: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| {
        let bits = u16::from_le_bytes(frame.get(at..at + 2)?.try_into().ok()?);
        Some(u32::from(bits & 0x3fff))
    };
    Some((side(6)?, side(8)?))
}

/// Whether every chunk is there as a whole, and `is_sound`. Each is padded to an even length.
fn all(mut chunks: &[u8], is_sound: impl Fn(&[u8; 4], &[u8]) -> bool) -> bool {
    while let Some((name, rest)) = chunks.split_first_chunk::<4>() {
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return false };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some(content) = rest.get(..length) else { return false };
        if !is_sound(name, content) {
            return false;
        }
        chunks = rest.get(length + length % 2..).unwrap_or_default();
    }
    chunks.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        let padding = vec![0; content.len() % 2];
        [name.as_slice(), &length, content, &padding].concat()
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        chunk(b"RIFF", &[b"WEBP".as_slice(), &chunks.concat()].concat())
    }

    fn lossy(width: u16, height: u16) -> Vec<u8> {
        let start = b"\0\0\0\x9d\x01\x2a";
        [start.as_slice(), &width.to_le_bytes(), &height.to_le_bytes()].concat()
    }

    #[test]
    fn a_file_that_claims_more_than_there_is_is_none() {
        let sound = file(&[chunk(b"VP8X", &[0; 10]), chunk(b"EXIF", b"odd")]);
        let mut long = sound.clone();
        long[16..20].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
        let mut nested = chunk(b"ICCP", b"small");
        nested[7] = 0xff;
        let nested = file(&[chunk(b"ANMF", &[vec![0; FRAME_HEAD], nested].concat())]);
        let trailed = [sound.as_slice(), b"trailing"].concat();
        let cases = [
            ("sound", &sound[..], Some(&sound[..])),
            ("followed by something", &trailed, Some(&sound)),
            ("cut off", &sound[..sound.len() - 1], None),
            ("a chunk too long", &long, None),
            ("a chunk too long within a frame", &nested, None),
            ("a frame without its head", &file(&[chunk(b"ANMF", b"short")]), None),
            ("empty", b"", None),
        ];
        for (name, given, expected) in cases {
            assert_eq!(whole(given), expected, "{name}");
        }
    }

    #[test]
    fn a_frame_larger_than_its_picture_does_not_fit() {
        let frame = [vec![0; FRAME_HEAD], chunk(b"VP8 ", &lossy(400, 300))].concat();
        let within = |frame: &[u8]| file(&[chunk(b"ANMF", frame)]);
        let cases = [
            ("as large", file(&[chunk(b"VP8 ", &lossy(400, 300))]), true),
            ("too wide", file(&[chunk(b"VP8 ", &lossy(401, 300))]), false),
            ("too high", file(&[chunk(b"VP8 ", &lossy(400, 0x3fff))]), false),
            ("asks to be scaled", file(&[chunk(b"VP8 ", &lossy(0xc000 | 400, 300))]), true),
            ("cut off", file(&[chunk(b"VP8 ", b"")]), false),
            ("a frame", within(&frame), true),
        ];
        for (name, given, expected) in cases {
            assert_eq!(fits(&given, (400, 300)), expected, "{name}");
        }
        assert!(!fits(&within(&frame), (399, 300)), "a frame too wide");
    }
}
