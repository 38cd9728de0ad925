//! Renditions as files: bounded in bytes, the least recently used out first, there after a restart.
//!
//! **Invariant:** it costs speed at worst. A file that cannot be read, or is no WebP of its length,
//! counts as none; one that cannot be written is not kept; a disk that hangs is left alone.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use miniature_api::{ImageId, Size};
use tokio::task::spawn_blocking;

use crate::{
    breaker::Breaker,
    storage::{FileName, Files, is_whole_webp},
};

/// How long the disk may take. What it holds can be made again in about that.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// How many files are marked as used in one call to the disk.
const MARKED_AT_ONCE: usize = 256;

/// Renditions as files. Cheap to clone; clones share what they know.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    room: FileRoom,
    reads: Breaker,
    writes: Breaker,
}

/// How many bytes the files may take, and do.
#[derive(Clone, Debug)]
struct FileRoom {
    files: Files,
    limit: u64,
    used: Arc<AtomicU64>,
    /// Held by the one who lists the folder and removes files.
    trimming: Arc<Mutex<()>>,
}

impl Shelf {
    /// At most this many bytes, in these files. Until they are measured, they count as none.
    pub(super) fn new(files: Files, limit: u64) -> Self {
        let room = FileRoom { files, limit, used: Arc::default(), trimming: Arc::default() };
        let reads = Breaker::new("image_cache_reads", ANSWERS_WITHIN);
        let writes = Breaker::new("image_cache_writes", ANSWERS_WITHIN);
        Self { room, reads, writes }
    }

    /// Looks how much room the files take, and removes what is too much.
    pub(super) async fn measure(&self) -> io::Result<()> {
        let room = self.room.clone();
        spawn_blocking(move || room.trim()).await.map_err(io::Error::other)?
    }

    pub(super) async fn get(&self, image: ImageId, size: Size) -> Option<Bytes> {
        let read = self.room.files.read(FileName::Rendition(image, size));
        let bytes = self.reads.call(read).await.ok().flatten();
        bytes.filter(|bytes| is_whole_webp(bytes))
    }

    pub(super) async fn put(&self, image: ImageId, size: Size, webp: Bytes) {
        let room = self.room.clone();
        let write = spawn_blocking(move || room.put(FileName::Rendition(image, size), &webp));
        let written = async { write.await.map_err(io::Error::other)? };
        // A failure was logged by the breaker, once a minute.
        let _ = self.writes.call(written).await;
    }

    /// Marks files as used, where they are there.
    pub(super) async fn mark_used(&self, names: &[(ImageId, Size)]) {
        for names in names.chunks(MARKED_AT_ONCE) {
            let (files, names) = (self.room.files.clone(), names.to_vec());
            let mark = spawn_blocking(move || {
                names
                    .into_iter()
                    .try_for_each(|(image, size)| files.mark_used(FileName::Rendition(image, size)))
            });
            let marked = async { mark.await.map_err(io::Error::other)? };
            let _ = self.writes.call(marked).await;
        }
    }

    pub(super) async fn remove(&self, image: ImageId, size: Size) {
        let room = self.room.clone();
        let remove = spawn_blocking(move || room.remove(FileName::Rendition(image, size)));
        let removed = async { remove.await.map_err(io::Error::other)? };
        let _ = self.writes.call(removed).await;
    }

    /// Removes masters that were not written to their end, from one of the 256 folders.
    pub(super) async fn remove_unfinished(&self, folder: u8) {
        let files = self.room.files.clone();
        let remove = spawn_blocking(move || files.remove_unfinished(folder));
        let removed = async { remove.await.map_err(io::Error::other)? };
        let _ = self.writes.call(removed).await;
    }

    /// Of which images there are files in one of the 256 folders.
    pub(super) async fn images(&self, folder: u8) -> HashSet<ImageId> {
        let files = self.room.files.clone();
        let list = spawn_blocking(move || files.rendered_images(folder));
        let listed = async { list.await.map_err(io::Error::other)? };
        self.reads.call(listed).await.unwrap_or_default()
    }
}

impl FileRoom {
    /// Writes a file, and makes room if that was too much.
    fn put(&self, name: FileName, webp: &[u8]) -> io::Result<()> {
        self.files.write(name, webp)?;
        let bytes = webp.len() as u64;
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if used > self.limit { self.trim() } else { Ok(()) }
    }

    fn remove(&self, name: FileName) -> io::Result<()> {
        let bytes = self.files.remove(name)?;
        let less = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        Ok(())
    }

    /// Trims a tenth below the limit, so that the next file does not list the folder again.
    fn trim(&self) -> io::Result<()> {
        let Ok(_alone) = self.trimming.try_lock() else { return Ok(()) };
        let left = self.files.trim_renditions(self.limit - self.limit / 10)?;
        self.used.store(left, Ordering::Relaxed);
        Ok(())
    }
}
