//! Tells the clients of this instance what happens, each in its own time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use miniature_api::{Change, RESET_EVENT, UserId};
use tokio::sync::watch;

use super::{
    early::Early,
    log::{EventId, Log},
    subscribers::{Subscribers, Subscription},
};
use crate::storage::Message;

/// An event as clients read it, written once for all of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Where it stands in the log; none if it is told ahead of that.
    pub(super) id: Option<EventId>,
    /// Names the change, wherever and however often it is told.
    pub(super) message: String,
    /// To whom it happened; none if it is for everyone.
    pub(super) about: Option<UserId>,
    /// The event's name.
    pub(crate) name: &'static str,
    /// What it says, in one line.
    pub(crate) data: String,
}

impl Told {
    pub(super) fn new(id: Option<EventId>, message: &Message) -> Option<Arc<Self>> {
        let Message { id: message, change, .. } = message;
        let data = match change {
            Change::Picture(record) => serde_json::to_string(record),
            Change::Profile(profile) => serde_json::to_string(profile),
            Change::Post(post) => serde_json::to_string(post),
        };
        let about = Some(change.about().clone());
        let (message, name) = (message.clone(), change.event());
        Some(Arc::new(Self { id, message, about, name, data: data.ok()? }))
    }

    /// Data that is empty would not reach a page: browsers drop such events.
    pub(super) fn reset(id: EventId) -> Arc<Self> {
        let (message, data) = (String::new(), "{}".to_owned());
        Arc::new(Self { id: Some(id), message, about: None, name: RESET_EVENT, data })
    }

    pub(super) fn is_reset(&self) -> bool {
        self.about.is_none()
    }

    /// Whether it tells of this.
    pub(super) fn is(&self, message: &Message) -> bool {
        self.message == message.id
    }
}

/// What a client is to hear before what happens from now on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// What it has missed, or the one event that says that this cannot be told.
    pub(super) missed: Vec<Arc<Told>>,
    /// What it knows then.
    pub(super) up_to: EventId,
}

/// The last events, and everyone who listens here.
///
/// **Invariant:** the log has every event since its first, until a log that all instances share begins
/// anew: then everyone is reset. What is told ahead of it comes through it later.
#[derive(Debug)]
pub(super) struct Hub {
    past: Mutex<Past>,
    /// Told under the lock of the past, so in its order.
    subscribers: Subscribers,
    /// Whether this instance follows the others now.
    caught_up: watch::Sender<bool>,
}

#[derive(Debug)]
struct Past {
    log: Log<Arc<Told>>,
    early: Early,
}

impl Hub {
    /// A hub of one instance alone, which knows all that happens.
    pub(super) fn alone(log: Log<Arc<Told>>, subscribers: Subscribers) -> Self {
        let early = Early::new(log.limit());
        let caught_up = watch::Sender::new(true);
        Self { past: Mutex::new(Past { log, early }), subscribers, caught_up }
    }

    /// A hub of one instance of several, which knows nothing yet.
    pub(super) fn one_of_several(mut log: Log<Arc<Told>>, subscribers: Subscribers) -> Self {
        log.break_off();
        let hub = Self::alone(log, subscribers);
        hub.caught_up.send_replace(false);
        hub
    }

    /// Tells of something that happened now, in the only instance there is.
    pub(super) fn tell_now(&self, now_ms: u64, message: &Message) {
        let mut past = self.past();
        let id = past.log.next_id(now_ms);
        self.tell(&mut past.log, id, message);
    }

    /// Tells of something that all instances hear of under this id.
    pub(super) fn tell_shared(&self, id: EventId, message: &Message) {
        let mut past = self.past();
        past.early.remove(message);
        self.tell(&mut past.log, id, message);
    }

    fn tell(&self, log: &mut Log<Arc<Told>>, id: EventId, message: &Message) {
        if let Some(told) = Self::record(log, id, message) {
            self.subscribers.tell(told);
        }
    }

    /// Tells of something before the stream does: it is not known whether, and when, that will.
    pub(super) fn tell_early(&self, message: &Message) {
        let mut past = self.past();
        if is_in(&past.log, message) {
            return;
        }
        if let Some(told) = past.early.add(message) {
            self.subscribers.tell(told);
        }
    }

