//! All opponents in one table.

use crate::{
    report::{Comparison, Report},
    scenario::Measure,
};
use clap::ValueEnum;
use std::fmt;

/// Medians of all sides, and beside each opponent's the ratio of ours to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overview<'a>(pub(crate) &'a [Report]);

/// At most 120 columns with three opponents.
impl fmt::Display for Overview<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = self.0.iter().map(|report| cells(&report.against, "ratio", "95 %"));
        writeln!(f, "{:<20} {:>7}{}", "median, ms", "ours", heads.collect::<String>())?;
        for measure in Measure::value_variants() {
            let comparisons = self.0.iter().map(|report| report.of(*measure)).collect::<Vec<_>>();
            let Some(ours) = comparisons.iter().flatten().next() else { continue };
            let others = comparisons.iter().map(|comparison| beside(*comparison));
            let line = format!(
                "{:<20} {:>7}{}",
                measure.name(),
                ours.ours.ms(),
                others.collect::<String>()
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn beside(comparison: Option<&Comparison>) -> String {
    let Some(Comparison { against, ratio, .. }) = comparison else { return cells("-", "", "") };
    let estimate = ratio.map(|ratio| format!("{:.2}", ratio.estimate)).unwrap_or_default();
    let interval = ratio.map(|ratio| format!("{:.2} to {:.2}", ratio.low, ratio.high));
    cells(&against.ms(), &estimate, &interval.unwrap_or_default())
}

fn cells(ms: &str, ratio: &str, interval: &str) -> String {
    format!(" {ms:>10} {ratio:>5} {interval:>12}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::tests::rounds,
        scenario::{Outcome, Sample},
    };

    #[test]
    fn each_opponent_has_its_median_and_the_ratio_to_it() {
        let sample = |ms| {
            let measure = Measure::Offline;
            Outcome::Painted(Sample { measure, ms, gap_frames: 0, requests: 0, bytes: 0 })
        };
        let reports = [
            ("workbox", rounds(3, sample(50.0), sample(100.0))),
            ("plain", rounds(3, sample(50.0), Outcome::Fails(Measure::Offline))),
        ]
        .map(|(name, samples)| Report::new(&samples, 1, name, 1.03));

        let table = Overview(&reports).to_string();

        let lines: Vec<Vec<_>> =
            table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines.len(), 2, "{table}");
        assert_eq!(lines[1], ["offline", "50.0", "100.0", "0.50", "0.50", "to", "0.50", "fails"]);
    }
}
