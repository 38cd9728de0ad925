//! What was recorded, told again.

use std::time::Duration;

use super::*;
use crate::cache::{
    clock::{Now, Timestamp},
    core::{Answer, EffectId, Event, Fetched, Refusal, Start},
    entry::Found,
    key::{Source, Wanted},
    layer::{LayerError, OriginError},
    policy::Policy,
};
use miniature_api::{Size, UserId};

fn at(ms: u64) -> Now {
    Now { running: Duration::from_millis(ms), wall: Timestamp(1_700_000_000_000 + ms) }
}

fn ada() -> UserId {
    "ada".parse().unwrap()
}

/// A core, and the tape on which all is noted that it is told.
struct Taped {
    core: Core<Hollow>,
    tape: Tape,
}

impl Taped {
    fn new(length: usize) -> Self {
        let (policy, seed) = (Policy::default(), u64::MAX - 6);
        let core = Core::new(policy.clone(), seed, true, at(5));
        Self { core, tape: Tape::new(policy, seed, true, at(5), length) }
    }

    fn open(&mut self, ms: u64, user: UserId) {
        let wanted = Wanted { user, size: Size::S64 };
        let found: Option<Result<Found<Hollow>, LayerError>> = Some(Ok(Found::default()));
        self.tape.note(at(ms), || Call::Open(wanted.clone(), found.clone()));
        let _ = self.core.open(wanted, found, at(ms));
    }

    /// Returns the ids of what is to be read and fetched then.
    fn tell(&mut self, ms: u64, event: Event<Hollow>) -> Vec<EffectId> {
        self.tape.note(at(ms), || Call::Event(Box::new(event.clone())));
        self.core.handle(event, at(ms));
        let mut asked = Vec::new();
        loop {
            self.tape.note(at(ms), || Call::Poll);
            match self.core.poll(at(ms)) {
                Some(Effect::Read { id, .. } | Effect::Fetch { id, .. }) => asked.push(id),
                Some(_) => {}
                None => return asked,
            }
        }
    }
}

/// Ada's own picture is asked for, and cannot be had.
fn tape(length: usize) -> Tape {
    let start = Start {
        account: ada(),
        lineage: None,
        believe_from: Timestamp(0),
        friends: None,
        feed: None,
        live: None,
        has_picture_cache: false,
    };
    let mut taped = Taped::new(length);
    taped.tell(6, Event::Session(Some(Box::new(start))));
    taped.open(7, ada());
    let read = taped.tell(8, Event::Painted)[0];
    let answer = Answer::Read(Ok(vec![Found::default()]));
    let fetch = taped.tell(9, Event::Answer(read, answer))[0];
    let fetched = Fetched {
        lineage: None,
        account: None,
        asked: None,
        event: None,
        outcome: Err(Refusal::from(OriginError::Unreachable)),
    };
    taped.tell(20, Event::Answer(fetch, Answer::Fetched(fetched)));
    taped.tape
}

#[test]
fn a_recording_is_read_as_it_was_written_and_told_again_counts_the_same() {
    let tape = tape(usize::MAX);
    let recording = tape.recording();
    let text = serde_json::to_string(recording).unwrap();
    let read: Recording = serde_json::from_str(&text).unwrap();
    assert_eq!(read, *recording);
    let counted = counts(&read);
    assert_eq!((counted.total_requests, counted.api_requests), (1, 1), "{counted:?}");
    assert_eq!(counted.layers[Source::Network].errors, 1);
    assert_eq!(verify(&read, &counted), Vec::<String>::new());
}

#[test]
fn what_differs_is_named() {
    let tape = tape(usize::MAX);
    let mut counted = counts(tape.recording());
    counted.api_requests += 1;
    let differs = verify(tape.recording(), &counted);
    assert_eq!(differs, ["api_requests: 2 recorded, 1 replayed"]);
}

#[test]
fn a_tape_that_is_full_is_cut_at_its_end() {
    let whole = tape(usize::MAX);
    let cut = tape(4);
    assert!(cut.recording().is_cut && !whole.recording().is_cut);
    assert_eq!(cut.recording().calls, whole.recording().calls[..4]);
}
