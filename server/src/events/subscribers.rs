//! Who listens here, by user, and the task that hands each event to those who may hear of it.
//!
//! ```text
//! hub ─▶ queue (join, leave, tell) ─▶ dispatcher: index by user ─▶ the streams of one and one's friends
//! ```
//!
//! **Invariant:** an event wakes no stream of someone who may not hear of it, and a stream gets what
//! was queued after it joined, in that order.

use std::{collections::HashMap, sync::Arc};

use miniature_api::UserId;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::{audience::Audience, hub::Told};

/// What the dispatcher is told, in the order in which it happened.
#[derive(Debug)]
pub(super) enum Signal {
    /// A stream begins.
    Join(UserId, mpsc::Sender<Arc<Told>>),
    /// A stream of this user has ended.
    Leave(UserId),
    /// Something happened.
    Tell(Arc<Told>),
}

/// The way to those who listen. It takes and never waits; the dispatcher keeps up, as it asks one
/// cached question an event.
#[derive(Clone, Debug)]
pub(super) struct Subscribers {
    queue: UnboundedSender<Signal>,
    /// How many events a stream may lag behind.
    behind: usize,
}

/// One stream's share of what happens. Ends its place in the index when dropped.
#[derive(Debug)]
pub(super) struct Subscription {
    user: UserId,
    told: mpsc::Receiver<Arc<Told>>,
    queue: UnboundedSender<Signal>,
}

impl Subscribers {
    /// Nobody yet, and what [`Dispatcher::run`] is to read.
    pub(super) fn new(behind: usize) -> (Self, UnboundedReceiver<Signal>) {
        let (queue, signals) = mpsc::unbounded_channel();
        (Self { queue, behind }, signals)
    }

    /// A stream of a user, which gets what is told from now on.
    pub(super) fn join(&self, user: UserId) -> Subscription {
        let (sender, told) = mpsc::channel(self.behind);
        // Sending fails only while the runtime shuts down. Then nobody is told anything.
        let _ = self.queue.send(Signal::Join(user.clone(), sender));
        Subscription { user, told, queue: self.queue.clone() }
    }

    /// Tells those who may hear of it.
    pub(super) fn tell(&self, told: Arc<Told>) {
        let _ = self.queue.send(Signal::Tell(told));
    }
}

impl Subscription {
    /// The next event; none once this stream has been cut off.
    pub(super) async fn next(&mut self) -> Option<Arc<Told>> {
        self.told.recv().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.told.close();
        let _ = self.queue.send(Signal::Leave(self.user.clone()));
    }
}

/// The index, and who are friends.
#[derive(Debug)]
pub(super) struct Dispatcher {
    audience: Audience,
    streams: HashMap<UserId, Vec<mpsc::Sender<Arc<Told>>>>,
}

impl Dispatcher {
    pub(super) fn new(audience: Audience) -> Self {
        Self { audience, streams: HashMap::new() }
    }

    /// Carries out what is queued, until nobody can queue any more.
    pub(super) async fn run(mut self, mut signals: UnboundedReceiver<Signal>) {
        while let Some(signal) = signals.recv().await {
            match signal {
                Signal::Join(user, stream) => self.streams.entry(user).or_default().push(stream),
                Signal::Leave(user) => self.keep(&user, |stream| !stream.is_closed()),
                Signal::Tell(told) => self.tell(&told).await,
            }
        }
    }

    async fn tell(&mut self, told: &Arc<Told>) {
        if self.streams.is_empty() {
            return;
        }
        let Some(about) = &told.about else {
            let everyone = self.streams.keys().cloned().collect::<Vec<_>>();
            return everyone.iter().for_each(|user| self.hand_to(user, told));
        };
        self.hand_to(about, told);
        match self.audience.friends(about).await {
            Ok(friends) => friends.iter().for_each(|friend| self.hand_to(friend, told)),
            Err(error) => {
                tracing::warn!(%error, "friends unknown, ending the streams of others");
                self.streams.retain(|user, _| user == about);
            }
        }
    }

    /// A stream that takes too little is cut off. Its client comes back and gets the rest.
    fn hand_to(&mut self, user: &UserId, told: &Arc<Told>) {
        self.keep(user, |stream| stream.try_send(Arc::clone(told)).is_ok());
    }

    fn keep(&mut self, user: &UserId, keeps: impl FnMut(&mpsc::Sender<Arc<Told>>) -> bool) {
        let Some(streams) = self.streams.get_mut(user) else { return };
        streams.retain(keeps);
        if streams.is_empty() {
            self.streams.remove(user);
        }
    }
}
