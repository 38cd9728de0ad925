//! Changing a user's picture.

use bytes::Bytes;
use miniature_api::UserId;
use miniature_pixels::{PixelError, Square, UploadError};
use thiserror::Error;

use super::{Metadata, Renditions, drawing::Drawing, image_id};
use crate::{
    profiles::{Profiles, SourceError},
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
    /// The profile could not be read afresh.
    #[error(transparent)]
    Profile(#[from] SourceError),
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
    profiles: Profiles,
    renditions: Renditions,
    metadata: Metadata,
}

impl Pictures {
    /// Changes pictures in this database.
    pub fn new(
        database: Database,
        profiles: Profiles,
        renditions: Renditions,
        metadata: Metadata,
    ) -> Self {
        Self { database, profiles, renditions, metadata }
    }

    /// Gives a user the picture in an uploaded file, in every size, and counts their revision up.
    ///
    /// The master is there before the record names it, so nobody is sent to a picture that is not
    /// there. A picture that the user has already changes nothing.
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
        let (master, drawing) = self.renditions.workers().run(move || draw(&upload)).await??;
        self.renditions.keep_master(image, master).await?;
        self.renditions.keep(image, &drawing).await;
        self.metadata.record(image, &drawing.metadata).await?;
        let thumbhash = drawing.metadata.thumbhash.as_str();
        let change = self.database.set_picture(user, Some((image, thumbhash))).await?;
        if let PictureChange::Changed(_) = &change {
            self.profiles.refresh(user).await?;
        }
        Ok(change)
    }
}

/// The master, and every size, so that nobody waits for one later. Keeps a core busy.
fn draw(upload: &[u8]) -> Result<(Bytes, Drawing), PictureError> {
    let square = Square::from_upload(upload)?;
    Ok((square.master()?.into(), Drawing::of(&square)?))
}
