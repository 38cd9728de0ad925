//! Hints: where a rendition can be fetched until some time.
//!
//! ```text
//! proxy      /images/{image_id}?size=N, on this origin, for good
//! presigned  a signed URL of the S3 store; kept in memory ─▶ Redis ─▶ signed
//! ```
//!
//! A URL signed at a time works for an hour. Times are rounded down to windows of ten minutes, so a
//! fresh URL has 50 to 60 minutes left. It is handed out until 50 minutes after the time in its
//! signature, so whoever gets it has ten minutes at least, however long it was kept and rounded. What
//! is left is told in whole windows, rounded down: so for ten minutes the same is told of a picture,
//! and a browser that keeps it is never promised too much.
//!
//! **Invariant:** a URL is a hint. With the store away the hint is to this server, which may have
//! the rendition nearer; and what is wrong in a cache of hints never goes out.

use std::{
    collections::HashMap,
    future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use miniature_api::{Hint, ImageId, Size};
use moka::future::Cache;
use serde::{Deserialize, Serialize};

use super::{CONTENT_TYPE, Metadata, RenditionError, Renditions, signer::Signer};
use crate::{
    clock::Clock,
    limits::Limits,
    metrics::{cache_hit, cache_miss},
    profiles::Layer,
    redis::Redis,
    storage::FileName,
};

/// How many hints are looked up at once.
const AT_ONCE: usize = 16;

/// Every hint. Cheap to clone; clones share what is kept.
#[derive(Clone, Debug)]
pub struct Hints {
    signer: Option<Signer>,
    memory: Cache<(ImageId, Size), Signed>,
    redis: Option<Redis>,
    metadata: Metadata,
    renditions: Renditions,
    clock: Clock,
    limits: Limits,
}

/// A URL, and the time in its signature in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Signed {
    url: Arc<str>,
    signed_at: u64,
}

impl Hints {
    /// Hints to these renditions: signed ones if there is someone to sign them.
    pub fn new(
        signer: Option<Signer>,
        metadata: Metadata,
        renditions: Renditions,
        redis: Option<Redis>,
        limits: &Limits,
    ) -> Self {
        let memory =
            Cache::builder().max_capacity(limits.hints).time_to_live(limits.hint_kept_for).build();
        let (clock, limits) = (Clock::system(), limits.clone());
        Self { signer, memory, redis, metadata, renditions, clock, limits }
    }

