//! Neck, shoulders and what covers them.

use super::{
    canvas::{Canvas, Rgb},
    palette::{CLOTH, WHITE},
    traits::{Neckline, Traits},
};

const NECK: &str = "M 42.5 56 L 57.5 56 L 57.5 73 C 60 76 62 77 65 77 C 60 85 40 85 35 77 \
     C 38 77 40 76 42.5 73 Z";
const NECK_SHADOW: &str = "M 42.5 60 C 46 68 54 68 57.5 60 L 57.5 67 C 54 71 46 71 42.5 68 Z";
const SHOULDERS: &str = "M 5 100 C 6 85 20 79 37 75.5 C 41 82 59 82 63 75.5 C 80 79 94 85 95 100 Z";

pub(super) fn neck(canvas: &mut Canvas, traits: &Traits) {
    canvas.fill(NECK, traits.skin.darker(0.06));
    canvas.fill(NECK_SHADOW, traits.skin.darker(0.22));
}

pub(super) fn clothes(canvas: &mut Canvas, traits: &Traits) {
    let cloth = cloth(traits);
    canvas.fill(SHOULDERS, cloth);
    match traits.neckline {
        Neckline::Crew => {
            canvas.line("M 37 76 C 41 82.6 59 82.6 63 76", 2.4, cloth.darker(0.16));
        }
        Neckline::Vee => {
            canvas.fill(
                "M 37 75.5 L 50 92 L 63 75.5 C 59 82 41 82 37 75.5 Z",
                traits.skin.darker(0.04),
            );
            canvas.fill("M 40 76 L 50 92 L 60 76 C 57 80 43 80 40 76 Z", traits.skin.darker(0.06));
            canvas.line("M 36.5 75.6 L 50 92 L 63.5 75.6", 2.0, cloth.darker(0.16));
        }
        Neckline::Collar => collar(canvas, cloth),
        Neckline::Turtleneck => {
            canvas.fill(
                "M 41 67 C 45 70 55 70 59 67 L 62 80 C 56 85 44 85 38 80 Z",
                cloth.lighter(0.1),
            );
            canvas.line("M 40 74.6 C 45 77.6 55 77.6 60 74.6", 1.0, cloth.darker(0.14));
        }
        Neckline::Lapels => lapels(canvas, cloth),
        Neckline::Stripes => stripes(canvas, cloth),
    }
}

/// Cream, a shade darker: it must stand apart from a shirt.
fn cloth(traits: &Traits) -> Rgb {
    if traits.cloth == CLOTH[3] { traits.cloth.darker(0.04) } else { traits.cloth }
}

fn collar(canvas: &mut Canvas, cloth: Rgb) {
    canvas.line("M 50 82 L 50 100", 1.0, cloth.darker(0.2));
    canvas.fill("M 37.5 74 L 50 82.5 L 41 90 L 32 77.5 Z", cloth.lighter(0.22));
    canvas.fill("M 62.5 74 L 50 82.5 L 59 90 L 68 77.5 Z", cloth.lighter(0.22));
}

fn lapels(canvas: &mut Canvas, cloth: Rgb) {
    canvas.fill("M 37 75.5 C 41 82 59 82 63 75.5 L 58 100 L 42 100 Z", WHITE.darker(0.03));
    canvas.fill("M 36 75 L 30 84 L 36 87 L 33 90 L 44 100 L 46 100 L 39 76 Z", cloth.darker(0.2));
    canvas.fill("M 64 75 L 70 84 L 64 87 L 67 90 L 56 100 L 54 100 L 61 76 Z", cloth.darker(0.2));
}

fn stripes(canvas: &mut Canvas, cloth: Rgb) {
    let stripe = cloth.lighter(0.5);
    canvas.line("M 17 86.5 C 38 92 62 92 83 86.5", 2.2, stripe);
    canvas.line("M 10 94.5 C 36 100 64 100 90 94.5", 2.2, stripe);
    canvas.line("M 37 76 C 41 82.6 59 82.6 63 76", 2.2, cloth.darker(0.12));
}
