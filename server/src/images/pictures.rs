//! Changing a user's picture.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use miniature_api::{ImageId, UserId};
use miniature_pixels::{PixelError, Square, UploadError, memory_for};
use thiserror::Error;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use super::{Metadata, Renditions, drawing::Drawing, image_id};
use crate::{
    changes::Changes,
    clock::Clock,
    limits::Limits,
    profiles::SourceError,
    storage::{Claim, NewPicture, ObjectsAway, PictureChange},
    workers::WorkPanicked,
};

/// How often a picture is kept again that is being removed meanwhile.
const KEPT_AT_MOST: usize = 20;

/// In about this time a picture is removed.
const REMOVED_WITHIN: Duration = Duration::from_millis(100);

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
    /// The same picture is being removed just now, since nobody has shown it for long.
    #[error("the picture is being removed; try again in a moment")]
    BeingRemoved,
    /// Nobody can say whose picture it is.
    #[error("a picture cannot be given to its user")]
    Ungiven(#[from] SourceError),
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
    renditions: Renditions,
    metadata: Metadata,
    memory: DecodingMemory,
    changes: Changes,
    clock: Clock,
    /// As many uploads as there are workers stand in their line. The others wait here, so that who
    /// signs in or asks for a rendition does not wait behind all of them.
    turns: Arc<Semaphore>,
}

impl Pictures {
    /// Changes pictures, and tells of it through these.
    pub fn new(
        renditions: Renditions,
        metadata: Metadata,
        changes: Changes,
        limits: &Limits,
    ) -> Self {
        let memory = DecodingMemory::new(limits.decoding_bytes);
        let turns = Arc::new(Semaphore::new(renditions.workers().count()));
        let clock = Clock::system();
        Self { renditions, metadata, memory, changes, clock, turns }
    }

    /// Goes by this clock.
    #[must_use]
    pub fn timed_by(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Gives a user the picture in an uploaded file, in every size, and counts their revision up.
    ///
    /// The master is there before the record names it, so nobody is sent to a picture that is not
    /// there; what is being removed meanwhile, since nobody has shown it for long, is kept again. A
    /// picture that the user has already changes nothing. Whoever may know of it is told.
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
        let (master, drawing) = self.draw(upload).await?;
        for _ in 0..KEPT_AT_MOST {
            let Some(claim) = self.keep(image, &master, &drawing).await? else {
                sleep(REMOVED_WITHIN).await;
                continue;
            };
            let thumbhash = drawing.metadata.thumbhash.clone();
            let picture = NewPicture { image_id: image, thumbhash, claim };
            if let Some(change) = self.change(user, Some(picture)).await? {
                return Ok(change);
            }
        }
        Err(PictureError::BeingRemoved)
    }

    /// How much memory an upload takes while it is worked on, in bytes.
    ///
    /// # Errors
    ///
    /// [`PictureError::Refused`] if that is too much, or its head says that it is no picture.
    pub async fn memory_for(&self, upload: &Bytes) -> Result<u64, PictureError> {
        let upload = upload.clone();
        Ok(self.renditions.workers().run(move || memory_for(&upload)).await??)
    }

    /// Takes a user's picture away, and counts their revision up. Who has none keeps none.
    ///
    /// # Errors
    ///
    /// What failed here.
    pub async fn remove_picture(&self, user: &UserId) -> Result<PictureChange, PictureError> {
        self.change(user, None).await?.ok_or(PictureError::Ungiven(SourceError::Lost))
    }

    /// Keeps a picture in every size; its row first, so that what nobody comes to show is found
    /// there. None while it is being removed.
    async fn keep(
        &self,
        image: ImageId,
        master: &Bytes,
        drawing: &Drawing,
    ) -> Result<Option<Claim>, PictureError> {
        let known = &drawing.metadata;
        let Some(claim) = self.metadata.claim(image, known, self.clock.now()).await? else {
            return Ok(None);
        };
        self.renditions.keep_master(image, master.clone()).await?;
        self.renditions.keep(image, drawing).await;
        self.metadata.learn(image, known).await;
        Ok(Some(claim))
    }

    /// Waits for its turn, for a core and for memory.
    async fn draw(&self, upload: Bytes) -> Result<(Bytes, Drawing), PictureError> {
        let _turn = self.turns.acquire().await; // never closed
        let memory = self.memory.take(self.memory_for(&upload).await?).await;
        let work = move || {
            let _memory = memory; // given back when the work is done, not when its waiter has gone
            draw(&upload)
        };
        self.renditions.workers().run(work).await?
    }

    /// None if the picture has been removed meanwhile.
    async fn change(
        &self,
        user: &UserId,
        picture: Option<NewPicture>,
    ) -> Result<Option<PictureChange>, PictureError> {
        Ok(self.changes.picture(user, picture, self.clock.now()).await?)
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