    /// Whether this was told, as all instances tell it.
    pub(super) fn has_told(&self, message: &Message) -> bool {
        is_in(&self.past().log, message)
    }

    /// The id of the last event.
    pub(super) fn newest(&self) -> String {
        self.past().log.newest().to_string()
    }

    /// Goes on with a log that all instances share, and resets everyone: that covers what was told early,
    /// too, which may be in this log, or have been lost.
    pub(super) fn restart(&self, shared: Log<Arc<Told>>) {
        let mut past = self.past();
        past.early = Early::new(shared.limit());
        past.log = shared;
        self.subscribers.tell(Told::reset(past.log.newest()));
    }

    /// This instance follows the others from now on, or does not.
    pub(super) fn follows(&self, follows: bool) {
        self.caught_up.send_replace(follows);
    }

    pub(super) fn is_caught_up(&self) -> bool {
        *self.caught_up.borrow()
    }

    /// Waits until this instance follows the others.
    pub(super) async fn caught_up(&self) {
        let mut caught_up = self.caught_up.subscribe();
        let _ = caught_up.wait_for(|caught_up| *caught_up).await;
    }

    /// Listens as a user from now on; `seen` is the id of the last event that the client knows of.
    pub(super) fn listen(&self, user: UserId, seen: Option<&str>) -> (Beginning, Subscription) {
        let past = self.past(); // nothing happens between the replay and what follows
        let up_to = past.log.newest();
        let missed = match seen.map(str::parse::<EventId>) {
            None => Vec::new(),
            Some(seen) => {
                let missed = seen.ok().and_then(|seen| past.since(seen));
                missed.unwrap_or_else(|| vec![Told::reset(up_to)])
            }
        };
        (Beginning { missed, up_to }, self.subscribers.join(user))
    }

    /// Adds a change to a log, and returns what is to be told of it: nothing if it is there already.
    pub(super) fn record(
        log: &mut Log<Arc<Told>>,
        id: EventId,
        message: &Message,
    ) -> Option<Arc<Told>> {
        if is_in(log, message) {
            log.pass(id);
            return None;
        }
        let told = Told::new(Some(id), message)?;
        log.push(id, Arc::clone(&told)).then_some(told)
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    /// What happened after an event; none if that cannot be told.
    fn since(&self, seen: EventId) -> Option<Vec<Arc<Told>>> {
        let mut missed = self.log.since(seen)?;
        missed.extend(self.early.all()?.cloned());
        Some(missed)
    }
}

/// Repeats follow within seconds, so it is mostly among the latest.
fn is_in(log: &Log<Arc<Told>>, message: &Message) -> bool {
    log.latest().any(|told| told.is(message))
}

#[cfg(test)]
mod tests {
    use miniature_api::{Profile, Record, Revision};
    use tokio::sync::mpsc::UnboundedReceiver;

    use super::*;
    use crate::{events::subscribers::Signal, storage::Versioned};

    const KEPT: usize = 3;

    fn log(ms: u64) -> Log<Arc<Told>> {
        Log::starting_at(EventId { ms, count: 0 }, KEPT)
    }

    fn picture(revision: u32) -> Message {
        let picture = Record {
            user_id: ada(),
            revision: Revision(revision),
            image_id: None,
            thumbhash: None,
        };
        let (name, headline) = (String::new(), String::new());
        let profile = Profile { user_id: ada(), name, headline, friend_count: 0, picture };
        Message::picture(&Versioned { version: u64::from(revision), profile })
    }

    fn ada() -> UserId {
        "ada".parse().unwrap()
    }

    /// The events that a client hears first, by name, when it knows of this one.
    fn replay(hub: &Hub, seen: &str) -> Vec<&'static str> {
        hub.listen(ada(), Some(seen)).0.missed.iter().map(|told| told.name).collect()
    }

    fn id(told: &Told) -> String {
        told.id.unwrap().to_string()
    }

    /// The next event that is told, joins and leaves aside.
    fn next(signals: &mut UnboundedReceiver<Signal>) -> Arc<Told> {
        loop {
            if let Signal::Tell(told) = signals.try_recv().unwrap() {
                return told;
            }
        }
    }

