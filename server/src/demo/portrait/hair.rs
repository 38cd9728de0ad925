//! Hair behind and before the face, and hats upon it.

use super::{
    canvas::{Canvas, Rgb},
    palette::CLOTH,
    traits::{Hat, Style, Traits},
};

const TAIL: &str = "M 62 18 C 82 14 88 34 83 50 C 80 60 84 68 78 78 C 74 70 70 66 71 54 C 71 44 \
     66 36 62 30 Z";
const PEAK: &str = "M 29.6 32 C 40 27.4 60 27.4 70.4 32 C 78 33.6 80 37 78 38 C 64 32.8 42 33 30 \
     37.4 Z";
const BOB_BEHIND: &str = "M 27.5 46 C 23 10 77 10 72.5 46 L 73.5 66 C 70 72 62 71 58 68 L 42 68 C \
     38 71 30 72 26.5 66 Z";
const STRAIGHT_BEHIND: &str = "M 27 46 C 22 9 78 9 73 46 L 76 84 C 70 90 62 88 58 82 L 42 82 C 38 \
     88 30 90 24 84 Z";
const WAVES_BEHIND: &str = "M 27.5 44 C 23 9 77 9 72.5 44 C 72 50 78 54 76 62 C 74.6 68 80 72 77 \
     80 C 74 88 62 86 58 80 L 42 80 C 38 86 26 88 23 80 C 20 72 25.4 68 24 62 C 22 54 28 50 \
     27.5 44 Z";
/// From one ear over the crown to the other; the hairline is high and round.
const CAP: &str = "M 31.4 47 C 28 20 42 16 50 16 C 58 16 72 20 68.6 47 \
     C 67.6 38 60 29 50 28.6 C 40 29 32.4 38 31.4 47 Z";
const SIDE_PART: &str = "M 31.6 46 C 27.4 23 38 14.6 52 15.4 C 67 15.6 72 28 68.4 46 C 67.6 40 \
     66.2 36.4 64.4 33.4 C 56 34.4 46 31.6 41 26.4 C 40 32 34.6 36 31.6 46 Z";
const QUIFF: &str = "M 31.8 45 C 30 34 31.6 27 35.4 23.4 C 34 15 44 10.6 54 11.6 C 65 12 71 18 \
     69.6 27 C 70.4 33 69.6 39 68.2 45 C 67.2 38 66 34 63.6 31.4 C 55 31 46 31 37.4 31.6 C 34.2 \
     35 33 39 31.8 45 Z";
const FRINGE: &str = "M 31.2 47 C 27.4 21 42 16 50 16 C 58 16 72.6 21 68.8 47 C 68 42 67 39 65.6 \
     36.4 L 61 34 L 58 37.4 L 54 34.4 L 50 37.8 L 45.6 34.4 L 42 37.4 L 38.4 34.4 L 34.4 37 C \
     33 39.4 32 42.4 31.2 47 Z";
const PIXIE: &str = "M 31 51 C 26 22 40 14.6 52 15.2 C 67 15.6 73.4 28 69 51 C 68.2 45 67 40 64.8 \
     36 C 58 39.6 48 38.4 42 31 C 41.4 36 36 39 33.6 43 C 32.4 45.4 31.6 48 31 51 Z";
const CROP: &str = "M 31.8 45 C 28.6 22 41 17 50 17 C 59 17 71.4 22 68.2 45 C 67.2 38 65.4 34 62.4 \
     31.6 C 54 32.6 46 32.6 37.6 31.6 C 34.6 34 32.8 38 31.8 45 Z";
const BUZZ: &str = "M 32.4 43 C 30 22 42 20 50 20 C 58 20 70 22 67.6 43 \
     C 66.6 36 64.4 32.4 61 30.6 C 54 29.4 46 29.4 39 30.6 C 35.6 32.4 33.4 36 32.4 43 Z";
const BOB: &str = "M 30.6 52 C 27 19 42 15.5 50 15.5 C 58 15.5 73 19 69.4 52 \
     C 68.6 46 67.4 41 66 38 C 56 39.6 44 39.6 34 38 C 32.6 41 31.4 46 30.6 52 Z";
const CURTAINS: &str = "M 50 15.5 C 37 15.5 29.6 25 30 48 C 30.2 54 30.8 58 31.8 61 \
     C 33 48 39 36 50 26 C 61 36 67 48 68.2 61 C 69.2 58 69.8 54 70 48 C 70.4 25 63 15.5 50 15.5 Z";
const SWEPT: &str = "M 30.4 54 C 27 22 40 15 54 16 C 68 17 72.6 32 69.6 54 \
     C 68.4 44 65 36 59.4 28.6 C 51 36 41 38.4 35.4 40 C 32.6 44 31.4 48 30.4 54 Z";

/// Where a head of curls has its curls: place and radius.
const CURLS: [(f32, f32, f32); 13] = [
    (32.5, 37.0, 4.6),
    (33.5, 30.0, 5.4),
    (38.0, 24.0, 6.2),
    (44.5, 20.5, 6.4),
    (52.0, 19.5, 6.6),
    (59.0, 22.0, 6.2),
    (64.5, 27.0, 5.8),
    (67.2, 33.5, 5.0),
    (67.8, 39.0, 3.8),
    (42.0, 29.0, 5.2),
    (49.0, 27.5, 5.2),
    (56.0, 28.5, 5.0),
    (61.5, 31.5, 4.2),
];

/// Curls that fall to the shoulders, on one side; the other mirrors them.
const RINGLETS: [(f32, f32, f32); 7] = [
    (37.0, 22.0, 8.5),
    (30.0, 29.0, 8.0),
    (26.0, 38.0, 7.6),
    (24.5, 47.0, 7.4),
    (24.5, 56.0, 7.4),
    (26.0, 65.0, 7.2),
    (29.5, 72.5, 6.4),
];

