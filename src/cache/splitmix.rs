//! Random numbers, the same again for the same seed.
//!
//! # Source
//!
//! SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.

/// What is added to a seed for each number of its sequence.
pub(super) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The number of a seed.
pub(super) fn mix(seed: u64) -> u64 {
    let z = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
