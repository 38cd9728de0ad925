//! The comparison with one opponent as a table and as JSON.

use crate::{
    ratio::{Ratio, median},
    scenario::{Measure, Outcome, Sample},
};
use clap::ValueEnum;
use serde::Serialize;
use std::fmt;

/// Fewest rounds for a verdict. With fewer, equal sides would often differ in every round.
pub(crate) const FEWEST_ROUNDS: usize = 6;

/// What came of each round, side by side, ours first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Vec<Vec<Outcome>>>);

/// All comparisons with one opponent, and the bar for their ratios.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) against: String,
    rounds: usize,
    bar: f64,
    measures: Vec<Comparison>,
}

/// One measure, both sides.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) measure: Measure,
    pub(crate) ours: Figure,
    pub(crate) against: Figure,
    /// None if a side has no times.
    pub(crate) ratio: Option<Ratio>,
    missed: bool,
}

/// One measure, one side, all rounds.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Figure {
    Times(Summary),
    /// The page cannot do it: in at least one round it did not.
    Fails,
    /// Not to be had on this side.
    None,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    median_ms: f64,
    gap_frames_median: f64,
    gap_frames_max: f64,
    requests_median: f64,
    bytes_median: f64,
    /// In round order.
    ms: Vec<f64>,
}

impl Samples {
    /// Adds one round: what came of it on each side, ours first.
    pub(crate) fn add(&mut self, round: Vec<Vec<Outcome>>) {
        self.0.push(round);
    }
}

impl Report {
    /// Compares ours with the side at this index in every measure that has an outcome.
    pub(crate) fn new(samples: &Samples, side: usize, against: &str, bar: f64) -> Self {
        let rounds: Vec<_> = samples.0.iter().map(|round| [&*round[0], &*round[side]]).collect();
        let measures = Measure::value_variants().iter();
        Self {
            against: against.to_owned(),
            rounds: rounds.len(),
            bar,
            measures: measures.filter_map(|&of| Comparison::new(of, &rounds, bar)).collect(),
        }
    }

    pub(crate) fn of(&self, measure: Measure) -> Option<&Comparison> {
        self.measures.iter().find(|comparison| comparison.measure == measure)
    }

    /// Number of missed ratios.
    pub(crate) fn missed(&self) -> usize {
        self.measures.iter().filter(|comparison| comparison.missed).count()
    }
}

impl Comparison {
    /// None if neither side has an outcome.
    fn new(measure: Measure, rounds: &[[&[Outcome]; 2]], bar: f64) -> Option<Self> {
        let side = |index: usize| Figure::new(measure, rounds.iter().map(|round| round[index]));
        let (ours, against) = (side(0), side(1));
        let ratio = match (&ours, &against) {
            (Figure::Times(ours), Figure::Times(against)) => {
                let times = ours.ms.iter().copied().zip(against.ms.iter().copied());
                Some(Ratio::of(&times.collect::<Vec<_>>()))
            }
            (Figure::None, Figure::None) => return None,
            (Figure::Times(_) | Figure::Fails | Figure::None, _) => None,
        };
        let is_missed = |ratio: Ratio| rounds.len() >= FEWEST_ROUNDS && ratio.misses(bar);
        Some(Self { measure, ours, against, ratio, missed: ratio.is_some_and(is_missed) })
    }
}

impl Figure {
    /// The median of each round. Without a sample in each there are no times to pair.
    fn new<'a>(measure: Measure, rounds: impl Iterator<Item = &'a [Outcome]> + Clone) -> Self {
        let fails = |outcome: &Outcome| *outcome == Outcome::Fails(measure);
        if rounds.clone().flatten().any(fails) {
            return Self::Fails;
        }
        let medians: Option<Vec<_>> = rounds.map(|round| Sample::median(round, measure)).collect();
        medians
            .filter(|samples| !samples.is_empty())
            .map_or(Self::None, |samples| Self::Times(Summary::new(&samples)))
    }

    pub(crate) fn ms(&self) -> String {
        match self {
            Self::Times(summary) => format!("{:.1}", summary.median_ms),
            Self::Fails => "fails".to_owned(),
            Self::None => "-".to_owned(),
        }
    }

    /// A cell of the table; nothing where there are no times.
    fn cell(&self, of: impl Fn(&Summary) -> String) -> String {
        match self {
            Self::Times(summary) => of(summary),
            Self::Fails | Self::None => "-".to_owned(),
        }
    }
}

