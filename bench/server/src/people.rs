//! The people of the benchmark: the demo people, whose friends have real photographs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use miniature_api::{FriendsPage, ImageId, UserId};
use tempfile::TempDir;

use crate::process::{Server, sibling};

/// How many friends have a photograph: as many as are on a page.
const PHOTOGRAPHS: u32 = 50;

/// What a photograph shows, and how large it is, in pixels.
const ORIGINALS: [(&str, u32, u32); 4] = [
    ("astronaut.jpg", 512, 512),
    ("chelsea.jpg", 451, 300),
    ("coffee.jpg", 600, 400),
    ("rocket.jpg", 640, 427),
];

/// The edge of a cut, in pixels.
const CUT: u32 = 280;

/// The people, in a folder that is gone when dropped.
#[derive(Debug)]
pub struct People {
    folder: TempDir,
}

/// A friend who has a picture.
#[derive(Clone, Debug)]
pub struct Friend {
    /// Who.
    pub user: UserId,
    /// Their picture.
    pub image: ImageId,
}

impl People {
    /// Creates them.
    ///
    /// # Errors
    ///
    /// If vips or the server fails.
    pub fn create() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let cuts = folder.path().join("photographs");
        std::fs::create_dir(&cuts)?;
        for n in 0..PHOTOGRAPHS {
            cut(n, &cuts)?;
        }
        let people = Self { folder };
        let mut demo = Command::new(sibling("miniature-server")?);
        demo.args(["demo", "--data"]).arg(people.data()).arg("--pictures").arg(&cuts);
        ensure!(demo.status()?.success(), "the demo people were not created");
        Ok(people)
    }

    /// Their photographs, as files.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn photographs(&self) -> Result<Vec<Vec<u8>>> {
        let files = std::fs::read_dir(self.folder.path().join("photographs"))?;
        files.map(|file| Ok(std::fs::read(file?.path())?)).collect()
    }

    /// Where the server keeps them.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Removes every rendition that is kept as a file.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn forget_renditions(&self) -> Result<()> {
        let folder = self.data().join("images/renditions");
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())
    }
}

/// The friends with a picture on the first page of whoever is signed in.
///
/// # Errors
///
/// If the server does not answer.
pub async fn friends(server: &Server) -> Result<Vec<Friend>> {
    let page = serde_json::from_slice::<FriendsPage>(&server.get("/api/friends").await?)?;
    let friends = page.friends.into_iter();
    let friends = friends.filter_map(|friend| {
        Some(Friend { user: friend.user_id, image: friend.picture.image_id? })
    });
    Ok(friends.collect())
}

/// A photograph that comes with the benchmark.
pub(crate) fn photograph(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("photographs").join(name)
}

/// Cuts the n-th photograph out of one of the originals, each at another place.
fn cut(n: u32, folder: &Path) -> Result<()> {
    let (name, width, height) = ORIGINALS[n as usize % ORIGINALS.len()];
    let (left, top) = (n * 37 % (width - CUT), n * 23 % (height - CUT));
    let edge = CUT.to_string();
    let file = folder.join(format!("{n:02}.jpg"));
    vips(
        &["crop"],
        &[&photograph(name), &file],
        &[&left.to_string(), &top.to_string(), &edge, &edge],
    )
}

/// Runs `vips` with words, paths and words.
pub(crate) fn vips(before: &[&str], paths: &[&Path], after: &[&str]) -> Result<()> {
    let mut command = Command::new("vips");
    command.args(before).args(paths).args(after);
    let output = command.output().context("cannot start vips")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
