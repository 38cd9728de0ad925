//! The colour of a picture that is still on its way.

use miniature_api::ImageId;
use std::fmt;

/// An image's average colour, opaque. Written as CSS has it: `#1f6f8b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tint {
    image: ImageId,
    colour: [u8; 3],
}

impl Tint {
    #[cfg(test)]
    pub(crate) fn grey(image: ImageId) -> Self {
        Self { image, colour: [128; 3] }
    }

    /// The image that has this colour.
    pub(crate) fn image(&self) -> ImageId {
        self.image
    }

    /// The average colour of an image by its [ThumbHash](https://evanw.github.io/thumbhash/) in base64. None
    /// if that is none.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 255")]
    pub(crate) fn of_thumbhash(image: ImageId, text: &str) -> Option<Self> {
        let (red, green, blue, _) = thumbhash::thumb_hash_to_average_rgba(&head(text)?).ok()?;
        let colour = [red, green, blue].map(|part| (part * 255.0) as u8);
        Some(Self { image, colour })
    }
}

/// The three bytes that hold the colour, out of four letters of base64, and as many more as the crate
/// looks at. A whole decoder would be a kilobyte of the first load.
fn head(text: &str) -> Option<[u8; 6]> {
    let letters = text.as_bytes().first_chunk::<4>()?;
    let bits =
        letters.iter().try_fold(0, |bits: u32, letter| Some(bits << 6 | sextet(*letter)?))?;
    let [_, one, two, three] = bits.to_be_bytes();
    Some([one, two, three, 0, 0, 0])
}

fn sextet(letter: u8) -> Option<u32> {
    let sextet = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(sextet.into())
}

impl fmt::Display for Tint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.colour.iter().fold(0, |bits: u64, part| bits << 8 | u64::from(*part));
        write!(f, "#{bits:06x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    fn image() -> ImageId {
        "000102030405060708090a0b0c0d0e0f".parse().unwrap()
    }

    fn of(text: &str) -> Option<Tint> {
        Tint::of_thumbhash(image(), text)
    }

    #[test]
    fn a_thumbhash_has_one_colour() {
        let plain = |rgba: [u8; 4]| {
            let hash = thumbhash::rgba_to_thumb_hash(8, 8, &rgba.repeat(64));
            STANDARD.encode(hash)
        };
        let near = |tint: Tint, [red, green, blue]: [u8; 3]| {
            tint.colour.iter().zip([red, green, blue]).all(|(is, was)| is.abs_diff(was) < 12)
        };
        for colour in [[200, 30, 30], [30, 120, 200], [0, 0, 0], [255, 255, 255]] {
            let [red, green, blue] = colour;
            let tint = of(&plain([red, green, blue, 255])).unwrap();
            assert!(near(tint, colour), "{tint} of {colour:?}");
        }
        // `////` says that there is alpha, and ends before it.
        assert_eq!(of("////"), of("////////////"));
        assert_eq!(Tint { image: image(), colour: [1, 171, 255] }.to_string(), "#01abff");
    }

    #[test]
    fn what_is_no_thumbhash_has_none() {
        for text in ["", "-", "AAA", "no base64", "AA=A", "é//"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
