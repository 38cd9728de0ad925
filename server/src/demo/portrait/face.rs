//! Head, beard, features, glasses.

use super::{
    canvas::{Canvas, Rgb},
    palette::{GOLD, INK, WHITE},
    traits::{Beard, Eyes, Face, Glasses, Mouth, Style, Traits},
};

const OVAL: &str =
    "M 33 41 C 33 22 67 22 67 41 L 67 47 C 67 58 58 67.5 50 67.5 C 42 67.5 33 58 33 47 Z";
const ROUND: &str = "M 32 42 C 32 22 68 22 68 42 L 68 48 C 68 60 59 67 50 67 C 41 67 32 60 32 48 Z";
const SQUARE: &str =
    "M 33 41 C 33 22 67 22 67 41 L 66.8 51 C 66.4 61 58 68.5 50 68.5 C 42 68.5 33.6 61 33.2 51 Z";
const FULL_BEARD: &str = "M 32.6 45 L 34 46 C 35 53 38 54.5 42 54.6 C 46 52.8 54 52.8 58 54.6 \
     C 62 54.5 65 53 66 46 L 67.4 45 L 67.4 52 C 67 65 58 73 50 73 C 42 73 33 65 32.6 52 Z";
const GOATEE: &str = "M 42.5 57 C 43.5 53.6 48 53.6 50 54.6 C 52 53.6 56.5 53.6 57.5 57 \
     C 58 62 57 66 54.5 68.6 C 52 70.4 48 70.4 45.5 68.6 C 43 66 42 62 42.5 57 Z";
const MOUSTACHE: &str = "M 40.8 57.6 C 43.5 53 48.4 53.2 50 54.6 C 51.6 53.2 56.5 53 59.2 57.6 \
     C 56 59 52 58.6 50 57.4 C 48 58.6 44 59 40.8 57.6 Z";
const OPEN_MOUTH: &str = "M 43.8 57.6 C 47 58.8 53 58.8 56.2 57.6 C 55.6 62 53 63.8 50 63.8 C 47 \
     63.8 44.4 62 43.8 57.6 Z";
const TEETH: &str = "M 44.6 58 C 47.4 59 52.6 59 55.4 58 C 55 60.4 53 60.9 50 60.9 C 47 60.9 45 \
     60.4 44.6 58 Z";
const LIPS: &str = "M 44.6 59 C 46.5 57.6 48.8 57 50 58 C 51.2 57 53.5 57.6 55.4 59 C 53.6 62 \
     51.8 62.8 50 62.8 C 48.2 62.8 46.4 62 44.6 59 Z";
const LEFT_LENS: &str = "M 35.8 42.4 L 47.6 42.4 C 48.2 42.4 48.4 43 48.3 43.6 L 47.6 49 C 47.3 \
     51 46 51.6 44.4 51.6 L 39.4 51.6 C 37.6 51.6 36.6 50.6 36.3 49 L 35.4 43.6 C 35.3 42.8 \
     35.4 42.4 35.8 42.4 Z";
const RIGHT_LENS: &str = "M 64.2 42.4 L 52.4 42.4 C 51.8 42.4 51.6 43 51.7 43.6 L 52.4 49 C 52.7 \
     51 54 51.6 55.6 51.6 L 60.6 51.6 C 62.4 51.6 63.4 50.6 63.7 49 L 64.6 43.6 C 64.7 42.8 \
     64.6 42.4 64.2 42.4 Z";

pub(super) fn head(canvas: &mut Canvas, traits: &Traits) {
    let skin = traits.skin;
    for x in [32.6, 67.4] {
        canvas.ellipse((x, 47.5), (3.3, 4.9), skin.darker(0.08));
        canvas.ellipse((x, 47.8), (1.6, 2.8), skin.darker(0.2));
    }
    if traits.earrings {
        for x in [31.6, 68.4] {
            canvas.ellipse((x, 53.4), (1.5, 1.5), GOLD);
        }
    }
    canvas.fill(outline(traits.face), skin);
    for x in [39.2, 60.8] {
        canvas.glow((x, 54.2), (4.2, 3.0), Rgb(0xe06a5a), 0.17);
    }
    if traits.freckles {
        for (x, y) in
            [(38.5, 52.5), (40.8, 53.6), (42.6, 52.4), (57.4, 52.4), (59.2, 53.6), (61.5, 52.5)]
        {
            canvas.glow((x, y), (0.55, 0.55), Rgb(0x9a5535), 0.55);
        }
    }
}

fn outline(face: Face) -> &'static str {
    match face {
        Face::Oval => OVAL,
        Face::Round => ROUND,
        Face::Square => SQUARE,
    }
}

