//! The ratio of two medians and its confidence interval.

use serde::Serialize;

/// Number of bootstrap resamples.
const RESAMPLES: usize = 10_000;
/// Resamples beyond each end of the 95 % interval.
const TAIL: usize = RESAMPLES * 25 / 1_000;
/// Fixed, so that equal samples give equal intervals.
const SEED: u64 = 0x6d69_6e69_6174_7572;

/// A ratio of medians with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// The median of ours, divided by the other median.
    pub(crate) estimate: f64,
    /// The lower end of the interval.
    pub(crate) low: f64,
    /// The upper end of the interval.
    pub(crate) high: f64,
}

impl Ratio {
    /// Compares paired samples, one pair `(ours, against)` per round.
    ///
    /// The interval is the percentile bootstrap. It resamples whole rounds, so noise that hits both sides
    /// of a round mostly cancels.
    ///
    /// # Panics
    ///
    /// If `rounds` is empty.
    pub(crate) fn of(rounds: &[(f64, f64)]) -> Self {
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut draw = || rounds[random.usize(..rounds.len())];
        let mut ratios: Vec<f64> = (0..RESAMPLES)
            .map(|_| ratio_of_medians(&rounds.iter().map(|_| draw()).collect::<Vec<_>>()))
            .collect();
        ratios.sort_by(f64::total_cmp);
        Self {
            estimate: ratio_of_medians(rounds),
            low: ratios[TAIL],
            high: ratios[RESAMPLES - 1 - TAIL],
        }
    }

    /// Whether the whole interval is above the bar.
    pub(crate) fn misses(self, bar: f64) -> bool {
        self.low > bar
    }
}

fn ratio_of_medians(rounds: &[(f64, f64)]) -> f64 {
    let (ours, against): (Vec<_>, Vec<_>) = rounds.iter().copied().unzip();
    median(&ours) / median(&against)
}

/// The middle figure, or the mean of the middle two.
///
/// # Panics
///
/// If `figures` is empty.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const BAR: f64 = 1.03;

    fn is_near(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 1e-9
    }

    #[test]
    fn the_median_is_the_middle_one() {
        let cases: [(&[f64], f64); 4] = [
            // figures, median
            (&[4.0], 4.0),
            (&[9.0, 1.0, 2.0], 2.0),
            (&[9.0, 1.0], 5.0),
            (&[1.0, 2.0, 3.0, 400.0], 2.5),
        ];
        for (figures, expected) in cases {
            assert!(is_near(median(figures), expected), "{figures:?}");
        }
    }

    #[test]
    fn a_ratio_is_missed_if_its_whole_interval_is_above_the_bar() {
        // Deviations from 150 ms, in ms, as on a busy machine.
        let noise =
            [0.0, 9.0, -6.0, 31.0, 2.0, -4.0, 17.0, -11.0, 5.0, 1.0, 12.0, -2.0, 60.0, 3.0, -8.0];
        let cases = [
            // name, what ours adds to 150 ms, missed
            ("100 ms slower", 100.0, true),
            ("a frame slower", 16.7, true),
            ("as fast", 0.0, false),
            ("a frame faster", -16.7, false),
        ];
        for (name, added, missed) in cases {
            let against = noise.iter().map(|noise| 150.0 + noise);
            let ours = noise.iter().rev().map(|noise| 150.0 + added + noise);
            let ratio = Ratio::of(&ours.zip(against).collect::<Vec<_>>());
            assert_eq!(ratio.misses(BAR), missed, "{name}: {ratio:?}");
        }
    }

    #[test]
    fn few_and_wide_samples_miss_nothing() {
        let ratio = Ratio::of(&[(150.0, 100.0), (90.0, 120.0), (160.0, 130.0)]);

        assert!(ratio.estimate > BAR && !ratio.misses(BAR), "{ratio:?}");
    }

    fn milliseconds() -> impl Strategy<Value = f64> {
        10.0..2_000.0
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn identical_samples_give_an_interval_around_1(samples in vec(milliseconds(), 1..20)) {
            let ratio = Ratio::of(&samples.iter().map(|&ms| (ms, ms)).collect::<Vec<_>>());

            prop_assert!(ratio.low <= 1.0 && 1.0 <= ratio.high, "{ratio:?}");
            prop_assert!(!ratio.misses(BAR));
        }

        #[test]
        fn a_factor_between_the_sides_is_the_ratio(
            samples in vec(milliseconds(), 1..20),
            factor in 0.1..10.0,
        ) {
            let ratio = Ratio::of(&samples.iter().map(|&ms| (ms * factor, ms)).collect::<Vec<_>>());

            for end in [ratio.low, ratio.estimate, ratio.high] {
                prop_assert!(is_near(end, factor), "{ratio:?}");
            }
        }

        #[test]
        fn swapped_sides_give_the_inverse(rounds in vec((milliseconds(), milliseconds()), 1..20)) {
            let ratio = Ratio::of(&rounds);
            let swapped = Ratio::of(&rounds.iter().map(|&(a, b)| (b, a)).collect::<Vec<_>>());

            prop_assert!(is_near(ratio.estimate, 1.0 / swapped.estimate));
            prop_assert!(is_near(ratio.low, 1.0 / swapped.high));
            prop_assert!(is_near(ratio.high, 1.0 / swapped.low));
        }
    }
}
