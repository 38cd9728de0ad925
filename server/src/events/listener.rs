//! One client that listens: what it missed, then what happens, in its own time.

use std::{
    collections::{HashSet, VecDeque},
    future::pending,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use miniature_api::UserId;
use tokio::time::{Interval, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::{
    audience::{Audience, Seat},
    hub::Told,
    log::EventId,
    subscribers::Subscription,
};
use crate::stop::Stop;

/// What a client is sent next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The id of the last event that it knows of now, to come back with.
    UpTo(String),
    /// Something happened. Without an id the client comes back with that of the event before.
    Event(Arc<Told>, Option<String>),
    /// Nothing: the connection is there.
    Heartbeat,
}

/// One client that listens.
///
/// After a loss it is reset at a moment of its own, so that not all ask for everything at once. Until
/// then its events have no id: a client that leaves before is reset when it comes back.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(super) user: UserId,
    pub(super) audience: Audience,
    pub(super) missed: VecDeque<Arc<Told>>,
    /// Said once, after what was missed.
    pub(super) up_to: Option<EventId>,
    /// The last id that went by here.
    pub(super) newest: EventId,
    pub(super) told: Subscription,
    pub(super) heartbeat: Interval,
    pub(super) stop: Stop,
    pub(super) stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    pub(super) resets_within: Duration,
    pub(super) reset: Option<Pin<Box<Sleep>>>,
    /// What was sent ahead of the stream. Only its id is news once it comes through that.
    pub(super) sent_early: HashSet<String>,
    pub(super) _seat: Seat,
}

impl Listener {
    /// What to send next; none to end, so that the client comes back and hears what it missed.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        while let Some(told) = self.missed.pop_front() {
            if self.stop.has_begun() {
                return None;
            }
            if self.may_hear(&told).await? {
                return Some(self.event(told));
            }
        }
        if let Some(up_to) = self.up_to.take() {
            return Some(Frame::UpTo(up_to.to_string()));
        }
        loop {
            let told = tokio::select! {
                biased;
                () = &mut self.stopping => return None,
                () = due(&mut self.reset) => return Some(self.reset_now()),
                _ = self.heartbeat.tick() => return Some(Frame::Heartbeat),
                told = self.told.next() => told?,
            };
            if let Some(frame) = self.frame(told) {
                return Some(frame);
            }
        }
    }

    /// None where there is nothing to send yet.
    fn frame(&mut self, told: Arc<Told>) -> Option<Frame> {
        if told.is_reset() {
            self.newest = told.id.unwrap_or(self.newest);
            self.sent_early.clear();
            let within = self.resets_within;
            self.reset.get_or_insert_with(|| Box::pin(sleep(some_of(within))));
            return None;
        }
        let was_sent = told.id.is_some() && self.sent_early.remove(&told.message);
        match self.event(told) {
            Frame::Event(_, id) if was_sent => id.map(Frame::UpTo),
            frame => Some(frame),
        }
    }

    fn event(&mut self, told: Arc<Told>) -> Frame {
        match told.id {
            Some(id) => self.newest = id,
            None => drop(self.sent_early.insert(told.message.clone())),
        }
        let id = told.id.filter(|_| self.reset.is_none());
        Frame::Event(told, id.map(|id| id.to_string()))
    }

    fn reset_now(&mut self) -> Frame {
        self.reset = None;
        self.event(Told::reset(self.newest))
    }

    /// None if that cannot be told now.
    async fn may_hear(&self, told: &Told) -> Option<bool> {
        let Some(about) = &told.about else { return Some(true) };
        let heard = self.audience.may_hear(&self.user, about).await;
        heard.inspect_err(|error| tracing::warn!(%error, "who are friends cannot be told")).ok()
    }
}

async fn due(at: &mut Option<Pin<Box<Sleep>>>) {
    match at {
        Some(at) => at.await,
        None => pending().await,
    }
}

/// A random part of a time. At once if there is no randomness.
fn some_of(time: Duration) -> Duration {
    let all = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let random = getrandom::u64().unwrap_or_default();
    Duration::from_nanos(random.checked_rem(all).unwrap_or_default())
}
