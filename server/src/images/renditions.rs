//! Renditions, from the nearest place that has them.
//!
//! ```text
//! get ─▶ memory ─▶ files ─▶ objects, where they are published ─▶ made from the master
//! ```
//!
//! **Invariant:** a rendition that is handed out or kept is whole. With the store of masters away,
//! what is nearer goes out as ever, and the rest is said to be away, not missing.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use metrics::counter;
use miniature_api::{ImageId, Size};
use miniature_pixels::{PixelError, Square};
use moka::future::Cache;
use thiserror::Error;
use tokio::{sync::Semaphore, time::timeout};

use super::{drawing::Drawing, missing::Missing, shelf::Shelf};
use crate::{
    limits::Limits,
    metrics::{RENDITIONS_MADE, cache_hit, cache_miss},
    storage::{FileName, Files, ImageMetadata, Objects, ObjectsAway},
    workers::{WorkPanicked, Workers},
};

/// How long the store may take to count as there. Who asks has little patience.
const SOON: Duration = Duration::from_millis(500);

/// Where a rendition came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// It was in memory, or was being loaded for someone else already.
    Memory,
    /// It was a file.
    Files,
    /// It was in the store from which browsers fetch it.
    Objects,
    /// It had to be made.
    Master,
}

impl Layer {
    /// Whether it was kept.
    pub fn is_hit(self) -> bool {
        matches!(self, Self::Memory | Self::Files | Self::Objects)
    }

    /// As it stands in `Server-Timing`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Files => "files",
            Self::Objects => "objects",
            Self::Master => "master",
        }
    }
}

/// The bytes of a rendition.
#[derive(Clone, Debug)]
pub struct Rendition {
    /// A WebP.
    pub bytes: Bytes,
    /// Where it came from.
    pub layer: Layer,
}

