//! What is known of images without reading them, from the nearest place that has it.
//!
//! ```text
//! get ─▶ memory ─▶ Redis ─▶ database ─▶ drawn again from the master
//! ```
//!
//! It follows from the image alone, so it is never old: lifetimes only bound what is held.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use miniature_api::ImageId;
use moka::future::Cache;

use super::{RenditionError, Renditions};
use crate::{
    limits::Limits,
    metrics::{cache_hit, cache_miss},
    profiles::Layer,
    redis::Redis,
    storage::{Claim, Database, ImageMetadata},
};

/// Every version of an image's metadata in Redis is the same one.
const VERSION: u64 = 0;

/// What is known of every image. Cheap to clone; clones share what is kept.
#[derive(Clone, Debug)]
pub struct Metadata {
    memory: Cache<ImageId, Arc<ImageMetadata>>,
    redis: Option<Redis>,
    kept_for: Duration,
    database: Database,
    renditions: Renditions,
}

impl Metadata {
    /// What this database knows of these renditions.
    pub fn new(
        database: Database,
        renditions: Renditions,
        redis: Option<Redis>,
        limits: &Limits,
    ) -> Self {
        let kept_for = limits.image_metadata_kept_for;
        let memory =
            Cache::builder().max_capacity(limits.image_metadata).time_to_live(kept_for).build();
        Self { memory, redis, kept_for, database, renditions }
    }

    /// What is known of an image, and from how far it came. However many ask at once, one looks.
    ///
    /// # Errors
    ///
    /// [`RenditionError::Unrecorded`] while the database is away; or if nobody knows, and it cannot be
    /// drawn again.
    pub async fn get(
        &self,
        image: ImageId,
    ) -> Result<(Arc<ImageMetadata>, Layer), Arc<RenditionError>> {
        let (known, layer) = match self.memory.get(&image).await {
            Some(known) => (known, Layer::Memory),
            None => Box::pin(self.load_once(image)).await?,
        };
        count(layer, self.redis.as_ref());
        Ok((known, layer))
    }

    async fn load_once(
        &self,
        image: ImageId,
    ) -> Result<(Arc<ImageMetadata>, Layer), Arc<RenditionError>> {
        let loaded_from = OnceLock::new();
        let load = async {
            let (known, layer) = self.load(image).await?;
            loaded_from.get_or_init(|| layer);
            Ok(Arc::new(known))
        };
        let known = self.memory.try_get_with(image, load).await?;
        Ok((known, loaded_from.get().copied().unwrap_or(Layer::Memory)))
    }

    async fn load(&self, image: ImageId) -> Result<(ImageMetadata, Layer), RenditionError> {
        if let Some(known) = self.shared(image).await {
            return Ok((known, Layer::Redis));
        }
        let recorded = self.database.image(image).await;
        let known = match recorded.map_err(|_| RenditionError::Unrecorded)? {
            Some(known) => known,
            None => self.draw_again(image).await?,
        };
        self.share(image, &known).await;
        Ok((known, Layer::Source))
    }

    /// For images that were kept before anything was recorded of them.
    async fn draw_again(&self, image: ImageId) -> Result<ImageMetadata, RenditionError> {
        let known = self.renditions.draw_again(image).await?;
        let shown = 0; // by somebody probably, which is looked at later
        if let Err(error) = self.database.add_image(image, &known, shown).await {
            tracing::warn!(%image, %error, "what is known of an image was not recorded");
        }
        Ok(known)
    }

    async fn shared(&self, image: ImageId) -> Option<ImageMetadata> {
        let json = self.redis.as_ref()?.get(&key(image)).await?;
        serde_json::from_slice(&json).ok()
    }

    async fn share(&self, image: ImageId, known: &ImageMetadata) {
        let Some(redis) = &self.redis else { return };
        let Ok(json) = serde_json::to_vec(known) else { return };
        redis.set(&key(image), VERSION, &json, self.kept_for).await;
    }

    /// Records that an image is about to be kept; if nobody comes to show it, it counts as unused
    /// since then. None while it is being removed.
    pub(super) async fn claim(
        &self,
        image: ImageId,
        known: &ImageMetadata,
        now: u64,
    ) -> sqlx::Result<Option<Claim>> {
        self.database.add_image(image, known, now).await
    }

    /// Keeps what is known of an image, which is recorded, near.
    pub(super) async fn learn(&self, image: ImageId, known: &ImageMetadata) {
        self.share(image, known).await;
        self.memory.insert(image, Arc::new(known.clone())).await;
    }

    /// Drops what is known of an image that is no more.
    pub(super) async fn forget(&self, image: ImageId) {
        self.memory.invalidate(&image).await;
        if let Some(redis) = &self.redis {
            redis.remove(&key(image)).await;
        }
    }
}

/// Counts an answer; Redis missed it only if there is one.
fn count(layer: Layer, redis: Option<&Redis>) {
    if layer != Layer::Memory {
        cache_miss("metadata", "memory", 1);
    }
    match layer {
        Layer::Memory => cache_hit("metadata", "memory", 1),
        Layer::Redis => cache_hit("metadata", "redis", 1),
        Layer::Source if redis.is_some() => cache_miss("metadata", "redis", 1),
        Layer::Source => {}
    }
}

/// Where an image's metadata is in Redis.
fn key(image: ImageId) -> String {
    format!("profile_pic:meta:{image}")
}
