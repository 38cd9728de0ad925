//! What happens to people, told to those who may know: themselves and their friends.
//!
//! ```text
//! publish ─▶ Redis stream ─▶ follower of each instance ─┐
//!    └────── without Redis, or ahead of it ─────────────┴─▶ hub: log ─▶ dispatcher ─▶ clients
//! ```
//!
//! **Invariant:** nobody hears of someone who is neither themself nor a friend, and a client that may
//! have missed something is told so.

mod audience;
mod early;
mod follower;
mod hub;
mod listener;
mod log;
mod stream;
mod subscribers;

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
    time::Duration,
};

use miniature_api::UserId;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::task::AbortOnDropHandle;

pub(crate) use self::listener::{Frame, Listener};
use self::{
    audience::{Audience, Seat},
    follower::Follower,
    hub::{Beginning, Hub},
    log::{EventId, Log},
    stream::SharedStream,
    subscribers::{Dispatcher, Subscribers},
};
use crate::{
    clock::Clock,
    limits::Limits,
    metrics::EVENTS_TOLD,
    places::Places,
    profiles::Profiles,
    stop::Stop,
    storage::{Database, Message},
};

/// What happens to people. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Events {
    hub: Arc<Hub>,
    stream: Option<SharedStream>,
    profiles: Profiles,
    audience: Audience,
    places: Places,
    clock: Clock,
    heartbeat: Duration,
    resets_within: Duration,
    kept: usize,
    follower: Arc<OnceLock<AbortOnDropHandle<()>>>,
}

