//! The colours of the portraits: calm ones, that stand apart at 48 px.

use super::canvas::Rgb;

/// Complexions, lightest first.
pub(super) const SKIN: [Rgb; 6] =
    [Rgb(0xf7d9c4), Rgb(0xf0c8a8), Rgb(0xe0ac86), Rgb(0xc68a62), Rgb(0x9c6544), Rgb(0x6f4632)];

/// Hair that goes with the three lighter complexions.
pub(super) const LIGHT_HAIR: [Rgb; 8] = [
    Rgb(0x2f2422),
    Rgb(0x4c3329),
    Rgb(0x6e4730),
    Rgb(0x8e4b2e),
    Rgb(0xb46a3c),
    Rgb(0xd9a85c),
    Rgb(0xe6c98f),
    Rgb(0xb9b4b0),
];

/// Hair that goes with the three darker complexions.
pub(super) const DARK_HAIR: [Rgb; 5] =
    [Rgb(0x1f1a1d), Rgb(0x2b2020), Rgb(0x3d2924), Rgb(0x54362a), Rgb(0x9a9595)];

/// What is behind.
pub(super) const BACKDROP: [Rgb; 12] = [
    Rgb(0xa9c4d4),
    Rgb(0xb8cfb4),
    Rgb(0xe7c9a0),
    Rgb(0xe3b3a4),
    Rgb(0xc3b8d6),
    Rgb(0x9fc6be),
    Rgb(0xe9d7b0),
    Rgb(0xb0b9d8),
    Rgb(0xd6b4c2),
    Rgb(0x8faeb8),
    Rgb(0xc9cfa2),
    Rgb(0xd8c4b4),
];

/// What they wear.
pub(super) const CLOTH: [Rgb; 12] = [
    Rgb(0x2f4a68),
    Rgb(0x4d6b57),
    Rgb(0xb55d43),
    Rgb(0xf2e8d8),
    Rgb(0xc79236),
    Rgb(0x6a4662),
    Rgb(0x3b3f4a),
    Rgb(0x2f7476),
    Rgb(0x8b3f44),
    Rgb(0x7d90ac),
    Rgb(0xd98c7a),
    Rgb(0x565b3c),
];

/// Ink: eyes, frames.
pub(super) const INK: Rgb = Rgb(0x2a222b);

/// Metal: frames, earrings.
pub(super) const GOLD: Rgb = Rgb(0xc99a4a);

/// Teeth, shirts, the light in an eye.
pub(super) const WHITE: Rgb = Rgb(0xfffaf3);
