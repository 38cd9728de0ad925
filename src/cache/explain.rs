//! A load in words, a sentence for each layer.

use super::{
    event::{Answer, Load, Outcome, Step},
    figure::Figure,
    key::Source,
};

/// What each layer said on the way, and what came of it.
pub fn explain(load: &Load) -> Vec<String> {
    let mut sentences: Vec<String> = load.path.iter().map(|asked| step(load, asked)).collect();
    sentences.push(outcome(load));
    sentences
}

fn step(load: &Load, step: &Step) -> String {
    let (layer, took) = (step.layer.label(), Figure::Millis(step.took_ms));
    match step.answer {
        // With the list come its pictures: they are in memory before anybody looks at them.
        Answer::Hit
            if load.outcome == Outcome::Shown(Source::Network) && step.layer == Source::Memory =>
        {
            "Memory had the answer: a request before, as for the list, had brought it.".to_owned()
        }
        Answer::Hit => format!("{layer} had the answer after {took}."),
        Answer::Stale => format!(
            "{layer} had the answer after {took}, past its lifetime: it was shown, and asked about again."
        ),
        Answer::Absent => {
            let user = &load.user;
            // This one is asked for what is as large as wanted.
            let large = match step.layer {
                Source::ServiceWorker => format!(" as large as {} px", load.size.px()),
                _ => String::new(),
            };
            format!("{layer} held no picture of {user}{large}; it said so after {took}.")
        }
        Answer::OtherRevision => {
            format!(
                "{layer} held another picture of {}, not the one that is current; it said so after {took}.",
                load.user
            )
        }
        Answer::TooSmall => {
            format!(
                "{layer} held the picture, but smaller than {} px; it said so after {took}.",
                load.size.px()
            )
        }
        Answer::Denied => format!("The browser denies {layer}."),
        Answer::TimedOut => format!("{layer} did not answer within {took}."),
        Answer::Failed => format!("{layer} failed, or was left alone after failures."),
    }
}

fn outcome(load: &Load) -> String {
    let (user, took) = (&load.user, Figure::Millis(load.took_ms));
    match load.outcome {
        Outcome::Shown(source) => format!(
            "The picture of {user} at {} px came from {} after {took}, {}.",
            load.size.px(),
            place(source),
            Figure::Bytes(load.bytes),
        ),
        Outcome::Negative(source) => {
            format!("{user} has no picture, as {} said after {took}.", place(source))
        }
        Outcome::Failed => format!("No layer had a picture of {user}; given up after {took}."),
    }
}

fn place(source: Source) -> &'static str {
    match source {
        Source::Memory => "memory",
        Source::LocalStorage => "LocalStorage",
        Source::IndexedDb => "IndexedDB",
        Source::ServiceWorker => "the service worker",
        Source::Network => "the network",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniature_api::Size;

    fn load(outcome: Outcome, path: Vec<Step>) -> Load {
        let user = "ada".parse().unwrap();
        Load { user, size: Size::S64, outcome, asked_ms: 0.0, took_ms: 12.0, bytes: 900, path }
    }

    #[test]
    fn each_layer_that_was_asked_has_its_sentence() {
        let step = |layer, answer, took_ms| Step { layer, answer, took_ms };
        let path = vec![
            step(Source::Memory, Answer::Absent, 0.0),
            step(Source::LocalStorage, Answer::TooSmall, 0.0),
            step(Source::IndexedDb, Answer::Stale, 11.0),
        ];
        assert_eq!(
            explain(&load(Outcome::Shown(Source::IndexedDb), path)),
            [
                "Memory held no picture of ada; it said so after <0.1 ms.",
                "LocalStorage held the picture, but smaller than 64 px; it said so after <0.1 ms.",
                "IndexedDB had the answer after 11 ms, past its lifetime: it was shown, and asked about again.",
                "The picture of ada at 64 px came from IndexedDB after 12 ms, 900 B.",
            ]
        );
    }

    #[test]
    fn a_picture_that_came_with_the_list_came_from_the_network() {
        let path = vec![Step { layer: Source::Memory, answer: Answer::Hit, took_ms: 0.0 }];
        let told = explain(&load(Outcome::Shown(Source::Network), path));
        assert_eq!(
            told[0],
            "Memory had the answer: a request before, as for the list, had brought it."
        );
        assert!(told[1].contains("came from the network after 12 ms"), "{told:?}");
    }

    #[test]
    fn a_load_without_a_picture_says_who_said_so() {
        let cases = [
            (
                Outcome::Negative(Source::Network),
                "ada has no picture, as the network said after 12 ms.",
            ),
            (Outcome::Failed, "No layer had a picture of ada; given up after 12 ms."),
        ];
        for (outcome, expected) in cases {
            assert_eq!(explain(&load(outcome, Vec::new())), [expected]);
        }
    }
}
