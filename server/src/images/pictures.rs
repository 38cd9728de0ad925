//! Changing a user's picture.

use std::sync::Arc;

use bytes::Bytes;
use miniature_api::{ImageId, Record, UserId};
use miniature_pixels::{PixelError, Square, UploadError, memory_for};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Metadata, Renditions, drawing::Drawing, image_id};
use crate::{
    changes::Changes,
    limits::Limits,
    storage::{Database, ObjectsAway, PictureChange},
    workers::WorkPanicked,
};

/// Why a picture was not changed.
#[derive(Debug, Error)]
pub enum PictureError {
    /// The upload is at fault.
    #[error(transparent)]
    Refused(#[from] UploadError),
    /// The place for masters does not answer.
    #[error("a picture cannot be kept")]
    Away(#[from] ObjectsAway),
    /// The database refused.
    #[error("a picture cannot be recorded")]
    Database(#[from] sqlx::Error),
    /// The server is stopping.
    #[error("the change was lost")]
    Lost,
}

/// A codec that fails or panics on decoded pixels says that the upload is at fault.
impl From<PixelError> for PictureError {
    fn from(_: PixelError) -> Self {
        Self::Refused(UploadError::Undecodable)
    }
}

impl From<WorkPanicked> for PictureError {
    fn from(_: WorkPanicked) -> Self {
        Self::Refused(UploadError::Undecodable)
    }
}

/// Changes pictures. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pictures {
    database: Database,
    renditions: Renditions,
    metadata: Metadata,
    memory: DecodingMemory,
    changes: Changes,
    /// As many uploads as there are workers stand in their line. The others wait here, so that who
    /// signs in or asks for a rendition does not wait behind all of them.
    turns: Arc<Semaphore>,
}

impl Pictures {
    /// Changes pictures in this database.
    pub fn new(
        database: Database,
        renditions: Renditions,
        metadata: Metadata,
        changes: Changes,
        limits: &Limits,
    ) -> Self {
        let memory = DecodingMemory::new(limits.decoding_bytes);
        let turns = Arc::new(Semaphore::new(renditions.workers().count()));
        Self { database, renditions, metadata, memory, changes, turns }
    }

    /// Gives a user the picture in an uploaded file, in every size, and counts their revision up.
    ///
    /// The master is there before the record names it, so nobody is sent to a picture that is not
    /// there. A picture that the user has already changes nothing. Whoever may know of a new one is
    /// told.
    ///
    /// # Errors
    ///
    /// [`PictureError::Refused`] if the upload is at fault; else what failed here.
    pub async fn set_picture(
        &self,
        user: &UserId,
        upload: Bytes,
    ) -> Result<PictureChange, PictureError> {
        let image = image_id(&upload);
        let thumbhash = self.keep(image, upload).await?;
        self.change(user, Some((image, thumbhash))).await
    }

    /// Takes a user's picture away, and counts their revision up. Who has none keeps none.
    ///
    /// # Errors
    ///
    /// What failed here.
    pub async fn remove_picture(&self, user: &UserId) -> Result<PictureChange, PictureError> {
        self.change(user, None).await
    }

    /// Keeps a picture in every size. Returns its ThumbHash.
    async fn keep(&self, image: ImageId, upload: Bytes) -> Result<String, PictureError> {
        let (master, drawing) = self.draw(upload).await?;
        self.renditions.keep_master(image, master).await?;
        self.renditions.keep(image, &drawing).await;
        self.metadata.record(image, &drawing.metadata).await?;
        Ok(drawing.metadata.thumbhash)
    }

    /// Waits for its turn, for a core and for memory.
    async fn draw(&self, upload: Bytes) -> Result<(Bytes, Drawing), PictureError> {
        let _turn = self.turns.acquire().await; // never closed
        let workers = self.renditions.workers();
        let head = upload.clone();
        let bytes = workers.run(move || memory_for(&head)).await??;
        let memory = self.memory.take(bytes).await;
        let work = move || {
            let _memory = memory; // given back when the work is done, not when its waiter has gone
            draw(&upload)
        };
        workers.run(work).await?
    }

    /// Changes the record. Once begun it is finished, even if whoever asked has gone: what is in the
    /// database is told to every cache.
    async fn change(
        &self,
        user: &UserId,
        picture: Option<(ImageId, String)>,
    ) -> Result<PictureChange, PictureError> {
        let (this, user) = (self.clone(), user.clone());
        let change = tokio::spawn(async move {
            let picture = picture.as_ref().map(|(image, hash)| (*image, hash.as_str()));
            let change = this.database.set_picture(&user, picture).await?;
            if let PictureChange::Changed(record) = &change {
                this.tell(record).await;
            }
            Ok(change)
        });
        change.await.map_err(|_| PictureError::Lost)?
    }

    /// Tells of a new record whoever shows the old one. The change itself has happened, so nothing
    /// that fails here makes it undone.
    async fn tell(&self, record: &Record) {
        if let Err(error) = self.changes.picture(record.clone()).await {
            tracing::warn!(%error, "a profile was changed and could not be read afresh");
        }
    }
}

/// The master, and every size, so that nobody waits for one later. Keeps a core busy.
///
/// The sizes are drawn from the master, as they are when they are lost: so they are the same bytes,
/// wherever and whenever they were drawn, as their ETag says.
fn draw(upload: &[u8]) -> Result<(Bytes, Drawing), PictureError> {
    let master = Bytes::from(Square::from_upload(upload)?.master()?);
    let drawing = Drawing::of(&Square::from_master(&master)?)?;
    Ok((master, drawing))
}

/// How much memory decoding may take, counted in MiB. As many pictures are decoded at once as fit.
#[derive(Clone, Debug)]
struct DecodingMemory {
    left: Arc<Semaphore>,
    all: u32,
}

impl DecodingMemory {
    fn new(bytes: u64) -> Self {
        let all = mebibytes(bytes);
        Self { left: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Waits for so much memory, or for all of it. None is left untaken by whoever waits first.
    async fn take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let share = mebibytes(bytes).min(self.all);
        Arc::clone(&self.left).acquire_many_owned(share).await.ok() // never closed
    }
}

/// Rounded up.
fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX)
}
