//! Where the bytes of pictures are kept, as configured.

use std::path::Path;

use rusty_s3::BucketError;
use thiserror::Error;

use super::Signer;
use crate::{
    config::{ConfigError, Delivery, Storage},
    limits::Limits,
    redis::Redis,
    storage::{Files, Objects, ObjectsError},
};

/// Where the bytes of pictures are kept, and what is known of them beside the database.
#[derive(Clone, Debug)]
pub struct ImageStore {
    /// Masters; renditions too, if browsers fetch them by signed URLs.
    pub objects: Objects,
    /// Renditions, on this machine.
    pub files: Files,
    /// Signs URLs, if browsers fetch from the store.
    pub signer: Option<Signer>,
    /// What instances share.
    pub redis: Option<Redis>,
}

/// Why pictures cannot be kept as configured.
#[derive(Debug, Error)]
pub enum ImageStoreError {
    /// Settings do not go together.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder or the bucket cannot be used.
    #[error("pictures cannot be kept there: {0}")]
    Objects(#[from] ObjectsError),
    /// No URL can be signed for the bucket.
    #[error("MINIATURE_S3_ENDPOINT cannot be used: {0:?}")]
    Bucket(BucketError),
}

impl ImageStore {
    /// All of it in a folder, made if it is not there.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made.
    pub fn in_folder(folder: &Path) -> Result<Self, ImageStoreError> {
        let (objects, files) = (Objects::in_folder(folder)?, Files::new(folder));
        Ok(Self { objects, files, signer: None, redis: None })
    }

    /// As configured.
    ///
    /// # Errors
    ///
    /// What cannot be used.
    pub fn open(
        storage: &Storage,
        redis: Option<Redis>,
        limits: &Limits,
    ) -> Result<Self, ImageStoreError> {
        let (folder, s3) = (storage.data.join("images"), storage.s3.store()?);
        let objects = match &s3 {
            Some(s3) => Objects::in_bucket(s3)?,
            None => Objects::in_folder(&folder)?,
        };
        let signer = match (storage.delivery, &s3) {
            (Delivery::Proxy, _) => None,
            (Delivery::Presigned, None) => return Err(ConfigError::NothingToSignFor.into()),
            (Delivery::Presigned, Some(s3)) => {
                Some(Signer::new(s3, limits).map_err(ImageStoreError::Bucket)?)
            }
        };
        Ok(Self { objects, files: Files::new(&folder), signer, redis })
    }
}
