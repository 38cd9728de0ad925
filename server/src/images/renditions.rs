//! Renditions, from the nearest place that has them: memory, files, or made from the master.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use metrics::counter;
use miniature_api::{ImageId, Size};
use miniature_pixels::{PixelError, Square};
use moka::future::Cache;
use thiserror::Error;

use crate::{
    limits::Limits,
    metrics::{RENDITIONS_MADE, cache_hit, cache_miss},
    storage::{FileName, Files},
    workers::{WorkPanicked, Workers},
};

/// Where a rendition came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// It was in memory, or was being loaded for someone else already.
    Memory,
    /// It was a file.
    Files,
    /// It had to be made.
    Master,
}

impl Layer {
    /// Whether it was kept.
    pub fn is_hit(self) -> bool {
        matches!(self, Self::Memory | Self::Files)
    }

    /// As it stands in `Server-Timing`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Files => "files",
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
    /// The master cannot be read.
    #[error("a master cannot be read")]
    Unreadable(#[from] io::Error),
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
    files: Files,
    room: FileRoom,
    workers: Workers,
}

impl Renditions {
    /// Renditions kept in memory, and in these files.
    pub fn new(files: Files, workers: Workers, limits: &Limits) -> Self {
        let memory = Cache::builder()
            .max_capacity(limits.rendition_memory_bytes)
            .weigher(|_, bytes: &Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX))
            .time_to_idle(limits.rendition_kept_for)
            .build();
        let room = FileRoom::new(limits.rendition_file_bytes);
        Self { memory, files, room, workers }
    }

    /// Looks how much room the files take; until then they count as none.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub async fn measure(&self) -> io::Result<()> {
        let (room, files) = (self.room.clone(), self.files.clone());
        self.workers.run(move || room.trim(&files)).await.map_err(io::Error::other)?
    }

    /// A rendition. However many ask for one at once, it is loaded once, and made once.
    ///
    /// # Errors
    ///
    /// [`RenditionError::NoSuchImage`], or what is wrong with the master.
    pub async fn get(&self, image: ImageId, size: Size) -> Result<Rendition, Arc<RenditionError>> {
        let loaded_from = OnceLock::new();
        let load = async {
            let (bytes, layer) = self.load(image, size).await?;
            loaded_from.get_or_init(|| layer);
            Ok(bytes)
        };
        let bytes = self.memory.try_get_with((image, size), load).await?;
        let layer = loaded_from.get().copied().unwrap_or(Layer::Memory);
        count(layer);
        Ok(Rendition { bytes, layer })
    }

    /// Whether a rendition is in memory.
    pub fn holds(&self, image: ImageId, size: Size) -> bool {
        self.memory.contains_key(&(image, size))
    }

    async fn load(&self, image: ImageId, size: Size) -> Result<(Bytes, Layer), RenditionError> {
        if let Some(bytes) = self.read_file(image, size).await {
            return Ok((bytes, Layer::Files));
        }
        let master = self.files.read(FileName::Master(image)).await?;
        let master = master.ok_or(RenditionError::NoSuchImage)?;
        let (files, room) = (self.files.clone(), self.room.clone());
        let work = move || {
            let webp = Square::from_master(&master)?.rendition(size.px())?;
            counter!(RENDITIONS_MADE).increment(1);
            room.keep(&files, FileName::Rendition(image, size), &webp);
            Ok(webp.into())
        };
        self.workers.run(work).await?.map(|bytes| (bytes, Layer::Master))
    }

    /// A file that cannot be read, or is no WebP of its length, counts as none: it can be made again.
    async fn read_file(&self, image: ImageId, size: Size) -> Option<Bytes> {
        match self.files.read(FileName::Rendition(image, size)).await {
            Ok(bytes) => bytes.filter(|bytes| is_whole_webp(bytes)),
            Err(error) => {
                tracing::warn!(%error, "a rendition cannot be read");
                None
            }
        }
    }

    /// Keeps a rendition that was made elsewhere. Blocks.
    pub(super) fn keep(&self, image: ImageId, size: Size, webp: &[u8]) {
        counter!(RENDITIONS_MADE).increment(1);
        self.room.keep(&self.files, FileName::Rendition(image, size), webp);
    }

    /// Keeps a master. Blocks.
    pub(super) fn keep_master(&self, image: ImageId, webp: &[u8]) -> io::Result<()> {
        self.files.write(FileName::Master(image), webp)
    }

    pub(super) fn workers(&self) -> &Workers {
        &self.workers
    }
}

fn count(layer: Layer) {
    match layer {
        Layer::Memory => cache_hit("renditions", "memory", 1),
        Layer::Files => {
            cache_miss("renditions", "memory", 1);
            cache_hit("renditions", "files", 1);
        }
        Layer::Master => {
            cache_miss("renditions", "memory", 1);
            cache_miss("renditions", "files", 1);
        }
    }
}

/// Whether a file has the length that its own first bytes state.
///
/// # Source
///
/// WebP Container Specification: `RIFF`, the length of the rest as 32 bits, `WEBP`.
fn is_whole_webp(bytes: &[u8]) -> bool {
    let stated = bytes.get(4..8).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes);
    stated.is_some_and(|rest| u64::from(rest) + 8 == bytes.len() as u64)
}

/// How much room the files of renditions may take, and do.
#[derive(Clone, Debug)]
struct FileRoom {
    limit: u64,
    used: Arc<AtomicU64>,
}

impl FileRoom {
    fn new(limit: u64) -> Self {
        Self { limit, used: Arc::default() }
    }

    /// Writes a file and makes room if that was too much. A full disk costs only speed later.
    fn keep(&self, files: &Files, name: FileName, content: &[u8]) {
        let written = files.write(name, content).and_then(|()| {
            let used = self.used.fetch_add(content.len() as u64, Ordering::Relaxed);
            if used + content.len() as u64 > self.limit { self.trim(files) } else { Ok(()) }
        });
        if let Err(error) = written {
            tracing::warn!(%error, "a rendition cannot be kept");
        }
    }

    /// Trims a tenth below the limit, so that the next file does not list the folder again.
    fn trim(&self, files: &Files) -> io::Result<()> {
        let left = files.trim_renditions(self.limit - self.limit / 10)?;
        self.used.store(left, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_cut_off_counts_as_none() {
        let cases = [
            ("whole", b"RIFF\x04\0\0\0WEBP".as_slice(), true),
            ("cut off", b"RIFF\x04\0\0\0WE", false),
            ("too long", b"RIFF\x04\0\0\0WEBP!", false),
            ("empty", b"", false),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(is_whole_webp(bytes), expected, "{name}");
        }
    }
}
