//! What the head of a JPEG says of its inks, and of the memory that it takes.
//!
//! # Source
//!
//! ITU-T T.81, annex B: markers, and the head of a frame (`SOF`).

/// How many bytes of coefficients are kept until the last scan: two for each of a component's samples
/// in a progressive JPEG, none in any other.
pub(crate) fn coefficient_bytes(file: &[u8]) -> u64 {
    frame_head(file).and_then(progressive_bytes).unwrap_or_default()
}

/// Whether it has four channels: cyan, magenta, yellow and black.
pub(crate) fn is_of_inks(file: &[u8]) -> bool {
    frame_head(file).is_some_and(|(_, head)| head.get(5) == Some(&4))
}

/// The marker and the content of the frame's head.
fn frame_head(file: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = file.get(2..)?; // SOI
    loop {
        let at = rest.iter().position(|byte| *byte == 0xff)?;
        rest = rest.get(at..)?;
        let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
        let marker = *rest.get(fill)?;
        rest = rest.get(fill + 1..)?;
        match marker {
            // Without content: stuffing, restarts, the start and the end.
            0x00 | 0x01 | 0xd0..=0xd9 => continue,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(rest.get(..2)?.try_into().ok()?));
        let content = rest.get(2..length)?;
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some((marker, content));
        }
        rest = rest.get(length..)?;
    }
}

fn progressive_bytes((marker, head): (u8, &[u8])) -> Option<u64> {
    const PROGRESSIVE: [u8; 4] = [0xc2, 0xc6, 0xca, 0xce];
    if !PROGRESSIVE.contains(&marker) {
        return None;
    }
    let edge =
        |at: usize| Some(u64::from(u16::from_be_bytes(head.get(at..at + 2)?.try_into().ok()?)));
    let pixels = edge(1)? * edge(3)?;
    let components = head.get(6..)?.chunks_exact(3).take(usize::from(*head.get(5)?));
    let samples = components.map(|component| {
        let factors = component.get(1).copied().unwrap_or_default();
        (u64::from(factors >> 4), u64::from(factors & 15))
    });
    let samples: Vec<(u64, u64)> = samples.collect();
    let most = samples.iter().map(|(across, _)| across).max()?
        * samples.iter().map(|(_, down)| down).max()?;
    let all: u64 = samples.iter().map(|(across, down)| across * down).sum();
    Some((pixels * all * 2).div_ceil(most.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file whose frame has this marker, these edges and sampling factors.
    fn file(marker: u8, width: u16, height: u16, factors: &[u8]) -> Vec<u8> {
        let mut head = vec![8];
        head.extend(height.to_be_bytes());
        head.extend(width.to_be_bytes());
        head.push(u8::try_from(factors.len()).unwrap());
        factors.iter().for_each(|factors| head.extend([1, *factors, 0]));
        let length = (u16::try_from(head.len()).unwrap() + 2).to_be_bytes();
        let notes = [0xff, 0xe1, 0, 6, 0xff, 0xc2, 0, 0];
        let tables = [0xff, 0xff, 0xc4, 0, 4, 1, 2];
        [&[0xff, 0xd8], &notes[..], &tables, &[0xff, marker], &length, &head].concat()
    }

    #[test]
    fn a_progressive_jpeg_keeps_two_bytes_a_sample() {
        let cases = [
            ("baseline", 0xc0, &[0x22, 0x11, 0x11][..], 0),
            ("as large colours", 0xc2, &[0x11, 0x11, 0x11], 100 * 50 * 6),
            ("half as large both ways", 0xc2, &[0x22, 0x11, 0x11], 100 * 50 * 3),
            ("half as wide", 0xc2, &[0x21, 0x11, 0x11], 100 * 50 * 4),
            ("grey", 0xc2, &[0x11], 100 * 50 * 2),
            ("four inks", 0xce, &[0x11; 4], 100 * 50 * 8),
            ("no components", 0xc2, &[], 0),
            ("no factors", 0xc2, &[0, 0, 0], 0),
        ];
        for (name, marker, factors, expected) in cases {
            assert_eq!(coefficient_bytes(&file(marker, 100, 50, factors)), expected, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, cut in 0..60_usize) {
            let _ = coefficient_bytes(&bytes);
            let mut whole = file(0xc2, 65_535, 65_535, &[0x44, 0xff, 0x11]);
            whole.truncate(cut);
            let _ = coefficient_bytes(&[whole, bytes].concat());
        }
    }
}
