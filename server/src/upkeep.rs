//! What the server does unasked, for as long as it runs.

use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{
    Collection, clock::Clock, images::Unused, limits::Limits, profiles::SourceError,
    storage::seconds_before,
};

/// Reads profiles of active users ahead, writes to Redis what it missed, announces what stayed in the
/// outbox, and removes pictures that nobody shows any more. Ends when dropped.
#[derive(Debug)]
pub struct Upkeep(#[expect(dead_code, reason = "tasks end when it is dropped")] JoinSet<()>);

impl Upkeep {
    /// Starts.
    pub fn start(collection: &Collection, clock: &Clock, limits: &Limits) -> Self {
        let mut tasks = JoinSet::new();
        let (warm, clock, limits) = (collection.clone(), clock.clone(), limits.clone());
        let (catch_up_every, unused_every, marked_every) =
            (limits.catch_up_every, limits.unused_looked_for_every, limits.files_marked_every);
        let time = clock.clone();
        tasks.spawn(repeat(limits.warm_up_every, "warm up", move || {
            let (collection, clock, limits) = (warm.clone(), clock.clone(), limits.clone());
            async move { warm_up(&collection, &clock, &limits).await }
        }));
        let unused = collection.unused.clone();
        tasks.spawn(repeat(unused_every, "remove unused pictures", move || {
            let (unused, now) = (unused.clone(), time.now());
            async move { remove_unused(&unused, now).await }
        }));
        let renditions = collection.renditions.clone();
        tasks.spawn(repeat(marked_every, "mark files as used", move || {
            let renditions = renditions.clone();
            async move {
                renditions.mark_held().await;
                Ok(0) // nothing to tell
            }
        }));
        let profiles = collection.profiles.clone();
        tasks.spawn(repeat(catch_up_every, "catch up", move || {
            let profiles = profiles.clone();
            async move { profiles.catch_up().await }
        }));
        let relay = collection.relay.clone();
        tasks.spawn(repeat(catch_up_every, "announce what was not", move || {
            let relay = relay.clone();
            async move { relay.sweep().await }
        }));
        Self(tasks)
    }
}

/// Reads the profiles of users active lately, and of those who are asked for, into every layer before
/// Redis forgets them. Returns how many.
///
/// # Errors
///
/// If the database or the source does not answer.
pub async fn warm_up(
    collection: &Collection,
    clock: &Clock,
    limits: &Limits,
) -> Result<usize, SourceError> {
    let since = seconds_before(clock.now(), limits.active_for);
    let most = usize::try_from(limits.profiles).unwrap_or(usize::MAX);
    let users = collection.database.active_since(since, most).await?;
    collection.profiles.warm_up(&users, limits.read_ahead_within()).await
}

/// Removes pictures that nobody shows any more, at a time in seconds since 1970, and drops what is
/// held here of those removed elsewhere: each minute in another folder. Returns how many it removed.
///
/// # Errors
///
/// If the database does not answer.
pub async fn remove_unused(unused: &Unused, now: u64) -> Result<usize, SourceError> {
    let [.., folder] = (now / 60).to_be_bytes();
    let removed = unused.remove(now).await?;
    unused.drop_copies(folder).await?;
    Ok(removed)
}

/// Does something again and again; what fails is tried at the next turn.
async fn repeat<F>(every: Duration, name: &'static str, work: impl Fn() -> F + Send)
where
    F: Future<Output = Result<usize, SourceError>> + Send,
{
    let mut turns = interval(every);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        match work().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "{name}"),
            Err(error) => tracing::warn!(%error, "{name} failed"),
        }
    }
}