    /// Goes by this clock.
    #[must_use]
    pub fn timed_by(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Whether there is such an image, and so a rendition of this size.
    ///
    /// # Errors
    ///
    /// [`RenditionError::NoSuchImage`]; or nothing is known of it and its master cannot be read.
    pub async fn find(&self, image: ImageId, size: Size) -> Result<(), Arc<RenditionError>> {
        match self.metadata.get(image).await {
            // What is in memory and in files is known without the database.
            Err(error) if matches!(*error, RenditionError::Unrecorded) => {
                self.renditions.get(image, size).await.map(drop)
            }
            known => known.map(drop),
        }
    }

    /// Where a rendition can be fetched, and from how far that came.
    ///
    /// # Errors
    ///
    /// If nothing is known of the image and its master cannot be read.
    pub async fn get(
        &self,
        image: ImageId,
        size: Size,
    ) -> Result<(Hint, Layer), Arc<RenditionError>> {
        let (content_type, bytes, layer) = match self.metadata.get(image).await {
            Ok((known, layer)) => (known.content_type.clone(), known.bytes_of(size).into(), layer),
            // The rendition itself tells, and is needed next.
            Err(error) if matches!(*error, RenditionError::Unrecorded) => {
                let rendition = Box::pin(self.renditions.get(image, size)).await?;
                (CONTENT_TYPE.to_owned(), rendition.bytes.len() as u64, Layer::Source)
            }
            Err(error) => return Err(error),
        };
        let hint = |url, expires_in_s| Hint { url, expires_in_s, content_type, bytes };
        if let Some(signer) = &self.signer
            && let Ok((signed, signed_layer)) = Box::pin(self.signed(signer, image, size)).await
        {
            let left = signer.left(signed.signed_at, self.clock.now());
            return Ok((hint(signed.url.to_string(), Some(left)), layer.max(signed_layer)));
        }
        Ok((hint(format!("/images/{image}?size={size}"), None), layer))
    }

    /// Signed URLs of those of the images that have one. In proxy delivery, or with the store away, none
    /// has.
    pub async fn signed_of(&self, images: &[ImageId], size: Size) -> HashMap<ImageId, Hint> {
        if self.signer.is_none() {
            return HashMap::new();
        }
        let each = stream::iter(images.iter().copied());
        let each = each.map(async |image| Some((image, self.get(image, size).await.ok()?.0)));
        let found = each.buffered(AT_ONCE).filter_map(future::ready);
        found.filter(|(_, hint)| future::ready(hint.expires_in_s.is_some())).collect().await
    }

    async fn signed(
        &self,
        signer: &Signer,
        image: ImageId,
        size: Size,
    ) -> Result<(Signed, Layer), Arc<RenditionError>> {
        let key = (image, size);
        if self.memory.get(&key).await.is_some_and(|signed| !self.is_usable(&signed)) {
            self.memory.invalidate(&key).await;
        }
        let loaded_from = OnceLock::new();
        let load = async {
            let (signed, layer) = self.load(signer, image, size).await?;
            loaded_from.get_or_init(|| layer);
            Ok::<_, Arc<RenditionError>>(signed)
        };
        let signed = self.memory.try_get_with(key, load).await.map_err(|error| (*error).clone())?;
        let layer = loaded_from.get().copied().unwrap_or(Layer::Memory);
        count(layer, self.redis.as_ref());
        Ok((signed, layer))
    }

    async fn load(
        &self,
        signer: &Signer,
        image: ImageId,
        size: Size,
    ) -> Result<(Signed, Layer), Arc<RenditionError>> {
        let name = FileName::Rendition(image, size);
        if let Some(signed) = self.shared(signer, image, size).await {
            return Ok((signed, Layer::Redis));
        }
        self.renditions.see_published(image, size).await?;
        let signed_at = signer.window_start(self.clock.now());
        let url = signer.sign(name, signed_at).ok_or(RenditionError::NoSuchImage)?;
        let signed = Signed { url: url.into(), signed_at };
        self.share(image, size, &signed).await;
        Ok((signed, Layer::Source))
    }

    /// What Redis holds, if we would have signed it so: the store, the key and its name may have
    /// changed since.
    async fn shared(&self, signer: &Signer, image: ImageId, size: Size) -> Option<Signed> {
        let json = self.redis.as_ref()?.get(&key(image, size)).await?;
        let signed = serde_json::from_slice::<Signed>(&json).ok()?;
        let ours = signer.sign(FileName::Rendition(image, size), signed.signed_at)?;
        (*signed.url == *ours && self.is_usable(&signed)).then_some(signed)
    }

    async fn share(&self, image: ImageId, size: Size, signed: &Signed) {
        let Some(redis) = &self.redis else { return };
        let Ok(json) = serde_json::to_vec(signed) else { return };
        let age = Duration::from_secs(self.clock.now().saturating_sub(signed.signed_at));
        let kept_for = self.limits.hint_kept_for.saturating_sub(age);
        redis.set(&key(image, size), signed.signed_at, &json, kept_for).await;
    }

    /// Drops every hint to an image that is no more.
    pub(super) async fn forget(&self, image: ImageId) {
        for size in Size::ALL {
            self.memory.invalidate(&(image, size)).await;
            if let Some(redis) = &self.redis {
                redis.remove(&key(image, size)).await;
            }
        }
    }

    /// Whether a URL may still be handed out. One from the future is by a clock that was set back.
    fn is_usable(&self, signed: &Signed) -> bool {
        let age = self.clock.now().checked_sub(signed.signed_at);
        age.is_some_and(|age| age < self.limits.hint_kept_for.as_secs())
    }
}

/// Counts an answer; Redis missed it only if there is one.
fn count(layer: Layer, redis: Option<&Redis>) {
    if layer != Layer::Memory {
        cache_miss("hints", "memory", 1);
    }
    match layer {
        Layer::Memory => cache_hit("hints", "memory", 1),
        Layer::Redis => cache_hit("hints", "redis", 1),
        Layer::Source if redis.is_some() => cache_miss("hints", "redis", 1),
        Layer::Source => {}
    }
}

/// Where a rendition's hint is in Redis.
fn key(image: ImageId, size: Size) -> String {
    format!("profile_pic:url:{image}:{size}")
}
