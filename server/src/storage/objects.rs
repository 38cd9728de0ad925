//! Pictures that are kept as long as they are shown: files in a folder, or objects in a bucket of an
//! S3-compatible store.
//!
//! ```text
//! masters/ab/{image_id}.webp            what was uploaded, re-encoded
//! renditions/ab/{image_id}-{size}.webp  where browsers fetch from the bucket themselves
//! ```
//!
//! **Invariant:** an object that is returned is whole. One that was cut off on its way is an error,
//! and a missing one is none.

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use miniature_api::ImageId;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, Error as StoreError, ObjectStore,
    ObjectStoreExt, PutOptions, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem,
};
use thiserror::Error;

use super::FileName;
use crate::{breaker::Breaker, config::S3, tls};

/// How long until it is clear that nobody listens there.
const CONNECTS_WITHIN: Duration = Duration::from_secs(1);

/// How long one try may take: objects have 300 kB at most.
const ONE_TRY: Duration = Duration::from_secs(2);

/// How long all tries together may take: a request of ours waits for them.
const ALL_TRIES: Duration = Duration::from_secs(4);

/// How often it is tried again; the pauses are random, and begin with 50 ms.
const RETRIES: usize = 2;

/// How many bytes of a WebP tell whether it is whole.
const WEBP_HEAD: u64 = 12;

/// What a browser may do with an object that it fetched by a signed URL: its name is its content.
const CACHING: &str = "private, max-age=31536000, immutable";

/// A folder or a bucket. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    place: Place,
    breaker: Breaker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Folder,
    Bucket,
}

/// Objects cannot be had or kept now; a moment later perhaps.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("objects cannot be had or kept now: {0}")]
pub struct ObjectsAway(String);

/// Why the place for objects cannot be used at all.
#[derive(Debug, Error)]
pub enum ObjectsError {
    /// The folder cannot be made or read.
    #[error(transparent)]
    Folder(#[from] io::Error),
    /// The store is named by unusable values.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why one call brought nothing.
#[derive(Debug, Error)]
enum CallError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("an answer was cut off")]
    CutOff,
}

impl Objects {
    /// Files in a folder, made if it is not there. What is written survives a crash of the machine.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made.
    pub fn in_folder(folder: &Path) -> Result<Self, ObjectsError> {
        fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?;
        // Folders stay when they are empty: one that goes while a file is put into it fails the put.
        let store = store.with_fsync(true);
        Ok(Self::of(Arc::new(store), Place::Folder))
    }

    /// Objects in a bucket. Connects when first used, so that the store may be away at the start.
    ///
    /// # Errors
    ///
    /// If what names the store is unusable.
    pub fn in_bucket(s3: &S3) -> Result<Self, ObjectsError> {
        tls::choose_provider();
        let client = ClientOptions::new()
            .with_allow_http(s3.endpoint.as_url().scheme() == "http")
            .with_connect_timeout(CONNECTS_WITHIN)
            .with_timeout(ONE_TRY);
        let first_pause = Duration::from_millis(50);
        let store = AmazonS3Builder::new()
            .with_endpoint(s3.endpoint.as_url().as_str().trim_end_matches('/'))
            .with_bucket_name(&s3.bucket)
            .with_region(&s3.region)
            .with_access_key_id(&s3.access_key)
            .with_secret_access_key(&s3.secret_key.0)
            .with_client_options(client)
            .with_retry(RetryConfig {
                backoff: BackoffConfig { init_backoff: first_pause, ..BackoffConfig::default() },
                max_retries: RETRIES,
                retry_timeout: ALL_TRIES,
            })
            .build()?;
        Ok(Self::of(Arc::new(store), Place::Bucket))
    }

    fn of(store: Arc<dyn ObjectStore>, place: Place) -> Self {
        Self { store, place, breaker: Breaker::new("images", ALL_TRIES) }
    }

    /// What an object holds, or none if there is no such object.
    ///
    /// # Errors
    ///
    /// If it cannot be told now, or came damaged.
    pub async fn get(&self, name: FileName) -> Result<Option<Bytes>, ObjectsAway> {
        let bytes = self.call(read(&*self.store, name)).await?;
        // On its way, bytes get lost and may come next time; what is wrong on our own disk stays so.
        let lost = |bytes: &Bytes| self.place == Place::Bucket && !is_whole_webp(bytes);
        if bytes.as_ref().is_some_and(lost) {
            tracing::warn!(?name, "an object came damaged");
            return Err(ObjectsAway("an object came damaged".to_owned()));
        }
        Ok(bytes)
    }

    /// Whether there is such an object.
    ///
    /// # Errors
    ///
    /// If it cannot be told now.
    pub async fn has(&self, name: FileName) -> Result<bool, ObjectsAway> {
        let path = name.key().into();
        self.call(async { Ok(found(self.store.head(&path).await)?.is_some()) }).await
    }

    /// Keeps an object. It is there as a whole, or not at all.
    ///
    /// # Errors
    ///
    /// If it cannot be kept now.
    pub async fn put(&self, name: FileName, webp: Bytes) -> Result<(), ObjectsAway> {
        let options = PutOptions { attributes: self.attributes(), ..PutOptions::default() };
        let path = name.key().into();
        let put = self.store.put_opts(&path, webp.into(), options);
        self.call(async { Ok(put.await.map(drop)?) }).await
    }

