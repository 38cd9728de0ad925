//! What is sharp on this screen.

use leptos::prelude::*;
use miniature_api::Size;

use super::driver::driver;
use crate::browser::viewport;

/// The share of a place's pixels that a picture needs to look sharp. `boot.js` has the same.
const SHARP: f64 = 0.75;

/// The smallest size of rendition that is sharp at `size` CSS pixels on this screen. Tracks: a window
/// may be zoomed, or moved to another screen.
pub fn rendition_size(size: u32) -> Size {
    driver().signals.density.track();
    rendition_size_untracked(size)
}

/// The same, as it is now.
pub fn rendition_size_untracked(size: u32) -> Size {
    sharp_at(size, viewport::device_pixel_ratio())
}

fn sharp_at(size: u32, ratio: f64) -> Size {
    Size::covering(whole(f64::from(size) * SHARP * ratio))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 1 to 4096")]
fn whole(pixels: f64) -> u32 {
    pixels.ceil().clamp(1.0, 4096.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_size_with_three_quarters_of_the_pixels_is_sharp() {
        let cases = [
            ("a list on a plain screen", 48, 1.0, Size::S64),
            ("a list, dense", 48, 2.0, Size::S128),
            ("a list, zoomed", 48, 1.25, Size::S64),
            ("just under three quarters of 64 px", 48, 1.8, Size::S128),
            ("three pixels to one, as most phones", 48, 3.0, Size::S128),
            ("the densest", 48, 4.0, Size::S256),
            ("a profile on a plain screen", 192, 1.0, Size::S256),
            ("a profile, dense", 192, 2.0, Size::S512),
            ("a profile, three to one", 192, 3.0, Size::S512),
            ("larger than there is", 2000, 3.0, Size::S512),
            ("a ratio that is none", 48, f64::NAN, Size::S64),
            ("no size", 0, 2.0, Size::S64),
        ];
        for (name, size, ratio, expected) in cases {
            assert_eq!(sharp_at(size, ratio), expected, "{name}");
        }
    }
}
