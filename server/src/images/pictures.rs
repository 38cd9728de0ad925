//! Changing a user's picture.

use std::io;

use bytes::Bytes;
use miniature_api::{ImageId, Size, UserId};
use miniature_pixels::{PixelError, Square, UploadError};
use thiserror::Error;

use super::{Renditions, image_id};
use crate::{
    profiles::{Profiles, SourceError},
    storage::{Database, PictureChange},
    workers::WorkPanicked,
};

/// Why a picture was not changed.
#[derive(Debug, Error)]
pub enum PictureError {
    /// The upload is at fault.
    #[error(transparent)]
    Refused(#[from] UploadError),
    /// The disk refused.
    #[error("a picture cannot be kept")]
    Files(#[from] io::Error),
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
}

impl Pictures {
    /// Changes pictures in this database.
    pub fn new(database: Database, profiles: Profiles, renditions: Renditions) -> Self {
        Self { database, profiles, renditions }
    }

    /// Gives a user the picture in an uploaded file, in every size, and counts their revision up.
    ///
    /// The files are there before the record names them, so nobody is sent to a picture that is
    /// not there. A picture that the user has already changes nothing.
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
        let renditions = self.renditions.clone();
        let keep = move || keep(&renditions, image, &upload);
        let thumbhash = self.renditions.workers().run(keep).await??;
        let change = self.database.set_picture(user, Some((image, &thumbhash))).await?;
        if let PictureChange::Changed(_) = &change {
            self.profiles.refresh(user).await?;
        }
        Ok(change)
    }
}

/// Keeps a picture in every size, so that nobody waits for one later. Returns its ThumbHash.
fn keep(renditions: &Renditions, image: ImageId, upload: &[u8]) -> Result<String, PictureError> {
    let square = Square::from_upload(upload)?;
    renditions.keep_master(image, &square.master()?)?;
    for size in Size::ALL {
        renditions.keep(image, size, &square.rendition(size.px())?);
    }
    Ok(square.thumbhash()?)
}
