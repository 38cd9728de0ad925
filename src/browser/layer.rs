//! What every storage can be told to do.

use crate::cache::{
    clock::Timestamp,
    core::{Op, Room, Written},
    entry::{Content, Found},
    key::{Lookup, Source},
    layer::LayerError,
};

/// One storage of one account.
///
/// Freshness, limits and order belong to the core, so a new storage is one small folder, and every
/// storage passes the same contract tests (`tests/browser/contract.rs`).
#[expect(async_fn_in_trait, reason = "one thread: no future of the page crosses threads")]
pub trait CacheLayer {
    /// Names the layer in effects, in errors and on the dashboard.
    const SOURCE: Source;

    /// Returns what is held for each lookup, fresh or not, in the order asked, in one trip.
    ///
    /// What cannot be read back as it was written counts as not held, and is removed.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    async fn get_many(&self, lookups: &[Lookup]) -> Result<Vec<Found>, LayerError>;

    /// Carries the changes out in their order, all or none; `now` becomes the last use of all that
    /// they keep. No later state of a user's picture is replaced by an earlier one.
    ///
    /// # Errors
    ///
    /// [`LayerError::Full`] if the quota is spent; nothing is changed.
    async fn apply(
        &self,
        ops: &[Op<Content>],
        now: Timestamp,
        room: Room,
    ) -> Result<Written, LayerError>;

    /// Forgets everything of the account.
    ///
    /// # Errors
    ///
    /// [`LayerError::Unavailable`] if the browser denies this storage.
    async fn clear(&self) -> Result<(), LayerError>;
}
