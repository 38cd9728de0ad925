//! Pictures that nobody shows any more: removed from everywhere, some time after.
//!
//! ```text
//! the row is taken ─▶ master ─▶ renditions, hints, metadata ─▶ the row is gone
//! ```
//!
//! Each instance does so for all; and drops its own copies of what another has removed.
//!
//! **Invariant:** a picture that a record names is there. Whoever uploads it anew writes its row
//! before its master, and waits while it is being removed (see `storage/unused.rs`).

use futures_util::{StreamExt, stream};
use metrics::counter;
use miniature_api::ImageId;
use tokio::time::timeout;

use super::{Hints, Metadata, Renditions};
use crate::{
    limits::Limits,
    metrics::PICTURES_REMOVED,
    storage::{Database, Disuse},
};

/// How many pictures are removed at once: each takes some calls to the store.
const AT_ONCE: usize = 4;

/// How many images the database is asked about at once.
const ASKED_AT_ONCE: usize = 500;

/// Pictures that nobody shows any more. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Unused {
    database: Database,
    renditions: Renditions,
    metadata: Metadata,
    hints: Hints,
    limits: Limits,
}

impl Unused {
    /// Those of this database, and what is kept of them.
    pub fn new(
        database: Database,
        renditions: Renditions,
        metadata: Metadata,
        hints: Hints,
        limits: &Limits,
    ) -> Self {
        Self { database, renditions, metadata, hints, limits: limits.clone() }
    }

    /// Removes some of those unused for longest, at a time in seconds since 1970. Returns how many;
    /// what the store does not remove now is tried again.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn remove(&self, now: u64) -> sqlx::Result<usize> {
        let disuse = Disuse::at(now, &self.limits);
        let images = self.database.unused_images(&disuse, self.limits.removals_at_once).await?;
        let removals = stream::iter(images).map(|image| self.remove_one(image, disuse));
        let removals = removals.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
        let removed = removals.into_iter().collect::<sqlx::Result<Vec<_>>>()?;
        let removed = removed.into_iter().filter(|removed| *removed).count();
        counter!(PICTURES_REMOVED).increment(removed as u64);
        Ok(removed)
    }

    async fn remove_one(&self, image: ImageId, disuse: Disuse) -> sqlx::Result<bool> {
        if !self.database.begin_removal(image, &disuse).await? {
            return Ok(false);
        }
        // Another instance takes over later than that, so nothing of ours may follow.
        let within = self.limits.removal_takes_at_most / 2;
        let removal = timeout(within, self.renditions.remove(image)).await;
        if !removal.is_ok_and(|removal| removal.is_ok()) {
            return Ok(false); // logged by the breaker of the store
        }
        self.metadata.forget(image).await;
        self.hints.forget(image).await;
        self.database.end_removal(image, &disuse).await?;
        Ok(true)
    }

    /// Drops what is held here of pictures that were removed: from memory, and from that of the 256
    /// folders of files whose turn it is; with it what was never finished there. Returns of how many.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn drop_copies(&self, folder: u8) -> sqlx::Result<usize> {
        self.renditions.remove_unfinished(folder).await;
        let held = self.renditions.held_images(folder).await;
        let mut dropped = 0;
        for images in held.chunks(ASKED_AT_ONCE) {
            let kept = self.database.kept_among(images).await?;
            for image in images.iter().filter(|image| !kept.contains(image)) {
                self.renditions.forget(*image).await;
                dropped += 1;
            }
        }
        Ok(dropped)
    }
}
