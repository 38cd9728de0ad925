//! Tells the clients of this instance what happens, each in its own time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use miniature_api::{Change, RESET_EVENT, UserId};
use tokio::sync::watch;

use super::{
    log::{EventId, Log},
    subscribers::{Subscribers, Subscription},
};
use crate::storage::Message;

/// An event as clients read it, written once for all of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    id: EventId,
    /// Names the change, wherever and however often it is told.
    message: String,
    /// To whom it happened; none if it is for everyone.
    pub(super) about: Option<UserId>,
    /// The event's name.
    pub(crate) name: &'static str,
    /// What it says, in one line.
    pub(crate) data: String,
}

impl Told {
    fn new(id: EventId, message: &Message) -> Option<Arc<Self>> {
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
    fn reset(id: EventId) -> Arc<Self> {
        let (message, data) = (String::new(), "{}".to_owned());
        Arc::new(Self { id, message, about: None, name: RESET_EVENT, data })
    }

    /// Names it for whoever comes back later.
    pub(crate) fn id(&self) -> String {
        self.id.to_string()
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
/// **Invariant:** an event that is in no other instance's log makes this one's useless, until a log
/// that all instances share begins anew: then everyone is reset.
#[derive(Debug)]
pub(super) struct Hub {
    log: Mutex<Log<Arc<Told>>>,
    /// Told under the lock of the log, so in its order.
    subscribers: Subscribers,
    /// How many events were told here alone. Changed under the lock of the log.
    unshared: watch::Sender<u64>,
    /// Whether this instance has begun to follow the others.
    caught_up: watch::Sender<bool>,
}

impl Hub {
    /// A hub of one instance alone, which knows all that happens.
    pub(super) fn alone(log: Log<Arc<Told>>, subscribers: Subscribers) -> Self {
        let caught_up = watch::Sender::new(true);
        Self { log: Mutex::new(log), subscribers, unshared: watch::Sender::new(0), caught_up }
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
        let mut log = self.log();
        let id = log.next_id(now_ms);
        self.tell(&mut log, id, message);
    }

    /// Tells of something that all instances hear of under this id.
    pub(super) fn tell_shared(&self, id: EventId, message: &Message) {
        self.tell(&mut self.log(), id, message);
    }

    fn tell(&self, log: &mut Log<Arc<Told>>, id: EventId, message: &Message) {
        if let Some(told) = Self::record(log, id, message) {
            self.subscribers.tell(told);
        }
    }

    /// Whether this was told, as all instances tell it.
    pub(super) fn has_told(&self, message: &Message) -> bool {
        is_in(&self.log(), message)
    }

    /// Tells of something that the other instances do not hear of.
    ///
    /// It has no id of its own, for only those who were here know it: a client that comes back with
    /// that of the event before is reset.
    pub(super) fn tell_unshared(&self, message: &Message) {
        let mut log = self.log();
        log.break_off();
        if let Some(told) = Told::new(log.newest(), message) {
            self.subscribers.tell(told);
        }
        self.unshared.send_modify(|count| *count += 1);
    }

    /// Nobody can be told any more what they have missed: it went by elsewhere.
    pub(super) fn break_off(&self) {
        self.log().break_off();
    }

    /// Goes on with a log that all instances share, and resets everyone. `accounted` events were told
    /// here alone before it began; if there are more, it is as useless as the one before.
    pub(super) fn restart(&self, mut shared: Log<Arc<Told>>, accounted: u64) {
        let mut log = self.log();
        if *self.unshared.borrow() != accounted {
            shared.break_off();
        }
        *log = shared;
        self.subscribers.tell(Told::reset(log.newest()));
        self.caught_up.send_replace(true);
    }

    /// How many events were told here alone.
    pub(super) fn unshared(&self) -> u64 {
        *self.unshared.borrow()
    }

    /// Waits until more than these were told here alone.
    pub(super) async fn more_unshared_than(&self, accounted: u64) {
        let mut unshared = self.unshared.subscribe();
        // It fails only when the hub is gone, and then nobody waits.
        let _ = unshared.wait_for(|count| *count > accounted).await;
    }

    /// Waits until this instance has begun to follow the others.
    pub(super) async fn caught_up(&self) {
        let mut caught_up = self.caught_up.subscribe();
        let _ = caught_up.wait_for(|caught_up| *caught_up).await;
    }

    /// Listens as a user from now on; `seen` is the id of the last event that the client knows of.
    pub(super) fn listen(&self, user: UserId, seen: Option<&str>) -> (Beginning, Subscription) {
        let log = self.log(); // nothing happens between the replay and what follows
        let up_to = log.newest();
        let missed = match seen.map(str::parse::<EventId>) {
            None => Vec::new(),
            Some(seen) => {
                let missed = seen.ok().and_then(|seen| log.since(seen));
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
        let told = Told::new(id, message)?;
        log.push(id, Arc::clone(&told)).then_some(told)
    }

    fn log(&self) -> MutexGuard<'_, Log<Arc<Told>>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Repeats follow within seconds, so it is mostly among the latest.
fn is_in(log: &Log<Arc<Told>>, message: &Message) -> bool {
    log.latest().any(|told| told.message == message.id)
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

    /// The next event that is told, whoever joins or leaves before it.
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

        assert_eq!(next(&mut signals).id(), "101-0");
        assert_eq!(next(&mut signals).id(), "103-0");
        assert!(signals.try_recv().is_err(), "each once");
        assert_eq!(replay(&hub, "100-0"), ["picture", "picture"]);
        assert_eq!(
            replay(&hub, "102-0"),
            ["picture"],
            "another instance has told it under this id"
        );
    }

    #[test]
    fn what_was_told_here_alone_is_heard_at_once_and_resets_whoever_comes_back() {
        let (subscribers, mut signals) = Subscribers::new(16);
        let hub = Hub::one_of_several(log(0), subscribers);
        assert_eq!(replay(&hub, "0-0"), ["reset"], "nothing is known yet");
        hub.restart(log(100), 0);
        assert_eq!(next(&mut signals).name, "reset");
        assert_eq!(replay(&hub, "100-0"), Vec::<&str>::new());

        hub.tell_unshared(&picture(1));
        let told = next(&mut signals);
        assert_eq!((told.name, told.id()), ("picture", "100-0".to_owned()));
        assert_eq!(replay(&hub, "100-0"), ["reset"]);

        hub.restart(log(200), 0);
        assert_eq!(replay(&hub, "200-0"), ["reset"], "one was told here alone meanwhile");
        hub.restart(log(300), 1);
        assert_eq!(replay(&hub, "300-0"), Vec::<&str>::new());
        assert_eq!(next(&mut signals).name, "reset");
    }
}