/// Why there is no rendition.
#[derive(Debug, Error)]
pub enum RenditionError {
    /// There is no such image.
    #[error("there is no such image")]
    NoSuchImage,
    /// The store of masters does not answer.
    #[error(transparent)]
    Away(#[from] ObjectsAway),
    /// The database does not say what is known of it.
    #[error("what is known of an image cannot be read")]
    Unrecorded,
    /// The master is damaged.
    #[error("a master is damaged: {0}")]
    Damaged(String),
    /// A codec panicked.
    #[error(transparent)]
    Panicked(#[from] WorkPanicked),
}

impl From<PixelError> for RenditionError {
    fn from(error: PixelError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Every rendition. Cheap to clone; clones share what is kept.
#[derive(Clone, Debug)]
pub struct Renditions {
    memory: Cache<(ImageId, Size), Bytes>,
    missing: Missing,
    shelf: Shelf,
    objects: Objects,
    /// Whether browsers fetch renditions from the store of masters, so that they must be there too.
    published: bool,
    loads: Arc<Semaphore>,
    workers: Workers,
}

impl Renditions {
    /// Renditions kept in memory, and in these files; their masters are among these objects, and so
    /// are they if they are `published`.
    pub fn new(
        objects: Objects,
        files: Files,
        published: bool,
        workers: Workers,
        limits: &Limits,
    ) -> Self {
        let memory = Cache::builder()
            .max_capacity(limits.rendition_memory_bytes)
            .weigher(|_, bytes: &Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX))
            .time_to_idle(limits.rendition_kept_for)
            .build();
        let missing = Missing::new(limits);
        let shelf = Shelf::new(files, limits.rendition_file_bytes);
        let loads = Arc::new(Semaphore::new(limits.rendition_loads));
        Self { memory, missing, shelf, objects, published, loads, workers }
    }

    /// Looks how much room the files take; until then they count as none.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub async fn measure(&self) -> io::Result<()> {
        self.shelf.measure().await
    }

    /// A rendition. However many ask for one at once, it is loaded once, and made once.
    ///
    /// # Errors
    ///
    /// [`RenditionError::NoSuchImage`], or what is wrong with the master or its store.
    pub async fn get(&self, image: ImageId, size: Size) -> Result<Rendition, Arc<RenditionError>> {
        let rendition = match self.held(image, size).await {
            Some(bytes) => Rendition { bytes, layer: Layer::Memory },
            None => Box::pin(self.load_once(image, size)).await?,
        };
        count(rendition.layer, self.published);
        Ok(rendition)
    }

    /// Whether a rendition is in memory.
    pub fn holds(&self, image: ImageId, size: Size) -> bool {
        self.memory.contains_key(&(image, size))
    }

    /// A rendition if it is in memory. Counts nothing: who looks may go on to [`Self::get`].
    pub async fn held(&self, image: ImageId, size: Size) -> Option<Bytes> {
        self.memory.get(&(image, size)).await
    }

    /// Whether the store of masters answers soon. Asks it.
    pub async fn store_answers(&self) -> bool {
        let any = FileName::Master(ImageId::from_bytes([0; 16]));
        timeout(SOON, self.objects.has(any)).await.is_ok_and(|answer| answer.is_ok())
    }

    async fn load_once(
        &self,
        image: ImageId,
        size: Size,
    ) -> Result<Rendition, Arc<RenditionError>> {
        let loaded_from = OnceLock::new();
        let load = async {
            let (bytes, layer) = self.load(image, size).await?;
            loaded_from.get_or_init(|| layer);
            Ok(bytes)
        };
        let bytes = self.memory.try_get_with((image, size), load).await?;
        Ok(Rendition { bytes, layer: loaded_from.get().copied().unwrap_or(Layer::Memory) })
    }

    async fn load(&self, image: ImageId, size: Size) -> Result<(Bytes, Layer), RenditionError> {
        if let Some(bytes) = self.shelf.get(image, size).await {
            return Ok((bytes, Layer::Files));
        }
        if self.missing.holds(image) {
            return Err(RenditionError::NoSuchImage);
        }
        let _place = self.loads.acquire().await; // never closed
        let loaded = match self.published(image, size).await? {
            Some(bytes) => (bytes, Layer::Objects),
            None => (self.make(image, size).await?, Layer::Master),
        };
        self.shelf.put(image, size, loaded.0.clone()).await;
        Ok(loaded)
    }

    async fn published(&self, image: ImageId, size: Size) -> Result<Option<Bytes>, ObjectsAway> {
        if !self.published {
            return Ok(None);
        }
        self.objects.get(FileName::Rendition(image, size)).await
    }

    async fn make(&self, image: ImageId, size: Size) -> Result<Bytes, RenditionError> {
        let master = self.master(image).await?;
        let work = move || super::drawing::rendition(&Square::from_master(&master)?, size);
        let bytes = self.workers.run(work).await??;
        counter!(RENDITIONS_MADE).increment(1);
        self.publish(image, size, bytes.clone()).await;
        Ok(bytes)
    }

    async fn master(&self, image: ImageId) -> Result<Bytes, RenditionError> {
        let looked = self.missing.look();
        let master = self.objects.get(FileName::Master(image)).await?;
        if master.is_none() {
            self.missing.add(image, looked).await;
        }
        master.ok_or(RenditionError::NoSuchImage)
    }

    /// Puts a rendition where browsers fetch it. If that fails, the next hint to it tries again.
    async fn publish(&self, image: ImageId, size: Size, webp: Bytes) {
        if self.published {
            // A failure was logged by the breaker, once a minute.
            let _ = self.objects.put(FileName::Rendition(image, size), webp).await;
        }
    }

    /// Sees to it that browsers find a rendition in the store.
    pub(super) async fn see_published(
        &self,
        image: ImageId,
        size: Size,
    ) -> Result<(), Arc<RenditionError>> {
        let name = FileName::Rendition(image, size);
        if self.objects.has(name).await.map_err(away)? {
            return Ok(());
        }
        let rendition = self.get(image, size).await?;
        self.objects.put_once(name, rendition.bytes).await.map_err(away)
    }

    /// Draws every size of an image again. Returns what is known of them.
    pub(super) async fn draw_again(&self, image: ImageId) -> Result<ImageMetadata, RenditionError> {
        let _place = self.loads.acquire().await; // never closed
        let master = self.master(image).await?;
        let work = move || Drawing::of(&Square::from_master(&master)?);
        let drawing = self.workers.run(work).await??;
        self.keep(image, &drawing).await;
        Ok(drawing.metadata)
    }

    /// Keeps what was drawn, in files and where it is published.
    pub(super) async fn keep(&self, image: ImageId, drawing: &Drawing) {
        counter!(RENDITIONS_MADE).increment(drawing.renditions.len() as u64);
        let kept = drawing.renditions.iter().map(|(size, webp)| async {
            self.shelf.put(image, *size, webp.clone()).await;
            self.publish(image, *size, webp.clone()).await;
        });
        join_all(kept).await;
    }

    /// Keeps a master until nobody shows it any more, unless it is there already.
    pub(super) async fn keep_master(&self, image: ImageId, webp: Bytes) -> Result<(), ObjectsAway> {
        let kept = self.objects.put_once(FileName::Master(image), webp).await;
        self.missing.forget(image).await;
        kept
    }

    /// Removes an image for good: its master first, so that nothing is drawn of it any more.
    pub(super) async fn remove(&self, image: ImageId) -> Result<(), ObjectsAway> {
        self.objects.remove(FileName::Master(image)).await?;
        self.forget(image).await;
        for size in Size::ALL {
            self.objects.remove(FileName::Rendition(image, size)).await?;
        }
        Ok(())
    }

    /// Drops what is held here of an image that is no more.
    pub(super) async fn forget(&self, image: ImageId) {
        for size in Size::ALL {
            self.memory.invalidate(&(image, size)).await;
            self.shelf.remove(image, size).await;
        }
    }

    /// Marks the files of what is in memory as used: nobody reads them, and they would seem unused for
    /// longer than those that are hardly asked for. Returns how many are in memory.
    pub async fn mark_held(&self) -> usize {
        let held = self.memory.iter().map(|(key, _)| *key).collect::<Vec<_>>();
        self.shelf.mark_used(&held).await;
        held.len()
    }

    /// Removes masters that were not written to their end, from one of the 256 folders.
    pub(super) async fn remove_unfinished(&self, folder: u8) {
        self.shelf.remove_unfinished(folder).await;
    }

    /// Says in the log if the store lets nobody upload, which no answer would tell.
    pub async fn check_store(&self) {
        if self.objects.tells_what_is_missing().await == Ok(false) {
            tracing::warn!(
                "the S3 store says 403 of what is not there: its key needs s3:ListBucket on the \
                 bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on what is in it"
            );
        }
    }

    /// Of which images there is anything in memory, or in one of the 256 folders of files.
    pub(super) async fn held_images(&self, folder: u8) -> Vec<ImageId> {
        let mut images = self.memory.iter().map(|(key, _)| key.0).collect::<HashSet<_>>();
        images.extend(self.shelf.images(folder).await);
        images.into_iter().collect()
    }

    pub(super) fn workers(&self) -> &Workers {
        &self.workers
    }
}

fn away(error: ObjectsAway) -> Arc<RenditionError> {
    Arc::new(RenditionError::Away(error))
}

/// Counts an answer, and whoever was asked before; objects are asked only where they are published.
fn count(layer: Layer, published: bool) {
    let passed = match layer {
        Layer::Memory => return cache_hit("renditions", "memory", 1),
        Layer::Files => &["memory"][..],
        Layer::Master if published => &["memory", "files", "objects"],
        Layer::Objects | Layer::Master => &["memory", "files"],
    };
    passed.iter().for_each(|layer| cache_miss("renditions", layer, 1));
    if layer.is_hit() {
        cache_hit("renditions", layer.name(), 1);
    }
}
