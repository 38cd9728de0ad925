//! What was measured, beside what was asked for.

use std::fmt::{self, Display};

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// What came out, with its unit.
    pub measured: String,
    /// What was asked for.
    pub bar: String,
    /// Whether it is met; none where something is only to be shown.
    pub met: Option<bool>,
}

impl Row {
    /// A figure that a bar is set for.
    pub fn held(what: impl Display, measured: impl Display, bar: impl Display, met: bool) -> Self {
        Self { met: Some(met), ..Self::shown(what, measured, bar) }
    }

    /// A figure to be seen beside another.
    pub fn shown(what: impl Display, measured: impl Display, beside: impl Display) -> Self {
        Self {
            what: what.to_string(),
            measured: measured.to_string(),
            bar: beside.to_string(),
            met: None,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "",
        }
    }
}

/// Every line, as a table in Markdown.
#[derive(Clone, Debug, Default)]
pub struct Report(pub Vec<Row>);

impl Report {
    /// Whether every bar is met.
    pub fn is_met(&self) -> bool {
        self.0.iter().all(|row| row.met != Some(false))
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | measured | bar | |\n| --- | --- | --- | --- |")?;
        for row in &self.0 {
            writeln!(f, "| {} | {} | {} | {} |", row.what, row.measured, row.bar, row.verdict())?;
        }
        Ok(())
    }
}

/// The middle one; of an even number the upper of the two.
///
/// # Panics
///
/// If there are none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_missed_bar_is_a_missed_report() {
        let met = Row::held("speed", 2, 1, true);
        let shown = Row::shown("rate", "9 %", "10 %");
        let mut report = Report(vec![met, shown]);
        assert!(report.is_met());

        report.0.push(Row::held("memory", 9, 1, false));

        assert!(!report.is_met());
        assert!(report.to_string().ends_with("| memory | 9 | 1 | NOT MET |\n"));
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0]) - 4.0).abs() < f64::EPSILON);
    }
}
