//! What happened around the core, whatever it did.

use std::time::Duration;

use miniature_api::UserId;

use crate::cache::{
    clock::Now,
    core::{Event, Refusal, StreamEvent, ViewerId},
    key::Wanted,
};

/// One document's part.
#[derive(Debug)]
pub(super) struct Script<B> {
    pub(super) seed: u64,
    pub(super) visible: bool,
    pub(super) began: Now,
    /// A page that was told nothing for so long did not run.
    pub(super) sleeps_after: Duration,
    pub(super) inputs: Vec<(Now, Input<B>)>,
}

/// One thing that happened.
#[derive(Debug)]
pub(super) enum Input<B> {
    /// A picture was opened, by this viewer as the core named it then.
    Open(Wanted, ViewerId),
    /// Something else than an answer.
    Tell(Event<B>),
    /// The lock was granted.
    Granted,
    /// The lock was taken away.
    Unlocked { has_locks: bool },
    /// The stream said something.
    Streamed(UserId, StreamEvent),
    /// So many bytes came by the stream.
    Progressed(u64),
    /// The stream has ended.
    Hushed(Refusal),
    /// Counting began anew.
    Reset,
    /// A turn came to its end.
    Poll,
}

impl<B> Script<B> {
    pub(super) fn new(seed: u64, visible: bool, began: Now, sleeps_after: Duration) -> Self {
        Self { seed, visible, began, sleeps_after, inputs: Vec::new() }
    }

    /// Of several polls in a row one is enough.
    pub(super) fn write(&mut self, now: Now, input: Input<B>) {
        let is_again = matches!(
            (self.inputs.last(), &input),
            (Some((before, Input::Poll)), Input::Poll) if before.running == now.running
        );
        if !is_again {
            self.inputs.push((now, input));
        }
    }
}