/// What falls behind the neck.
pub(super) fn behind(canvas: &mut Canvas, traits: &Traits) {
    let hair = traits.hair.darker(0.14);
    match traits.style {
        Style::Bob => canvas.fill(BOB_BEHIND, hair),
        Style::Straight => canvas.fill(STRAIGHT_BEHIND, hair),
        Style::Waves => canvas.fill(WAVES_BEHIND, hair),
        Style::Bun => canvas.ellipse((50.0, 13.5), (9.5, 8.5), hair),
        Style::Ponytail => canvas.fill(TAIL, hair),
        Style::Ringlets => {
            canvas.ellipse((50.0, 40.0), (22.0, 26.0), hair);
            for (x, y, radius) in RINGLETS {
                canvas.ellipse((x, y), (radius, radius), hair);
                canvas.ellipse((100.0 - x, y), (radius, radius), hair);
            }
        }
        Style::Afro => canvas.ellipse((50.0, 35.0), (28.0, 27.0), hair),
        Style::Crop
        | Style::SidePart
        | Style::Quiff
        | Style::Buzz
        | Style::Curls
        | Style::Bald
        | Style::Coils
        | Style::Fringe
        | Style::Pixie => {}
    }
}

/// What falls over the forehead.
pub(super) fn before(canvas: &mut Canvas, traits: &Traits) {
    let hair = traits.hair;
    match traits.style {
        Style::Bald => canvas.glow((44.5, 31.6), (4.6, 1.8), Rgb(0xffffff), 0.16),
        Style::Buzz => canvas.fill(BUZZ, hair.mixed(traits.skin, 0.25)),
        Style::Curls => curls(canvas, hair),
        Style::Coils => coils(canvas, hair),
        Style::Afro => canvas.fill(CAP, hair.darker(0.14)),
        Style::Crop => canvas.fill(CROP, hair),
        Style::SidePart => canvas.fill(SIDE_PART, hair),
        Style::Quiff => canvas.fill(QUIFF, hair),
        Style::Fringe => canvas.fill(FRINGE, hair),
        Style::Pixie => canvas.fill(PIXIE, hair),
        Style::Bob => {
            canvas.fill(BOB, hair);
            canvas.line("M 40 24 C 45 21.5 55 21.5 60 24", 1.4, hair.lighter(0.16));
        }
        Style::Straight => {
            canvas.fill(CURTAINS, hair);
            canvas.line("M 50 17.5 L 50 26", 0.9, hair.darker(0.25));
        }
        Style::Waves => {
            canvas.fill(SWEPT, hair);
            canvas.line("M 58 19.5 C 50 28 42 31 36 35", 0.9, hair.darker(0.2));
        }
        Style::Bun | Style::Ponytail => {
            canvas.fill(CAP, hair);
            canvas.line("M 41 21.5 C 46 19.6 54 19.6 59 21.5", 1.4, hair.lighter(0.16));
        }
        Style::Ringlets => {
            canvas.fill(CURTAINS, hair.darker(0.06));
        }
    }
}

fn curls(canvas: &mut Canvas, hair: Rgb) {
    for (n, (x, y, radius)) in (0..).zip(CURLS) {
        let shade = if n % 2 == 0 { hair } else { hair.lighter(0.07) };
        canvas.ellipse((x, y), (radius, radius), shade);
    }
}

/// Close to the head, with an even edge.
fn coils(canvas: &mut Canvas, hair: Rgb) {
    canvas.fill(
        "M 31.4 44 C 26 20 40 13 50 13 C 60 13 74 20 68.6 44 C 67.6 37 65.4 33 62 31 \
         C 54 29.6 46 29.6 38 31 C 34.6 33 32.4 37 31.4 44 Z",
        hair,
    );
}

pub(super) fn hat(canvas: &mut Canvas, traits: &Traits) {
    let felt = felt(traits);
    match traits.hat {
        Hat::None => {}
        Hat::Beanie => {
            canvas.fill("M 29.8 36 C 26 7 74 7 70.2 36 Z", felt);
            canvas.fill(
                "M 29 31 C 40 28 60 28 71 31 C 72.4 33 72.4 36.6 71 38.6 C 60 35.8 40 35.8 29 38.6 \
                 C 27.6 36.6 27.6 33 29 31 Z",
                felt.lighter(0.16),
            );
        }
        Hat::Brim => {
            canvas.fill("M 33 30 C 32 8 44 9 50 11 C 56 9 68 8 67 30 Z", felt);
            canvas.fill(
                "M 32.8 24 C 42 27.4 58 27.4 67.2 24 L 67.2 31 L 32.8 31 Z",
                felt.darker(0.3),
            );
            canvas.ellipse((50.0, 31.4), (30.0, 4.6), felt.darker(0.06));
        }
        Hat::Headband => canvas.fill(
            "M 31.4 36 C 35 25.4 44 22.4 50 22.4 C 56 22.4 65 25.4 68.6 36 L 69 41 \
             C 65 31 57 27.6 50 27.6 C 43 27.6 35 31 31 41 Z",
            felt,
        ),
        Hat::Cap => {
            canvas.fill("M 30.8 34 C 28 10 72 10 69.2 34 Z", felt);
            canvas.fill(PEAK, felt.darker(0.2));
        }
    }
}

/// Another colour than the clothes.
fn felt(traits: &Traits) -> Rgb {
    let worn = CLOTH.iter().position(|cloth| *cloth == traits.cloth).unwrap_or_default();
    CLOTH[(worn + 5) % CLOTH.len()]
}
