//! Renditions as files, on this machine's disk: each appears whole or not at all.

use std::{
    collections::HashSet,
    fs::{self, File, FileTimes},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use miniature_api::{ImageId, Size};
use tokio::task::spawn_blocking;

/// Nobody is still writing to a file that was not changed for so long.
const UNFINISHED: Duration = Duration::from_secs(60 * 60);

/// Names a file, or an object, by the content it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileName {
    /// The upload re-encoded, from which renditions are made.
    Master(ImageId),
    /// One size of an image.
    Rendition(ImageId, Size),
}

impl FileName {
    /// Its name within the folder or bucket of all images. Spread over 256 folders, so that none
    /// grows long.
    pub fn key(self) -> String {
        match self {
            Self::Master(id) => {
                let id = id.to_string();
                format!("masters/{}/{id}.webp", &id[..2])
            }
            Self::Rendition(id, size) => {
                let id = id.to_string();
                format!("renditions/{}/{id}-{size}.webp", &id[..2])
            }
        }
    }
}

/// The folder of image files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Files in this folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// What a file holds, or none if there is no such file.
    ///
    /// # Errors
    ///
    /// If the file is there and cannot be read.
    pub async fn read(&self, name: FileName) -> io::Result<Option<Bytes>> {
        let path = self.folder.join(name.key());
        spawn_blocking(move || read_and_touch(&path)).await.map_err(io::Error::other)?
    }

    /// Writes a file. Blocks: it waits for the disk.
    ///
    /// # Errors
    ///
    /// If the disk refuses; no part of the file is there then.
    pub fn write(&self, name: FileName, content: &[u8]) -> io::Result<()> {
        let path = self.folder.join(name.key());
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    }

    /// Removes masters that were not written to their end, among those whose id begins with this byte:
    /// whoever wrote them was killed. Blocks. Returns how many.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read, or the disk refuses.
    pub fn remove_unfinished(&self, first: u8) -> io::Result<usize> {
        let entries = match fs::read_dir(self.folder.join(format!("masters/{first:02x}"))) {
            Ok(entries) => entries,
            Err(error) => return unless_gone(error).map(|()| 0),
        };
        // As `object_store` names a file until it is whole.
        let unfinished = entries.flatten().filter(|file| {
            file.file_name().to_string_lossy().contains(".webp#") && is_older_than(file, UNFINISHED)
        });
        let mut removed = 0;
        for file in unfinished {
            fs::remove_file(file.path()).or_else(unless_gone)?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Marks a file as used now, if it is there. Blocks.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn mark_used(&self, name: FileName) -> io::Result<()> {
        touch(&self.folder.join(name.key())).or_else(unless_gone)
    }

    /// Removes a file, if it is there. Blocks. Returns how many bytes it had.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn remove(&self, name: FileName) -> io::Result<u64> {
        let path = self.folder.join(name.key());
        match fs::metadata(&path).and_then(|about| fs::remove_file(&path).map(|()| about.len())) {
            Ok(bytes) => Ok(bytes),
            Err(error) => unless_gone(error).map(|()| 0),
        }
    }

    /// Of which images there are renditions whose id begins with this byte. Blocks.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn rendered_images(&self, first: u8) -> io::Result<HashSet<ImageId>> {
        let entries = match fs::read_dir(self.folder.join(format!("renditions/{first:02x}"))) {
            Ok(entries) => entries,
            Err(error) => return unless_gone(error).map(|()| HashSet::new()),
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.split_once('-')?.0.parse().ok()).collect())
    }

    /// Removes renditions, those used longest ago first, until at most this many bytes are left.
    /// Blocks. Returns how many bytes are left. Files that go meanwhile are no reason to stop.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn trim_renditions(&self, to_bytes: u64) -> io::Result<u64> {
        let mut files = list(&self.folder.join("renditions"))?;
        files.sort_by_key(|file| file.used_at);
        let mut total = files.iter().map(|file| file.bytes).sum::<u64>();
        for file in files {
            if total <= to_bytes {
                break;
            }
            if let Err(error) = fs::remove_file(&file.path) {
                unless_gone(error)?;
            }
            total -= file.bytes;
        }
        Ok(total)
    }
}

fn read_and_touch(path: &Path) -> io::Result<Option<Bytes>> {
    let content = match fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if let Err(error) = touch(path) {
        tracing::debug!(%error, "a file's time of use was not kept");
    }
    Ok(Some(content.into()))
}

/// A file's time of change is its time of last use: content never changes.
#[expect(clippy::disallowed_methods, reason = "compared with times that the file system sets")]
fn touch(path: &Path) -> io::Result<()> {
    File::open(path)?.set_times(FileTimes::new().set_modified(SystemTime::now()))
}

