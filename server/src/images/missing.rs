//! Images that there are not, as of a moment ago: who asks again for one does not reach the store.
//!
//! **Invariant:** what was kept here is not held to be missing, even if someone looked in vain just
//! before it was kept and says so after.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use miniature_api::ImageId;
use moka::future::Cache;

use crate::limits::Limits;

/// Images that there are not. Cheap to clone; clones share what they know.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    images: Cache<ImageId, ()>,
    /// How many images were kept here so far.
    kept: Arc<AtomicU64>,
}

/// How many images had been kept when somebody began to look for one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looked(u64);

impl Missing {
    pub(super) fn new(limits: &Limits) -> Self {
        let images = Cache::builder()
            .max_capacity(limits.missing_images)
            .time_to_live(limits.missing_image_fresh_for)
            .build();
        Self { images, kept: Arc::default() }
    }

    pub(super) fn holds(&self, image: ImageId) -> bool {
        self.images.contains_key(&image)
    }

    /// To be called before looking.
    pub(super) fn look(&self) -> Looked {
        Looked(self.kept.load(Ordering::SeqCst))
    }

    /// An image was looked for, and there is none.
    pub(super) async fn add(&self, image: ImageId, looked: Looked) {
        self.images.insert(image, ()).await;
        if self.look().0 != looked.0 {
            self.images.invalidate(&image).await; // it may have been kept meanwhile
        }
    }

    /// An image has been kept.
    pub(super) async fn forget(&self, image: ImageId) {
        self.kept.fetch_add(1, Ordering::SeqCst);
        self.images.invalidate(&image).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_while_someone_looks_for_it_is_not_missing() {
        let (missing, image) = (Missing::new(&Limits::default()), ImageId::from_bytes([7; 16]));
        let looked = missing.look();
        missing.add(image, looked).await;
        assert!(missing.holds(image));
        missing.forget(image).await;
        assert!(!missing.holds(image));
        missing.add(image, looked).await;
        assert!(!missing.holds(image), "it was kept after the look");
    }
}