impl Events {
    /// Events of this instance, and of all others if the profiles are shared through a Redis.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(database: Database, profiles: Profiles, clock: Clock, limits: &Limits) -> Self {
        let kept = limits.events;
        let stream = profiles
            .redis()
            .map(|redis| SharedStream::new(redis.clone(), database.lineage(), kept));
        let log = Log::starting_at(EventId { ms: clock.now_ms(), count: 0 }, kept);
        let (subscribers, signals) = Subscribers::new(limits.events_behind);
        let audience = Audience::new(database, limits);
        tokio::spawn(Dispatcher::new(audience.clone()).run(signals));
        let hub = match stream {
            None => Hub::alone(log, subscribers),
            Some(_) => Hub::one_of_several(Log::starting_at(EventId::default(), kept), subscribers),
        };
        Self {
            hub: Arc::new(hub),
            stream,
            profiles,
            audience,
            places: Places::new(limits.streams_per_user),
            clock,
            heartbeat: limits.heartbeat,
            resets_within: limits.resets_within,
            kept,
            follower: Arc::default(),
        }
    }

    /// Begins to follow the other instances, if there may be any; until the last clone is dropped.
    pub fn follow(&self) {
        let Some(stream) = self.stream.clone() else { return };
        let (hub, profiles) = (Arc::clone(&self.hub), self.profiles.clone());
        let follower = Follower::new(stream, hub, profiles, self.kept);
        self.follower.get_or_init(|| AbortOnDropHandle::new(tokio::spawn(follower.follow())));
    }

    /// Waits until this instance hears of what happens in the others.
    pub async fn caught_up(&self) {
        self.hub.caught_up().await;
    }

    /// Tells of something that has happened, unless that was told lately; every cache here must know of
    /// it already. Other instances believe no older version of the profile from then on, or ask the
    /// source if the message names none. Returns whether it is known that all instances hear of it.
    pub async fn publish(&self, message: &Message) -> bool {
        if self.hub.has_told(message) {
            return true;
        }
        metrics::counter!(EVENTS_TOLD, "event" => message.change.event()).increment(1);
        let Some(stream) = &self.stream else {
            self.hub.tell_now(self.clock.now_ms(), message);
            return true;
        };
        // If it is shared, it comes back to us in the order in which all hear of it.
        let shared = stream.add(message).await;
        if !shared {
            self.hub.tell_early(message);
        }
        shared
    }

    /// Whether what is published now reaches all instances, as far as is known. Not while this one does
    /// not hear the others: a Redis that is back may be about to be told that it lost what it held.
    pub fn can_publish(&self) -> bool {
        self.hub.is_caught_up()
    }

    /// The id of the last event: whatever is read from now on knows of it.
    pub(crate) fn newest(&self) -> String {
        self.hub.newest()
    }

    /// Listens as a user who knows of the event `seen`, or of none, until the server stops; none if
    /// they listen too often.
    pub(crate) fn listen(&self, user: UserId, seen: Option<&str>, stop: &Stop) -> Option<Listener> {
        let seat = Seat::on(self.places.take(&user)?);
        let (Beginning { missed, up_to }, told) = self.hub.listen(user.clone(), seen);
        let mut heartbeat = interval_at(Instant::now() + self.heartbeat, self.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Some(Listener {
            user,
            audience: self.audience.clone(),
            missed: missed.into(),
            up_to: Some(up_to),
            newest: up_to,
            told,
            heartbeat,
            stopping: Box::pin(stop.begun()),
            stop: stop.clone(),
            resets_within: self.resets_within,
            reset: None,
            sent_early: HashSet::new(),
            _seat: seat,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, AtomicUsize, Ordering},
        task::{Context, Wake, Waker},
    };

    use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
    use miniature_api::{Profile, Record, Revision};
    use sqlx::{Connection, SqliteConnection};

    use super::*;
    use crate::{
        metrics::SOURCE_CALLS,
        storage::{NewPerson, Versioned},
    };

    const LISTENERS: usize = 500;

    fn user(n: usize) -> UserId {
        format!("user{n}").parse().unwrap()
    }

    /// Something that happens to a user, each time another.
    fn about(user: UserId) -> Message {
        static VERSION: AtomicU32 = AtomicU32::new(1);
        let version = VERSION.fetch_add(1, Ordering::SeqCst);
        let picture = Record {
            user_id: user.clone(),
            revision: Revision(version),
            image_id: None,
            thumbhash: None,
        };
        let (name, headline) = (String::new(), String::new());
        let profile = Profile { user_id: user, name, headline, friend_count: 0, picture };
        Message::picture(&Versioned { version: u64::from(version), profile })
    }

    /// User 0 has all others as friends.
    async fn events(database: &Database, limits: &Limits) -> Events {
        let people = (0..=LISTENERS).map(|n| NewPerson {
            user_id: user(n),
            name: String::new(),
            headline: String::new(),
            password_hash: None,
        });
        let pairs = (1..=LISTENERS).map(|n| (user(0), user(n))).collect::<Vec<_>>();
        database.add_people(&people.collect::<Vec<_>>(), &pairs).await.unwrap();
        let profiles = Profiles::new(database.clone(), None, limits);
        Events::new(database.clone(), profiles, Clock::system(), limits)
    }

    fn counting() -> (PrometheusRecorder, PrometheusHandle) {
        let recorder = PrometheusBuilder::new().build_recorder();
        let counts = recorder.handle();
        (recorder, counts)
    }

    fn questions(counts: &PrometheusHandle) -> u64 {
        let text = counts.render();
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let line = lines.find_map(|line| line.strip_prefix(SOURCE_CALLS));
        line.map_or(0, |number| number.trim().parse().unwrap())
    }

    /// Counts how often those who wait are woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn what_happens_to_strangers_wakes_no_listener() {
        let (database, stop) = (Database::in_memory().await.unwrap(), Stop::default());
        let events = events(&database, &Limits::default()).await;
        let listen = |n| events.listen(user(n), None, &stop).unwrap();
        let mut listeners = (2..=LISTENERS).map(listen).collect::<Vec<_>>();
        let mut stranger = listen(1);
        for listener in listeners.iter_mut().chain([&mut stranger]) {
            assert!(matches!(listener.next().await, Some(Frame::UpTo(_))));
        }
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut waiting = listeners.iter_mut().map(Listener::next).map(Box::pin);
        let mut waiting = waiting.by_ref().collect::<Vec<_>>();
        for next in &mut waiting {
            assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }

        for _ in 0..100 {
            events.publish(&about(user(1))).await;
            assert!(matches!(stranger.next().await, Some(Frame::Event(..))), "of themself");
        }
        assert_eq!(woken.0.load(Ordering::SeqCst), 0);

        events.publish(&about(user(0))).await;
        assert!(matches!(stranger.next().await, Some(Frame::Event(..))), "of their friend");
        assert_eq!(woken.0.load(Ordering::SeqCst), waiting.len(), "they listen");
    }

    #[tokio::test]
    async fn one_event_costs_one_question_however_many_listen() {
        let (recorder, counts) = counting();
        let _counting = ::metrics::set_default_local_recorder(&recorder);
        let (database, stop) = (Database::in_memory().await.unwrap(), Stop::default());
        let events = events(&database, &Limits::default()).await;
        let listen = |n| events.listen(user(n), None, &stop).unwrap();
        let mut listeners = (1..=LISTENERS).map(listen).collect::<Vec<_>>();
        for listener in &mut listeners {
            assert!(matches!(listener.next().await, Some(Frame::UpTo(_))));
        }

        events.publish(&about(user(0))).await;

        let heard = listeners.iter_mut().map(Listener::next);
        for frame in futures_util::future::join_all(heard).await {
            assert!(matches!(frame, Some(Frame::Event(..))), "{frame:?}");
        }
        assert_eq!(questions(&counts), 1);
    }

    #[tokio::test]
    async fn all_that_one_has_missed_costs_one_question() {
        let (recorder, counts) = counting();
        let _counting = ::metrics::set_default_local_recorder(&recorder);
        let (database, stop) = (Database::in_memory().await.unwrap(), Stop::default());
        let events = events(&database, &Limits::default()).await;
        let first = events.listen(user(0), None, &stop).unwrap().next().await;
        let Some(Frame::UpTo(seen)) = first else { panic!("{first:?}") };
        for n in 1..=LISTENERS {
            events.publish(&about(user(n))).await;
        }

        let mut listener = events.listen(user(0), Some(&seen), &stop).unwrap();
        for _ in 1..=LISTENERS {
            assert!(matches!(listener.next().await, Some(Frame::Event(..))));
        }
        assert_eq!(questions(&counts), 1);
    }

    /// Whether a listener hears of someone, by an event about the listener's user that follows.
    async fn hears_of(events: &Events, listener: &mut Listener, whom: &UserId) -> bool {
        events.publish(&about(whom.clone())).await;
        events.publish(&about(listener.user.clone())).await;
        let mut heard = false;
        loop {
            match listener.next().await {
                Some(Frame::Event(told, _)) if told.about.as_ref() == Some(whom) => heard = true,
                Some(Frame::Event(..)) => return heard,
                other => assert!(other.is_some(), "it ended"),
            }
        }
    }

    #[tokio::test]
    async fn who_becomes_a_friend_is_heard_of_by_an_open_stream_and_who_is_none_any_more_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (database, stop) = (Database::open(folder.path()).await.unwrap(), Stop::default());
        let fresh_for = Duration::from_millis(50);
        let limits = Limits { friends_fresh_for: fresh_for, ..Limits::default() };
        let events = events(&database, &limits).await;
        let (one, other) = (user(1), user(2));
        let mut listener = events.listen(one.clone(), None, &stop).unwrap();
        assert!(!hears_of(&events, &mut listener, &other).await);
        let until = async |listener: &mut Listener, expected| {
            let changed = async { while hears_of(&events, listener, &other).await != expected {} };
            tokio::time::timeout(fresh_for * 100, changed).await.unwrap();
        };

        database.add_people(&[], &[(one.clone(), other.clone())]).await.unwrap();
        until(&mut listener, true).await;

        let url = format!("sqlite://{}", folder.path().join("miniature.sqlite").display());
        let mut elsewhere = SqliteConnection::connect(&url).await.unwrap();
        let end = "DELETE FROM friendships WHERE user_id IN ($1, $2) AND friend_id IN ($1, $2)";
        let end = sqlx::query(end).bind(one.as_str()).bind(other.as_str());
        end.execute(&mut elsewhere).await.unwrap();
        until(&mut listener, false).await;
    }

    #[tokio::test]
    async fn after_a_loss_each_client_is_reset_at_a_moment_of_its_own() {
        let (database, stop) = (Database::in_memory().await.unwrap(), Stop::default());
        let limits = Limits::default();
        let events = events(&database, &limits).await;
        let listen = |n| events.listen(user(n), None, &stop).unwrap();
        let mut listeners = (1..=20).map(listen).collect::<Vec<_>>();
        for listener in &mut listeners {
            assert!(matches!(listener.next().await, Some(Frame::UpTo(_))));
        }
        let lost = EventId { ms: u64::MAX >> 1, count: 0 };

        events.hub.restart(Log::starting_at(lost, limits.events));
        events.publish(&about(user(0))).await;

        for listener in &mut listeners {
            let frame = listener.next().await;
            let Some(Frame::Event(told, None)) = frame else { panic!("{frame:?}") };
            assert!(!told.is_reset(), "those who leave now are reset when they come back");
        }
        tokio::time::pause();
        let since = Instant::now();
        let resets = listeners.iter_mut().map(async |listener| {
            loop {
                match listener.next().await {
                    Some(Frame::Heartbeat) => {}
                    Some(Frame::Event(told, id)) if told.is_reset() => {
                        return (since.elapsed(), id.unwrap());
                    }
                    other => panic!("{other:?}"),
                }
            }
        });
        let resets = futures_util::future::join_all(resets).await;
        let moments = resets.iter().map(|(moment, _)| *moment).collect::<HashSet<_>>();
        assert!(moments.iter().all(|moment| *moment <= limits.resets_within), "{moments:?}");
        assert!(moments.len() > 10, "{moments:?}");
        let newest = EventId { count: 1, ..lost }.to_string();
        assert!(resets.iter().all(|(_, id)| *id == newest), "{resets:?}");
    }
}