/// Whether a file has not been written to for some time.
#[expect(clippy::disallowed_methods, reason = "compared with times that the file system sets")]
fn is_older_than(file: &fs::DirEntry, span: Duration) -> bool {
    let changed = file.metadata().and_then(|about| about.modified()).ok();
    let age = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
    age.is_some_and(|age| age > span)
}

/// A rendition on disk.
struct Listed {
    path: PathBuf,
    bytes: u64,
    used_at: SystemTime,
}

/// Every file two levels down; none if the folder is not there.
/// What cannot be read is not ours, or no use.
fn list(folder: &Path) -> io::Result<Vec<Listed>> {
    let mut files = Vec::new();
    if !folder.exists() {
        return Ok(files);
    }
    for shelf in fs::read_dir(folder)?.flatten() {
        match fs::read_dir(shelf.path()) {
            Ok(entries) => files.extend(entries.flatten().filter_map(|file| listed(&file))),
            Err(error) => tracing::warn!(path = ?shelf.path(), %error, "no folder of renditions"),
        }
    }
    Ok(files)
}

/// A file, unless it is none, or has gone.
fn listed(file: &fs::DirEntry) -> Option<Listed> {
    let about = file.metadata().ok().filter(fs::Metadata::is_file)?;
    Some(Listed { path: file.path(), bytes: about.len(), used_at: about.modified().ok()? })
}

/// What is gone is as good as removed.
fn unless_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(first: u8) -> ImageId {
        ImageId::from_bytes([first; 16])
    }

    #[tokio::test]
    async fn a_file_reads_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path());
        let name = FileName::Rendition(image(7), Size::S64);
        assert_eq!(files.read(name).await.unwrap(), None);

        files.write(name, b"first").unwrap();
        files.write(name, b"second").unwrap();

        assert_eq!(files.read(name).await.unwrap().unwrap(), "second");
        assert_eq!(files.read(FileName::Master(image(7))).await.unwrap(), None);
    }

    #[test]
    fn what_is_no_rendition_is_passed_by() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path());
        files.write(FileName::Rendition(image(1), Size::S64), &[0; 10]).unwrap();
        let renditions = folder.path().join("renditions");
        fs::write(renditions.join("a stray file"), "from elsewhere").unwrap();
        fs::create_dir(renditions.join("lost+found")).unwrap();
        fs::create_dir(renditions.join("lost+found/inside")).unwrap();
        assert_eq!(files.trim_renditions(100).unwrap(), 10);
        assert_eq!(files.trim_renditions(0).unwrap(), 0);
    }

    #[test]
    fn a_master_that_was_not_finished_is_removed_and_one_under_way_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path());
        files.write(FileName::Master(image(7)), &[0; 10]).unwrap();
        let master = folder.path().join(FileName::Master(image(7)).key());
        let staged = |n| PathBuf::from(format!("{}#{n}", master.display()));
        for (n, age) in [(1, UNFINISHED * 2), (2, Duration::ZERO)] {
            fs::write(staged(n), [0; 5]).unwrap();
            let changed =
                File::open(&master).unwrap().metadata().unwrap().modified().unwrap() - age;
            let times = FileTimes::new().set_modified(changed);
            File::open(staged(n)).unwrap().set_times(times).unwrap();
        }
        assert_eq!(
            (files.remove_unfinished(8).unwrap(), files.remove_unfinished(7).unwrap()),
            (0, 1)
        );
        assert_eq!((staged(1).exists(), staged(2).exists(), master.exists()), (false, true, true));
    }

    #[tokio::test]
    async fn the_renditions_used_longest_ago_go_first_and_masters_stay() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path());
        let names = [1, 2, 3].map(|n| FileName::Rendition(image(n), Size::S64));
        files.write(FileName::Master(image(1)), &[0; 100]).unwrap();
        for (age, name) in (1..).zip(names) {
            files.write(name, &[0; 10]).unwrap();
            let used_at = SystemTime::UNIX_EPOCH + Duration::from_secs(age);
            let file = File::open(folder.path().join(name.key())).unwrap();
            file.set_times(FileTimes::new().set_modified(used_at)).unwrap();
        }
        files.read(names[0]).await.unwrap(); // used again

        assert_eq!(files.trim_renditions(20).unwrap(), 20);

        assert!(files.read(names[0]).await.unwrap().is_some());
        assert!(files.read(names[1]).await.unwrap().is_none());
        assert!(files.read(names[2]).await.unwrap().is_some());
        assert!(files.read(FileName::Master(image(1))).await.unwrap().is_some());
    }
}