    /// Keeps an object unless it is there already, and whole: its name is its content.
    ///
    /// # Errors
    ///
    /// If it cannot be kept now.
    pub async fn put_once(&self, name: FileName, webp: Bytes) -> Result<(), ObjectsAway> {
        if self.has_whole(name).await? { Ok(()) } else { self.put(name, webp).await }
    }

    /// Told from its first bytes and its length. What is there is not compared with what would be
    /// put: another version of the encoder may have written it.
    async fn has_whole(&self, name: FileName) -> Result<bool, ObjectsAway> {
        let path = name.key().into();
        self.call(async {
            let Some(about) = found(self.store.head(&path).await)? else { return Ok(false) };
            if about.size < WEBP_HEAD {
                return Ok(false);
            }
            let head = found(self.store.get_range(&path, 0..WEBP_HEAD).await)?;
            Ok(head.is_some_and(|head| begins_whole_webp(&head, about.size)))
        })
        .await
    }

    /// Whether the store says of a missing object that it is missing. If not, it takes us for someone
    /// who may not know, and no upload succeeds.
    ///
    /// # Errors
    ///
    /// If it does not answer now.
    ///
    /// # Source
    ///
    /// Amazon S3, `HeadObject`: without `s3:ListBucket` a missing object is answered with 403.
    pub async fn tells_what_is_missing(&self) -> Result<bool, ObjectsAway> {
        let path = FileName::Master(ImageId::from_bytes([0; 16])).key().into();
        match self.store.head(&path).await {
            Ok(_) | Err(StoreError::NotFound { .. }) => Ok(true),
            Err(StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }) => {
                Ok(false)
            }
            Err(error) => Err(ObjectsAway(error.to_string())),
        }
    }

    /// Removes an object, if it is there.
    ///
    /// # Errors
    ///
    /// If it cannot be removed now; it may be gone nevertheless.
    pub async fn remove(&self, name: FileName) -> Result<(), ObjectsAway> {
        let path = name.key().into();
        self.call(async { Ok(found(self.store.delete(&path).await).map(drop)?) }).await
    }

    /// What the store tells a browser that fetches from it. Files have no place for that.
    fn attributes(&self) -> Attributes {
        match self.place {
            Place::Folder => Attributes::new(),
            Place::Bucket => Attributes::from_iter([
                (Attribute::ContentType, "image/webp"),
                (Attribute::CacheControl, CACHING),
            ]),
        }
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, ObjectsAway> {
        self.breaker.call(call).await.map_err(|error| ObjectsAway(error.to_string()))
    }
}

async fn read(store: &dyn ObjectStore, name: FileName) -> Result<Option<Bytes>, CallError> {
    let Some(answer) = found(store.get(&name.key().into()).await)? else { return Ok(None) };
    let stated = answer.meta.size;
    let bytes = answer.bytes().await?;
    if bytes.len() as u64 == stated { Ok(Some(bytes)) } else { Err(CallError::CutOff) }
}

/// A missing object is an answer, not an error.
fn found<T>(answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether bytes have the length that their first ones state.
///
/// # Source
///
/// WebP Container Specification: `RIFF`, the length of the rest as 32 bits, `WEBP`.
pub(crate) fn is_whole_webp(bytes: &[u8]) -> bool {
    begins_whole_webp(bytes, bytes.len() as u64)
}

/// Whether the first bytes of so many state that there are as many.
fn begins_whole_webp(bytes: &[u8], length: u64) -> bool {
    let (head, kind) = (bytes.get(..4), bytes.get(8..12));
    let stated = bytes.get(4..8).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes);
    let whole = stated.is_some_and(|rest| u64::from(rest) + 8 == length);
    whole && head == Some(b"RIFF") && kind == Some(b"WEBP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_were_cut_off_are_no_webp() {
        let cases = [
            ("whole", b"RIFF\x04\0\0\0WEBP".as_slice(), true),
            ("cut off", b"RIFF\x04\0\0\0WE", false),
            ("too long", b"RIFF\x04\0\0\0WEBP!", false),
            ("something else", b"<xml\x04\0\0\0page", false),
            ("empty", b"", false),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(is_whole_webp(bytes), expected, "{name}");
        }
    }

    #[tokio::test]
    async fn what_is_there_already_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::in_folder(folder.path()).unwrap();
        let name = FileName::Master(ImageId::from_bytes([7; 16]));
        assert_eq!(objects.get(name).await, Ok(None));

        let webp = |first| {
            Bytes::copy_from_slice(&[b"RIFF\x06\0\0\0WEBP", [first; 2].as_slice()].concat())
        };
        objects.put_once(name, webp(1)).await.unwrap();
        objects.put_once(name, webp(2)).await.unwrap();

        assert_eq!(objects.get(name).await, Ok(Some(webp(1))));
        let file = folder.path().join(name.key());
        assert!(file.is_file(), "as it was always called");
        for damaged in [webp(1).slice(..13), webp(1).slice(..3), Bytes::new(), [0; 14][..].into()] {
            fs::write(&file, &damaged).unwrap();
            objects.put_once(name, webp(3)).await.unwrap();
            assert_eq!(objects.get(name).await, Ok(Some(webp(3))), "{damaged:?}");
        }
    }
}