pub(super) fn beard(canvas: &mut Canvas, traits: &Traits) {
    let hair = traits.hair.mixed(traits.skin, 0.12);
    match traits.beard {
        Beard::None => {}
        Beard::Stubble => canvas.glaze(FULL_BEARD, traits.hair, 0.24),
        Beard::Full => canvas.fill(FULL_BEARD, hair),
        Beard::Moustache => canvas.fill(MOUSTACHE, hair),
        Beard::Goatee => canvas.fill(GOATEE, hair),
    }
}

pub(super) fn features(canvas: &mut Canvas, traits: &Traits) {
    eyes(canvas, traits);
    let shade = traits.skin.darker(0.3);
    canvas.line(
        "M 50.4 46.5 C 49.4 49.5 48 51.6 48.6 52.4 C 49.4 53.2 50.8 53 51.8 52.4",
        1.15,
        shade,
    );
    mouth(canvas, traits);
}

fn eyes(canvas: &mut Canvas, traits: &Traits) {
    let brow = brow_colour(traits);
    canvas.line("M 38.6 41.2 C 40.4 39.2 44 39.2 45.6 40.6", 1.5, brow);
    canvas.line("M 61.4 41.2 C 59.6 39.2 56 39.2 54.4 40.6", 1.5, brow);
    if traits.eyes == Eyes::Smiling {
        canvas.line("M 39.8 47.2 C 40.8 44.6 44.2 44.6 45.2 47.2", 1.5, INK);
        canvas.line("M 54.8 47.2 C 55.8 44.6 59.2 44.6 60.2 47.2", 1.5, INK);
        return;
    }
    for x in [42.5, 57.5] {
        canvas.ellipse((x, 46.3), (3.1, 2.35), WHITE);
        canvas.ellipse((x, 46.2), (1.95, 2.2), INK);
        canvas.ellipse((x + 0.7, 45.4), (0.6, 0.6), WHITE);
    }
    let lid = if traits.eyes == Eyes::Lashes { 1.3 } else { 0.8 };
    canvas.line("M 39.2 46 C 40.4 43.4 44.4 43.4 45.6 45.6", lid, INK);
    canvas.line("M 60.8 46 C 59.6 43.4 55.6 43.4 54.4 45.6", lid, INK);
    if traits.eyes == Eyes::Lashes {
        canvas.line("M 39.2 46 L 38.2 45", 0.9, INK);
        canvas.line("M 60.8 46 L 61.8 45", 0.9, INK);
    }
}

/// Dark enough to be seen on the skin, however light the hair.
fn brow_colour(traits: &Traits) -> Rgb {
    let hair = if traits.style == Style::Bald { INK } else { traits.hair };
    hair.mixed(traits.skin.darker(0.6), 0.35)
}

fn mouth(canvas: &mut Canvas, traits: &Traits) {
    let lip = traits.skin.mixed(Rgb(0xb85054), 0.5).darker(0.06);
    match traits.mouth {
        Mouth::Smile => {
            canvas.line("M 44.8 58.4 C 47 61.6 53 61.6 55.2 58.4", 1.5, lip.darker(0.2))
        }
        Mouth::Slight => {
            canvas.line("M 45.6 59.4 C 48 60.8 52 60.8 54.6 58.9", 1.4, lip.darker(0.2))
        }
        Mouth::Grin => {
            canvas.fill(OPEN_MOUTH, lip.darker(0.35));
            canvas.fill(TEETH, WHITE);
        }
        Mouth::Lips => {
            canvas.fill(LIPS, lip);
            canvas.line("M 44.8 59.1 C 47.5 60.2 52.5 60.2 55.2 59.1", 0.7, lip.darker(0.4));
        }
    }
}

pub(super) fn glasses(canvas: &mut Canvas, traits: &Traits) {
    let frame = if traits.glasses == Glasses::Wire { GOLD.darker(0.15) } else { INK };
    match traits.glasses {
        Glasses::None => return,
        Glasses::Round | Glasses::Wire => {
            let width = if traits.glasses == Glasses::Wire { 0.9 } else { 1.5 };
            for x in [42.2, 57.8] {
                canvas.glow((x, 46.6), (6.0, 5.8), WHITE, 0.16);
                canvas.ring((x, 46.6), (6.0, 5.8), width, frame);
            }
        }
        Glasses::Square => {
            for lens in [LEFT_LENS, RIGHT_LENS] {
                canvas.glaze(lens, WHITE, 0.16);
                canvas.line(lens, 1.5, frame);
            }
        }
    }
    canvas.line("M 48.2 45.8 C 49.2 44.8 50.8 44.8 51.8 45.8", 1.2, frame);
    canvas.line("M 36 45.4 L 33.2 44.8", 1.2, frame);
    canvas.line("M 64 45.4 L 66.8 44.8", 1.2, frame);
}
