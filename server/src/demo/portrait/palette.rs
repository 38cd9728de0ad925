//! The colours of the portraits: calm ones, that stand apart at 48 px.

use super::canvas::Rgb;

/// Complexions, lightest first.
pub(super) const SKIN: [Rgb; 6] = [
    Rgb(0xf7_d9_c4),
    Rgb(0xf0_c8_a8),
    Rgb(0xe0_ac_86),
    Rgb(0xc6_8a_62),
    Rgb(0x9c_65_44),
    Rgb(0x6f_46_32),
];

/// Hair that goes with the three lighter complexions.
pub(super) const LIGHT_HAIR: [Rgb; 8] = [
    Rgb(0x2f_24_22),
    Rgb(0x4c_33_29),
    Rgb(0x6e_47_30),
    Rgb(0x8e_4b_2e),
    Rgb(0xb4_6a_3c),
    Rgb(0xd9_a8_5c),
    Rgb(0xe6_c9_8f),
    Rgb(0xb9_b4_b0),
];

/// Hair that goes with the three darker complexions.
pub(super) const DARK_HAIR: [Rgb; 5] =
    [Rgb(0x1f_1a_1d), Rgb(0x2b_20_20), Rgb(0x3d_29_24), Rgb(0x54_36_2a), Rgb(0x9a_95_95)];

/// What is behind.
pub(super) const BACKDROP: [Rgb; 12] = [
    Rgb(0xa9_c4_d4),
    Rgb(0xb8_cf_b4),
    Rgb(0xe7_c9_a0),
    Rgb(0xe3_b3_a4),
    Rgb(0xc3_b8_d6),
    Rgb(0x9f_c6_be),
    Rgb(0xe9_d7_b0),
    Rgb(0xb0_b9_d8),
    Rgb(0xd6_b4_c2),
    Rgb(0x8f_ae_b8),
    Rgb(0xc9_cf_a2),
    Rgb(0xd8_c4_b4),
];

/// What they wear.
pub(super) const CLOTH: [Rgb; 12] = [
    Rgb(0x2f_4a_68),
    Rgb(0x4d_6b_57),
    Rgb(0xb5_5d_43),
    Rgb(0xf2_e8_d8),
    Rgb(0xc7_92_36),
    Rgb(0x6a_46_62),
    Rgb(0x3b_3f_4a),
    Rgb(0x2f_74_76),
    Rgb(0x8b_3f_44),
    Rgb(0x7d_90_ac),
    Rgb(0xd9_8c_7a),
    Rgb(0x56_5b_3c),
];

/// Ink: eyes, frames.
pub(super) const INK: Rgb = Rgb(0x2a_22_2b);

/// Metal: frames, earrings.
pub(super) const GOLD: Rgb = Rgb(0xc9_9a_4a);

/// Teeth, shirts, the light in an eye.
pub(super) const WHITE: Rgb = Rgb(0xff_fa_f3);