    #[test]
    fn a_client_hears_what_it_has_missed_or_is_reset() {
        let hub = Hub::alone(log(100), Subscribers::new(16).0);
        for revision in 1..=5 {
            hub.tell_now(100 + u64::from(revision), &picture(revision));
        }
        let cases: [(&str, &str, &[&str]); 6] = [
            ("knows all", "105-0", &[]),
            ("knows the oldest that is kept", "103-0", &["picture", "picture"]),
            ("knows the last that is not", "102-0", &["picture", "picture", "picture"]),
            ("knows an older one", "101-0", &["reset"]),
            ("knows a later one", "106-0", &["reset"]),
            ("knows nonsense", "yesterday", &["reset"]),
        ];
        for (name, seen, expected) in cases {
            assert_eq!(replay(&hub, seen), expected, "{name}");
        }
        assert!(hub.listen(ada(), None).0.missed.is_empty());
    }

    #[test]
    fn a_change_that_is_announced_twice_is_told_once_and_its_second_id_is_known() {
        let (subscribers, mut signals) = Subscribers::new(16);
        let hub = Hub::alone(log(100), subscribers);
        for ms in [101, 102] {
            hub.tell_shared(EventId { ms, count: 0 }, &picture(1));
        }
        hub.tell_now(103, &picture(2));
        hub.tell_now(104, &picture(2));

        assert_eq!(id(&next(&mut signals)), "101-0");
        assert_eq!(id(&next(&mut signals)), "103-0");
        assert!(signals.try_recv().is_err(), "each once");
        assert_eq!(replay(&hub, "100-0"), ["picture", "picture"]);
        assert_eq!(
            replay(&hub, "102-0"),
            ["picture"],
            "another instance has told it under this id"
        );
    }

    #[test]
    fn what_is_told_ahead_of_the_stream_has_no_id_and_is_told_to_those_who_come_back_until_it_has()
    {
        let (subscribers, mut signals) = Subscribers::new(16);
        let hub = Hub::one_of_several(log(0), subscribers);
        assert_eq!(replay(&hub, "0-0"), ["reset"], "nothing is known yet");
        hub.restart(log(100));
        assert_eq!(next(&mut signals).name, "reset");

        for _ in 0..2 {
            hub.tell_early(&picture(1));
        }
        let told = next(&mut signals);
        assert_eq!((told.name, told.id), ("picture", None));
        assert_eq!(replay(&hub, "100-0"), ["picture"]);
        assert!(!hub.has_told(&picture(1)));

        for ms in [101, 102] {
            hub.tell_shared(EventId { ms, count: 0 }, &picture(1));
        }
        hub.tell_early(&picture(1));
        assert_eq!(id(&next(&mut signals)), "101-0");
        assert_eq!(replay(&hub, "100-0"), ["picture"]);
        assert_eq!(replay(&hub, "101-0"), Vec::<&str>::new());
        assert!(hub.has_told(&picture(1)));
        while let Ok(signal) = signals.try_recv() {
            assert!(!matches!(signal, Signal::Tell(_)), "{signal:?}");
        }
    }

    #[test]
    fn of_more_that_is_told_early_than_is_kept_those_who_come_back_are_reset() {
        let hub = Hub::one_of_several(log(0), Subscribers::new(16).0);
        hub.restart(log(100));
        let revisions = 1..=u32::try_from(KEPT).unwrap() + 1;
        revisions.clone().for_each(|revision| hub.tell_early(&picture(revision)));
        assert_eq!(replay(&hub, "100-0"), ["reset"]);

        for revision in revisions {
            let id = EventId { ms: 100 + u64::from(revision), count: 0 };
            hub.tell_shared(id, &picture(revision));
        }
        assert_eq!(replay(&hub, "101-0"), ["picture"; KEPT]);
    }

    #[test]
    fn what_was_told_before_a_reset_is_not_told_again_for_ever() {
        let hub = Hub::one_of_several(log(0), Subscribers::new(16).0);
        hub.restart(log(100));
        hub.tell_early(&picture(1));
        // It is in the stream by now, ahead of a gap.
        hub.restart(log(200));
        assert_eq!(replay(&hub, "200-0"), Vec::<&str>::new());
    }
}
