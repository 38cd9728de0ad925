//! What is sharp on this screen.

use miniature_api::Size;

use crate::browser::viewport;

/// The size of rendition that fills `size` CSS pixels on this screen.
pub fn rendition_size(size: u32) -> Size {
    Size::covering(device_pixels(size, viewport::device_pixel_ratio()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 1 to 4096")]
fn device_pixels(size: u32, ratio: f64) -> u32 {
    (f64::from(size) * ratio).ceil().clamp(1.0, 4096.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dense_screen_asks_for_more_pixels() {
        let cases = [
            ("plain", 48, 1.0, 48),
            ("a zoomed page", 48, 1.25, 60),
            ("dense", 48, 2.0, 96),
            ("a ratio that is none", 48, f64::NAN, 0),
            ("no size", 0, 2.0, 1),
        ];
        for (name, size, ratio, expected) in cases {
            assert_eq!(device_pixels(size, ratio), expected, "{name}");
        }
    }
}
