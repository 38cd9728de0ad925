//! The scenarios and what they measure.

use clap::ValueEnum;
use miniature_e2e::engine::Engine;
use serde::Serialize;

/// A way to the friend list or a profile. Scenarios run in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// The first visit: signed in, nothing stored.
    Cold,
    /// The page is reloaded.
    Reload,
    /// The list is left for another page of the app and entered again.
    List,
    /// A profile is opened by a click without a hover.
    Modal,
    /// The browser is restarted with the same profile.
    Restart,
    /// The page is reloaded with the network gone.
    Offline,
    /// The page is reloaded with its clock 24 hours ahead. What a page of plain images has in the HTTP
    /// cache is past its lifetime then.
    NextDay,
}

impl Scenario {
    /// Whether it can be had in this browser.
    ///
    /// Others forget everything when they end. And without a network they do not get the stopwatch, which
    /// only Chromium brings along.
    pub(crate) fn is_possible_in(self, engine: Engine) -> bool {
        match self {
            Self::Restart | Self::Offline => engine == Engine::Chromium,
            Self::Cold | Self::Reload | Self::List | Self::Modal | Self::NextDay => true,
        }
    }
}

/// A time under comparison: a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measure {
    /// From the start of navigation.
    Cold,
    /// From the start of navigation.
    Reload,
    /// From the first click on the list's link in a document.
    ListFirst,
    /// From a later click on it.
    ListLater,
    /// From the first click on a row until its picture is in the modal.
    ModalFirst,
    /// From the first click on a row until its picture in the modal is sharp.
    ModalFirstSharp,
    /// The same for a later click on that row.
    ModalLater,
    /// The same for a later click on that row.
    ModalLaterSharp,
    /// From the start of navigation.
    Restart,
    /// From the start of navigation.
    Offline,
    /// From the start of navigation.
    NextDay,
}

impl Measure {
    /// The row's label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Reload => "reload",
            Self::ListFirst => "list, first time",
            Self::ListLater => "list, later",
            Self::ModalFirst => "modal, first time",
            Self::ModalFirstSharp => "modal, first, sharp",
            Self::ModalLater => "modal, later",
            Self::ModalLaterSharp => "modal, later, sharp",
            Self::Restart => "restart",
            Self::Offline => "offline",
            Self::NextDay => "next day",
        }
    }

    /// The scenario that reports it. Others may measure it too.
    pub(crate) fn scenario(self) -> Scenario {
        match self {
            Self::Cold => Scenario::Cold,
            Self::Reload => Scenario::Reload,
            Self::ListFirst | Self::ListLater => Scenario::List,
            Self::ModalFirst | Self::ModalFirstSharp => Scenario::Modal,
            Self::ModalLater | Self::ModalLaterSharp => Scenario::Modal,
            Self::Restart => Scenario::Restart,
            Self::Offline => Scenario::Offline,
            Self::NextDay => Scenario::NextDay,
        }
    }
}

/// What a scenario came to on one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// All pictures were painted.
    Painted(Sample),
    /// They were not, as the page cannot do it.
    Fails(Measure),
}

impl Outcome {
    pub(crate) fn measure(self) -> Measure {
        match self {
            Self::Painted(sample) => sample.measure,
            Self::Fails(measure) => measure,
        }
    }
}

/// One measure of one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) measure: Measure,
    /// Time until all pictures are painted, in milliseconds.
    pub(crate) ms: f64,
    /// Animation frames in which a row in view, or the modal, had no picture.
    pub(crate) gap_frames: u32,
    /// Requests under `/api/` and `/images/`, until the network was quiet.
    pub(crate) requests: usize,
    /// The weight of their responses, in bytes.
    pub(crate) bytes: usize,
}

impl Sample {
    /// The median by time, with the most gap frames of any; none if the measure has no sample.
    pub(crate) fn median(outcomes: &[Outcome], measure: Measure) -> Option<Self> {
        let of_measure = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Painted(sample) if sample.measure == measure => Some(*sample),
            Outcome::Painted(_) | Outcome::Fails(_) => None,
        });
        let mut sorted: Vec<_> = of_measure.collect();
        sorted.sort_by(|a, b| a.ms.total_cmp(&b.ms));
        let gap_frames = sorted.iter().map(|sample| sample.gap_frames).max()?;
        let median = *sorted.get(sorted.len() / 2)?;
        Some(Self { gap_frames, ..median })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_counts_its_median_and_its_worst_gap() {
        let sample =
            |measure, ms, gap_frames| Sample { measure, ms, gap_frames, requests: 0, bytes: 0 };
        let samples = [
            sample(Measure::Reload, 300.0, 0),
            sample(Measure::Cold, 900.0, 9),
            sample(Measure::Reload, 100.0, 2),
            sample(Measure::Reload, 200.0, 1),
        ]
        .map(Outcome::Painted);

        let median = Sample::median(&samples, Measure::Reload);

        assert_eq!(median, Some(sample(Measure::Reload, 200.0, 2)));
        assert_eq!(Sample::median(&samples, Measure::NextDay), None);
    }
}
