//! What someone looks like, told from their id.

use super::{
    HairLength,
    canvas::Rgb,
    palette::{BACKDROP, CLOTH, DARK_HAIR, LIGHT_HAIR, SKIN},
};

/// What someone looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) backdrop: Rgb,
    pub(super) skin: Rgb,
    pub(super) hair: Rgb,
    pub(super) cloth: Rgb,
    pub(super) face: Face,
    pub(super) style: Style,
    pub(super) eyes: Eyes,
    pub(super) mouth: Mouth,
    pub(super) beard: Beard,
    pub(super) glasses: Glasses,
    pub(super) hat: Hat,
    pub(super) neckline: Neckline,
    pub(super) earrings: bool,
    pub(super) freckles: bool,
}

/// The shape of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Oval,
    Round,
    Square,
}

/// How hair is cut and worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Crop,
    SidePart,
    Quiff,
    Buzz,
    Curls,
    Bald,
    Coils,
    Fringe,
    Bob,
    Straight,
    Waves,
    Bun,
    Ponytail,
    Ringlets,
    Afro,
    Pixie,
}

/// How eyes look out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eyes {
    Open,
    Lashes,
    Smiling,
}

/// How a mouth smiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mouth {
    Smile,
    Grin,
    Slight,
    Lips,
}

/// What grows below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beard {
    None,
    Stubble,
    Full,
    Moustache,
    Goatee,
}

/// What sits on the nose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glasses {
    None,
    Round,
    Square,
    Wire,
}

/// What is on the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hat {
    None,
    Beanie,
    Brim,
    Headband,
    Cap,
}

/// How clothes end at the neck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Neckline {
    Crew,
    Vee,
    Collar,
    Turtleneck,
    Lapels,
    Stripes,
}

impl Traits {
    /// What whoever has this id looks like.
    pub(super) fn of(id: &str, length: HairLength, complexion: usize) -> Self {
        let mut dice = Dice::new(id);
        let complexion = complexion.min(SKIN.len() - 1);
        let backdrop = dice.one_of(&BACKDROP);
        let hair = if complexion < 2 { dice.one_of(&LIGHT_HAIR) } else { dice.one_of(&DARK_HAIR) };
        let style = style(&mut dice, length, complexion);
        let short = length == HairLength::Short;
        Self {
            backdrop,
            skin: SKIN[complexion],
            hair,
            cloth: dice.one_of(&CLOTH),
            face: dice.one_of(if short { &SHORT_FACES } else { &LONG_FACES }),
            style,
            eyes: dice.one_of(if short { &SHORT_EYES } else { &LONG_EYES }),
            mouth: dice.one_of(if short { &SHORT_MOUTHS } else { &LONG_MOUTHS }),
            beard: if short { dice.one_of(&BEARDS) } else { Beard::None },
            glasses: dice.one_of(&GLASSES),
            hat: hat(&mut dice, style),
            neckline: dice.one_of(&NECKLINES),
            earrings: !short && dice.roll(3) == 0,
            freckles: complexion == 0 && dice.roll(3) == 0,
        }
    }
}

fn style(dice: &mut Dice, length: HairLength, complexion: usize) -> Style {
    match (length, complexion < 4) {
        (HairLength::Short, true) => dice.one_of(&SHORT_STYLES),
        (HairLength::Short, false) => dice.one_of(&SHORT_COILED_STYLES),
        (HairLength::Long, true) => dice.one_of(&LONG_STYLES),
        (HairLength::Long, false) => dice.one_of(&LONG_COILED_STYLES),
    }
}

/// Only over hair that leaves room for one.
fn hat(dice: &mut Dice, style: Style) -> Hat {
    let drawn = dice.one_of(&HATS);
    let room = match style {
        Style::Crop | Style::Buzz | Style::Bald | Style::SidePart => drawn != Hat::Headband,
        Style::Straight | Style::Waves | Style::Bob => true,
        Style::Afro | Style::Ringlets => drawn == Hat::Headband,
        Style::Quiff
        | Style::Curls
        | Style::Coils
        | Style::Fringe
        | Style::Bun
        | Style::Ponytail
        | Style::Pixie => false,
    };
    if room { drawn } else { Hat::None }
}

// What stands here twice is drawn twice as often.
const SHORT_STYLES: [Style; 8] = [
    Style::Crop,
    Style::SidePart,
    Style::SidePart,
    Style::Quiff,
    Style::Buzz,
    Style::Curls,
    Style::Bald,
    Style::Fringe,
];
const SHORT_COILED_STYLES: [Style; 5] =
    [Style::Buzz, Style::Coils, Style::Coils, Style::Bald, Style::Crop];
const LONG_STYLES: [Style; 8] = [
    Style::Bob,
    Style::Straight,
    Style::Waves,
    Style::Waves,
    Style::Bun,
    Style::Ponytail,
    Style::Ringlets,
    Style::Pixie,
];
const LONG_COILED_STYLES: [Style; 6] =
    [Style::Afro, Style::Afro, Style::Ringlets, Style::Bun, Style::Coils, Style::Straight];
const SHORT_FACES: [Face; 3] = [Face::Oval, Face::Square, Face::Square];
const LONG_FACES: [Face; 3] = [Face::Oval, Face::Oval, Face::Round];
const SHORT_EYES: [Eyes; 4] = [Eyes::Open, Eyes::Open, Eyes::Open, Eyes::Smiling];
const LONG_EYES: [Eyes; 4] = [Eyes::Lashes, Eyes::Lashes, Eyes::Open, Eyes::Smiling];
const SHORT_MOUTHS: [Mouth; 4] = [Mouth::Smile, Mouth::Smile, Mouth::Grin, Mouth::Slight];
const LONG_MOUTHS: [Mouth; 4] = [Mouth::Smile, Mouth::Grin, Mouth::Lips, Mouth::Lips];
const BEARDS: [Beard; 8] = [
    Beard::None,
    Beard::None,
    Beard::None,
    Beard::Stubble,
    Beard::Full,
    Beard::Full,
    Beard::Moustache,
    Beard::Goatee,
];
const GLASSES: [Glasses; 8] = [
    Glasses::None,
    Glasses::None,
    Glasses::None,
    Glasses::None,
    Glasses::None,
    Glasses::Round,
    Glasses::Square,
    Glasses::Wire,
];
const HATS: [Hat; 12] = [
    Hat::None,
    Hat::None,
    Hat::None,
    Hat::None,
    Hat::None,
    Hat::None,
    Hat::None,
    Hat::None,
    Hat::Beanie,
    Hat::Brim,
    Hat::Headband,
    Hat::Cap,
];
const NECKLINES: [Neckline; 6] = [
    Neckline::Crew,
    Neckline::Vee,
    Neckline::Collar,
    Neckline::Turtleneck,
    Neckline::Lapels,
    Neckline::Stripes,
];

/// Throws that an id decides.
struct Dice(blake3::OutputReader);

impl Dice {
    fn new(id: &str) -> Self {
        Self(
            blake3::Hasher::new_derive_key("miniature portrait")
                .update(id.as_bytes())
                .finalize_xof(),
        )
    }

    fn roll(&mut self, sides: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes) as usize % sides
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.roll(choices.len())]
    }
}
