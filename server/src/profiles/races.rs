//! Answers that overtake each other, from a source that answers when a test says so.

use std::{collections::HashMap, sync::Arc};

use miniature_api::{Profile, Record, Revision, UserId};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    Answer, Profiles,
    source::{ProfileSource, Source, SourceError},
};
use crate::{
    limits::Limits,
    storage::{Database, Versioned},
};

/// A question, and where its answer goes.
type Question = (Vec<UserId>, oneshot::Sender<Vec<Versioned>>);

/// A source whose questions a test answers.
#[derive(Clone, Debug)]
pub(super) struct ByHand(mpsc::UnboundedSender<Question>);

impl ProfileSource for ByHand {
    async fn profiles(&self, users: &[UserId]) -> Result<HashMap<UserId, Versioned>, SourceError> {
        let (answer, answered) = oneshot::channel();
        self.0.send((users.to_vec(), answer)).map_err(|_| SourceError::Lost)?;
        let found = answered.await.map_err(|_| SourceError::Lost)?;
        Ok(found.into_iter().map(|found| (found.user_id.clone(), found)).collect())
    }
}

struct Fixture {
    profiles: Profiles,
    questions: Mutex<mpsc::UnboundedReceiver<Question>>,
}

impl Fixture {
    async fn new() -> Self {
        let (ask, questions) = mpsc::unbounded_channel();
        let database = Database::in_memory().await.unwrap();
        let profiles = Profiles::new(database, None, &Limits::default());
        let profiles = Profiles { source: Source::ByHand(ByHand(ask)), ..profiles };
        Self { profiles, questions: Mutex::new(questions) }
    }

    fn get(&self) -> JoinHandle<Option<u64>> {
        let profiles = self.profiles.clone();
        tokio::spawn(async move { version(&profiles.get(&ada()).await.unwrap()) })
    }

    /// The next question, once it is asked.
    async fn asked(&self) -> oneshot::Sender<Vec<Versioned>> {
        let (users, answer) = self.questions.lock().await.recv().await.unwrap();
        assert_eq!(users, [ada()]);
        answer
    }

    async fn answer(&self, version: u64) {
        self.asked().await.send(vec![copy(version)]).unwrap();
    }

    /// What memory answers; nobody is asked.
    async fn held(&self) -> Option<u64> {
        let held = self.get().await.unwrap();
        assert!(self.questions.lock().await.try_recv().is_err(), "memory did not know");
        held
    }
}

fn ada() -> UserId {
    "ada".parse().unwrap()
}

fn copy(version: u64) -> Versioned {
    let picture = Record { user_id: ada(), revision: Revision(0), image_id: None, thumbhash: None };
    let (name, headline) = (format!("Ada {version}"), String::new());
    let profile = Profile { user_id: ada(), name, headline, friend_count: 0, picture };
    Versioned { version, profile }
}

fn version(answer: &Answer) -> Option<u64> {
    answer.as_ref().map(|profile| profile.version)
}

#[tokio::test]
async fn of_two_copies_the_newer_is_kept_in_whatever_order_they_come() {
    let t = Fixture::new().await;
    let cases = [
        ("the first", Some(2), Some(2)),
        ("an older one", Some(1), Some(2)),
        ("nobody", None, Some(2)),
        ("the same", Some(2), Some(2)),
        ("a newer one", Some(3), Some(3)),
    ];
    for (name, comes, stays) in cases {
        let kept = t.profiles.keep(&ada(), comes.map(|version| Arc::new(copy(version)))).await;
        assert_eq!((version(&kept), t.held().await), (stays, stays), "{name}");
    }
}

#[tokio::test]
async fn a_question_that_was_under_way_during_a_change_brings_nothing_old_back() {
    let t = Fixture::new().await;
    for change in ["refresh", "relearn", "take up"] {
        t.profiles.forget_all();
        let user = ada();
        let reader = t.get();
        let asked_before = t.asked().await;

        match change {
            "refresh" => {
                let (refreshed, ()) = tokio::join!(t.profiles.refresh(&user), t.answer(2));
                assert_eq!(version(&refreshed.unwrap()), Some(2));
            }
            "relearn" => {
                let changed = HashMap::from([(ada(), Some(2))]);
                let (relearned, ()) = tokio::join!(t.profiles.relearn(changed), t.answer(2));
                relearned.unwrap();
            }
            _ => drop(t.profiles.take_up(copy(2)).await.unwrap()),
        }
        asked_before.send(vec![copy(1)]).unwrap();

        assert_eq!(reader.await.unwrap(), Some(2), "{change}: the reader is told what is so now");
        assert_eq!(t.held().await, Some(2), "{change}");
    }
}

#[tokio::test]
async fn whoever_leaves_while_a_question_is_under_way_takes_the_answer_from_nobody() {
    let t = Fixture::new().await;
    let first = t.get();
    let asked = t.asked().await;
    let second = t.get();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());

    asked.send(vec![copy(1)]).unwrap();

    assert_eq!(second.await.unwrap(), Some(1));
    assert_eq!(t.held().await, Some(1), "and one question was asked");
}

#[tokio::test]
async fn a_question_for_which_nobody_waits_any_more_is_answered_all_the_same() {
    let t = Fixture::new().await;
    let only = t.get();
    let asked = t.asked().await;
    only.abort();
    assert!(only.await.unwrap_err().is_cancelled());

    let later = t.get();
    asked.send(vec![copy(1)]).unwrap();

    assert_eq!(later.await.unwrap(), Some(1));
    assert_eq!(t.held().await, Some(1), "and one question was asked");
}
