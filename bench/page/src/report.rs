//! The comparison as a table and as JSON.

use crate::{
    ratio::{Ratio, median},
    scenario::{Measure, Sample},
};
use clap::ValueEnum;
use serde::Serialize;
use std::fmt;

/// Fewest rounds for a verdict. With fewer, equal sides would often differ in every round.
pub(crate) const FEWEST_ROUNDS: usize = 6;

/// Paired samples of all measures, one pair `[ours, against]` per round and measure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<[Sample; 2]>);

/// All comparisons, and the bar for their ratios.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    rounds: usize,
    bar: f64,
    measures: Vec<Comparison>,
}

/// One measure, both sides.
#[derive(Clone, Debug, Serialize)]
struct Comparison {
    measure: Measure,
    ours: Summary,
    against: Summary,
    ratio: Ratio,
    missed: bool,
}

/// One measure, one side, all rounds.
#[derive(Clone, Debug, Serialize)]
struct Summary {
    median_ms: f64,
    gap_frames_median: f64,
    gap_frames_max: f64,
    requests_median: f64,
    bytes_median: f64,
    /// In round order.
    ms: Vec<f64>,
}

impl Samples {
    /// Adds one round: the median of each measure.
    pub(crate) fn add(&mut self, ours: &[Sample], against: &[Sample]) {
        let pairs = Measure::value_variants().iter().filter_map(|&measure| {
            Some([Sample::median(ours, measure)?, Sample::median(against, measure)?])
        });
        self.0.extend(pairs);
    }
}

impl Report {
    /// Compares every measure that has samples.
    pub(crate) fn new(samples: &Samples, bar: f64) -> Self {
        let of = |measure: &Measure| -> Vec<[Sample; 2]> {
            samples.0.iter().filter(|[ours, _]| ours.measure == *measure).copied().collect()
        };
        let rounds: Vec<_> = Measure::value_variants().iter().map(of).collect();
        let measured = rounds.iter().filter(|rounds| !rounds.is_empty());
        Self {
            rounds: measured.clone().map(Vec::len).max().unwrap_or_default(),
            bar,
            measures: measured.map(|rounds| Comparison::new(rounds, bar)).collect(),
        }
    }

    /// Number of missed ratios.
    pub(crate) fn missed(&self) -> usize {
        self.measures.iter().filter(|comparison| comparison.missed).count()
    }
}

impl Comparison {
    fn new(rounds: &[[Sample; 2]], bar: f64) -> Self {
        let times: Vec<_> = rounds.iter().map(|[ours, against]| (ours.ms, against.ms)).collect();
        let ratio = Ratio::of(&times);
        Self {
            measure: rounds[0][0].measure,
            ours: Summary::new(rounds.iter().map(|[ours, _]| ours)),
            against: Summary::new(rounds.iter().map(|[_, against]| against)),
            ratio,
            missed: rounds.len() >= FEWEST_ROUNDS && ratio.misses(bar),
        }
    }
}

impl Summary {
    fn new<'a>(samples: impl Iterator<Item = &'a Sample> + Clone) -> Self {
        let each = |figure: fn(&Sample) -> f64| samples.clone().map(figure).collect::<Vec<_>>();
        let gaps = each(|sample| f64::from(sample.gap_frames));
        let ms = each(|sample| sample.ms);
        Self {
            median_ms: median(&ms),
            gap_frames_median: median(&gaps),
            gap_frames_max: gaps.iter().copied().fold(0.0, f64::max),
            requests_median: median(&each(|sample| count(sample.requests))),
            bytes_median: median(&each(|sample| count(sample.bytes))),
            ms,
        }
    }

    fn gaps(&self) -> String {
        format!("{} (max {})", self.gap_frames_median, self.gap_frames_max)
    }
}

/// The count as a figure.
pub(crate) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// At most 120 columns.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            ["", "ours", "against", "", "", "frames with", "", "", "", ""],
            ["median", "ms", "ms", "ratio", "95 %", "gaps, ours", "against", "requests", "kB", ""],
        ];
        let head = head.map(|line| line.map(str::to_owned));
        for cells in head.into_iter().chain(self.measures.iter().map(Comparison::cells)) {
            let [name, ours, against, ratio, interval, gaps, gaps_against, requests, kb, verdict] =
                cells;
            let line = format!(
                "{name:<20} {ours:>7} {against:>7} {ratio:>6} {interval:>15} {gaps:>13} \
                 {gaps_against:>13} {requests:>9} {kb:>15} {verdict}"
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Comparison {
    fn cells(&self) -> [String; 10] {
        let Self { measure, ours, against, ratio, missed } = self;
        [
            measure.name().to_owned(),
            format!("{:.1}", ours.median_ms),
            format!("{:.1}", against.median_ms),
            format!("{:.3}", ratio.estimate),
            format!("{:.3} to {:.3}", ratio.low, ratio.high),
            ours.gaps(),
            against.gaps(),
            format!("{} / {}", ours.requests_median, against.requests_median),
            format!("{:.1} / {:.1}", ours.bytes_median / 1e3, against.bytes_median / 1e3),
            if *missed { "MISSED" } else { "" }.to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Sample =
        Sample { measure: Measure::Reload, ms: 150.0, gap_frames: 0, requests: 1, bytes: 161_234 };

    fn report(added_ms: f64) -> Report {
        let mut samples = Samples::default();
        for jitter in [0.0, 4.0, -3.0, 7.0, 1.0, -2.0] {
            let against = Sample { ms: SAMPLE.ms + jitter, ..SAMPLE };
            samples.add(&[Sample { ms: against.ms + added_ms, ..against }], &[against]);
        }
        Report::new(&samples, 1.03)
    }

    #[test]
    fn a_slower_side_is_missed_and_an_equal_one_is_not() {
        assert_eq!(report(100.0).missed(), 1);
        assert!(report(100.0).to_string().ends_with("MISSED\n"));
        assert_eq!(report(0.0).missed(), 0);
    }

    #[test]
    fn few_rounds_miss_nothing() {
        let mut samples = Samples::default();
        for _ in 1..FEWEST_ROUNDS {
            samples.add(&[Sample { ms: 2.0 * SAMPLE.ms, ..SAMPLE }], &[SAMPLE]);
        }

        assert_eq!(Report::new(&samples, 1.03).missed(), 0);
    }

    #[test]
    fn only_what_was_measured_is_reported() {
        let report = report(0.0);

        assert_eq!((report.rounds, report.measures.len()), (FEWEST_ROUNDS, 1));
        assert_eq!(report.measures[0].measure, Measure::Reload);
    }

    #[test]
    fn the_table_fits_120_columns() {
        let mut samples = Samples::default();
        let widest = Sample {
            measure: Measure::ModalLaterSharp,
            ms: 12_345.6,
            gap_frames: 120,
            requests: 120,
            bytes: 1_234_567,
        };
        for _ in 0..FEWEST_ROUNDS {
            samples.add(&[widest], &[widest]);
        }

        let table = Report::new(&samples, 0.5).to_string();

        for line in table.lines() {
            assert!(line.len() <= 120, "{} columns: {line}", line.len());
        }
    }
}