impl Summary {
    fn new(samples: &[Sample]) -> Self {
        let each = |figure: fn(&Sample) -> f64| samples.iter().map(figure).collect::<Vec<_>>();
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
        writeln!(f, "beside {}", self.against)?;
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
        let both = |of: fn(&Summary) -> String| format!("{} / {}", ours.cell(of), against.cell(of));
        let estimate = ratio.map(|ratio| format!("{:.3}", ratio.estimate));
        let interval = ratio.map(|ratio| format!("{:.3} to {:.3}", ratio.low, ratio.high));
        [
            measure.name().to_owned(),
            ours.ms(),
            against.ms(),
            estimate.unwrap_or_default(),
            interval.unwrap_or_default(),
            ours.cell(Summary::gaps),
            against.cell(Summary::gaps),
            both(|side| side.requests_median.to_string()),
            both(|side| format!("{:.1}", side.bytes_median / 1e3)),
            if *missed { "MISSED" } else { "" }.to_owned(),
        ]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const SAMPLE: Sample =
        Sample { measure: Measure::Reload, ms: 150.0, gap_frames: 0, requests: 1, bytes: 161_234 };

    /// Rounds of two sides: the same outcomes in each.
    pub(crate) fn rounds(number: usize, ours: Outcome, against: Outcome) -> Samples {
        Samples(vec![vec![vec![ours], vec![against]]; number])
    }

    fn slower(number: usize, added_ms: f64) -> Report {
        let ours = Sample { ms: SAMPLE.ms + added_ms, ..SAMPLE };
        let samples = rounds(number, Outcome::Painted(ours), Outcome::Painted(SAMPLE));
        Report::new(&samples, 1, "plain", 1.03)
    }

    #[test]
    fn a_slower_side_is_missed_and_an_equal_one_is_not() {
        assert_eq!(slower(FEWEST_ROUNDS, 100.0).missed(), 1);
        assert!(slower(FEWEST_ROUNDS, 100.0).to_string().ends_with("MISSED\n"));
        assert_eq!(slower(FEWEST_ROUNDS, 0.0).missed(), 0);
    }

    #[test]
    fn few_rounds_miss_nothing() {
        assert_eq!(slower(FEWEST_ROUNDS - 1, 100.0).missed(), 0);
    }

    #[test]
    fn only_what_was_measured_is_reported() {
        let report = slower(FEWEST_ROUNDS, 0.0);

        assert_eq!((report.rounds, report.measures.len()), (FEWEST_ROUNDS, 1));
        assert_eq!(report.measures[0].measure, Measure::Reload);
    }

    #[test]
    fn a_side_that_fails_once_fails_and_has_no_ratio() {
        let mut samples = rounds(
            FEWEST_ROUNDS,
            Outcome::Painted(SAMPLE),
            Outcome::Painted(Sample { ms: 1.0, ..SAMPLE }),
        );
        samples.add(vec![vec![Outcome::Painted(SAMPLE)], vec![Outcome::Fails(SAMPLE.measure)]]);

        let report = Report::new(&samples, 1, "plain", 1.03);

        let line = report.to_string().lines().last().unwrap().to_owned();
        assert!(line.contains("150.0   fails") && line.contains("1 / -"), "{line}");
        assert_eq!(report.missed(), 0);
    }

    #[test]
    fn what_one_side_lacks_is_a_dash() {
        let mut samples = Samples::default();
        samples.add(vec![vec![Outcome::Painted(SAMPLE)], Vec::new()]);

        let report = Report::new(&samples, 1, "plain", 1.03);

        assert_eq!(report.measures.len(), 1);
        assert_eq!((report.measures[0].against.ms(), report.measures[0].ratio), ("-".into(), None));
    }

    #[test]
    fn the_table_fits_120_columns() {
        let widest = Outcome::Painted(Sample {
            measure: Measure::ModalLaterSharp,
            ms: 12_345.6,
            gap_frames: 120,
            requests: 120,
            bytes: 1_234_567,
        });

        let samples = rounds(FEWEST_ROUNDS, widest, widest);
        let table = Report::new(&samples, 1, "plain", 0.5).to_string();

        for line in table.lines() {
            assert!(line.len() <= 120, "{} columns: {line}", line.len());
        }
    }
}
