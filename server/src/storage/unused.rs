//! Images that nobody may show any more: since when, and which are being removed.
//!
//! ```text
//! claimed ─▶ shown ─▶ replaced ─▶ unused for long ─▶ being removed ─▶ gone
//!    ▲         └───────── looked at: shown ──┘             │
//!    └──────── by an upload, unless it is being removed ───┘ if who did so has died
//! ```
//!
//! **Invariant:** whoever removes an image and whoever begins to show it change its row first, in
//! one transaction with what they read or write: one of them waits for the other, and sees it.

use std::{collections::HashSet, time::Duration};

use miniature_api::{ImageId, UserId};
use sqlx::AnyConnection;

use super::{Database, NewPicture, people::decode, placeholders, seconds, seconds_before};
use crate::limits::Limits;

/// Which images may be removed now. All in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Disuse {
    /// The time.
    now: u64,
    /// Nobody has shown them since then.
    unused_since: u64,
    /// Whoever began to remove one then has died meanwhile.
    abandoned_since: u64,
}

impl Disuse {
    /// At a time in seconds since 1970.
    pub fn at(now: u64, limits: &Limits) -> Self {
        let before = |span: Duration| seconds_before(now, span);
        Self {
            now,
            unused_since: before(limits.unused_kept_for),
            abandoned_since: before(limits.removal_takes_at_most),
        }
    }
}

impl Database {
    /// Images that nobody seems to show, those unused for longest first.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn unused_images(&self, disuse: &Disuse, limit: usize) -> sqlx::Result<Vec<ImageId>> {
        let query = sqlx::query_scalar::<_, String>(
            "SELECT image_id FROM images WHERE unused_since <= $1 AND \
             (being_removed_since IS NULL OR being_removed_since <= $2) \
             ORDER BY unused_since LIMIT $3",
        );
        let query = query
            .bind(seconds(disuse.unused_since))
            .bind(seconds(disuse.abandoned_since))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let ids = self.ask(async |c| query.fetch_all(c).await).await?;
        ids.into_iter().map(|id| ImageId::try_from(id).map_err(decode)).collect()
    }

    /// Begins to remove an image, so that nobody else does, or begins to show it; unless somebody
    /// shows it after all. Returns whether it is to be removed.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn begin_removal(&self, image: ImageId, disuse: &Disuse) -> sqlx::Result<bool> {
        let (image, now) = (image.to_string(), seconds(disuse.now));
        self.transact(async |c| {
            let begun = sqlx::query(
                "UPDATE images SET being_removed_since = $2 WHERE image_id = $1 AND \
             unused_since <= $3 AND (being_removed_since IS NULL OR being_removed_since <= $4)",
            )
            .bind(&image)
            .bind(now)
            .bind(seconds(disuse.unused_since))
            .bind(seconds(disuse.abandoned_since))
            .execute(&mut *c)
            .await?;
            if begun.rows_affected() == 0 {
                return Ok(false);
            }
            // In a statement of its own: it sees whoever was waited for in the one before. Posts change
            // unannounced, so what only they show is looked at again.
            let shown = sqlx::query(
                "UPDATE images SET being_removed_since = NULL, unused_since = \
             CASE WHEN EXISTS (SELECT 1 FROM users WHERE users.image_id = $1) \
             THEN NULL ELSE $2 END \
             WHERE image_id = $1 AND (unused_since = 0 \
             OR EXISTS (SELECT 1 FROM users WHERE users.image_id = $1) \
             OR EXISTS (SELECT 1 FROM posts WHERE posts.author_image_id = $1))",
            )
            .bind(&image)
            .bind(now)
            .execute(&mut *c)
            .await?;
            Ok(shown.rows_affected() == 0)
        })
        .await
    }

    /// An image is gone, as was begun.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn end_removal(&self, image: ImageId, disuse: &Disuse) -> sqlx::Result<()> {
        let query =
            sqlx::query("DELETE FROM images WHERE image_id = $1 AND being_removed_since = $2");
        let query = query.bind(image.to_string()).bind(seconds(disuse.now));
        self.ask(async |c| query.execute(c).await).await.map(drop)
    }

    /// Those of these images that are kept, or that somebody shows.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn kept_among(&self, images: &[ImageId]) -> sqlx::Result<HashSet<ImageId>> {
        if images.is_empty() {
            return Ok(HashSet::new());
        }
        let these = placeholders(images.len());
        let sql = format!(
            "SELECT image_id FROM images WHERE image_id IN ({these}) \
             UNION SELECT image_id FROM users WHERE image_id IN ({these})"
        );
        let mut query = sqlx::query_scalar::<_, String>(&sql);
        for image in images {
            query = query.bind(image.to_string());
        }
        let kept = self.ask(async |c| query.fetch_all(c).await).await?;
        kept.into_iter().map(|id| ImageId::try_from(id).map_err(decode)).collect()
    }

    /// A user may cease to show what they show now. Said before they do: whoever looks in vain
    /// changes nothing.
    pub(super) async fn may_be_unused(&self, user: &UserId, now: u64) -> sqlx::Result<()> {
        let query = sqlx::query(
            "UPDATE images SET unused_since = $2 \
             WHERE image_id = (SELECT image_id FROM users WHERE id = $1)",
        );
        let query = query.bind(user.as_str()).bind(seconds(now));
        self.ask(async |c| query.execute(c).await).await.map(drop)
    }
}

/// Holds an image, which someone begins to show, until the transaction on this connection ends.
/// Returns whether it is
/// there to be shown: if it was removed, another may have claimed it, and not kept it yet.
pub(super) async fn hold(
    connection: &mut AnyConnection,
    picture: &NewPicture,
    now: u64,
) -> sqlx::Result<bool> {
    let query = sqlx::query(
        "UPDATE images SET unused_since = $2 \
         WHERE image_id = $1 AND life = $3 AND being_removed_since IS NULL",
    );
    let query = query.bind(picture.image_id.to_string()).bind(seconds(now));
    let held = query.bind(&picture.claim.0).execute(connection).await?;
    Ok(held.rows_affected() > 0)
}
