//! The files named by content of the build before stay in `dist/` for one more build: a page that a
//! browser opened before a deployment still asks for them.

use crate::dist::files;
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file's path within `dist/`, and its content.
type File = (PathBuf, Vec<u8>);

/// What lay in `dist/` before a build that empties it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PreviousBuild {
    /// What its page loads.
    own: Vec<File>,
    /// What it had kept of the build before it.
    kept: Vec<File>,
}

impl PreviousBuild {
    /// Reads the folder; of one that does not exist yet, nothing.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let with_content = |path: PathBuf| Ok((path.clone(), fs::read(folder.join(path))?));
        let (own, kept) = hashed_files(folder)?;
        let all = |paths: Vec<PathBuf>| paths.into_iter().map(with_content).collect::<Result<_>>();
        Ok(Self { own: all(own)?, kept: all(kept)? })
    }

    /// Adds to the new build what the build before loads. A build that changed nothing leaves what
    /// was kept.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub(crate) fn keep_in(self, folder: &Path) -> Result<()> {
        let (new, _) = hashed_files(folder)?;
        let is_same = self.own.iter().map(|(path, _)| path).eq(&new);
        let kept = if is_same { self.kept } else { self.own };
        for (path, content) in kept.into_iter().filter(|(path, _)| !new.contains(path)) {
            let path = folder.join(path);
            path.parent().map(fs::create_dir_all).transpose()?;
            fs::write(path, content)?;
        }
        Ok(())
    }
}

/// The files of `dist/` that belong to the build before.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn kept_files(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(hashed_files(folder)?.1)
}

/// The files named by content that the page loads, and what they load.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn own_files(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(hashed_files(folder)?.0)
}

/// The files named by content, but for compressed forms: those that the page loads, and the others.
/// The page names them, or a file that it loads does.
fn hashed_files(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let page = folder.join("index.html");
    if !page.exists() {
        return Ok((Vec::new(), Vec::new()));
    }
    let paths = files(folder)?
        .into_iter()
        .filter_map(|path| path.strip_prefix(folder).ok().map(Path::to_owned));
    let mut others: Vec<PathBuf> = paths.filter(|path| is_named_by_content(path)).collect();
    let (mut loaded, mut unread) = (Vec::new(), vec![page]);
    while let Some(next) = unread.pop() {
        let content = fs::read(next)?;
        let text = String::from_utf8_lossy(&content);
        let is_named = |path: &mut PathBuf| text.contains(&*path.to_string_lossy());
        for path in others.extract_if(.., is_named) {
            unread.push(folder.join(&path));
            loaded.push(path);
        }
    }
    loaded.sort();
    Ok((loaded, others))
}

/// As trunk and wasm-bindgen name what they write, in any part of the path: `app-0123456789abcdef.js`. Trunk
/// writes the 64 bits of a hash without zeros in front.
fn is_named_by_content(path: &Path) -> bool {
    let is_digits = |word: &str| word.bytes().all(|b| b.is_ascii_hexdigit());
    let is_hash = |word: &str| (12..=16).contains(&word.len()) && is_digits(word);
    let name = path.to_string_lossy();
    let is_compressed = name.ends_with(".br") || name.ends_with(".gz");
    !is_compressed && name.split(['-', '_', '.', '/']).any(is_hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash of trunk, which leaves out zeros in front.
    fn digits(hash: char) -> String {
        String::from(hash).repeat(if hash == 'b' { 15 } else { 16 })
    }

    /// Builds as trunk does, which empties the folder first.
    fn build(folder: &Path, hash: char) {
        let previous = PreviousBuild::read(folder).unwrap();
        let _ = fs::remove_dir_all(folder);
        let hash = digits(hash);
        fs::create_dir_all(folder.join(format!("snippets/app-{hash}"))).unwrap();
        for (name, content) in [
            (
                "index.html".into(),
                format!("<script src=/app-{hash}.js></script><script src=boot.js>"),
            ),
            (
                format!("app-{hash}.js"),
                format!("'app-{hash}_bg.wasm' './snippets/app-{hash}/inline0.js'"),
            ),
            (format!("app-{hash}.js.br"), "compressed".into()),
            (format!("app-{hash}_bg.wasm"), "program".into()),
            (format!("snippets/app-{hash}/inline0.js"), "snippet".into()),
            ("boot.js".into(), "boot".into()),
        ] {
            fs::write(folder.join(name), content).unwrap();
        }
        previous.keep_in(folder).unwrap();
    }

    /// The hashes of the builds whose files are all there.
    fn builds(folder: &Path) -> String {
        let is_there = |hash: &char| {
            let hash = digits(*hash);
            let names = ["app-H.js", "app-H_bg.wasm", "snippets/app-H/inline0.js"];
            names.iter().all(|name| folder.join(name.replace('H', &hash)).exists())
        };
        ['a', 'b', 'c'].iter().filter(|hash| is_there(hash)).collect()
    }

    #[test]
    fn the_build_before_stays_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let dist = folder.path().join("dist");
        for (hash, expected) in [('a', "a"), ('b', "ab"), ('b', "ab"), ('c', "bc"), ('a', "ac")] {
            build(&dist, hash);
            assert_eq!(builds(&dist), expected, "after {hash}");
        }
        let gone = digits('b');
        assert!(files(&dist).unwrap().iter().all(|path| !path.to_string_lossy().contains(&gone)));
    }

    #[test]
    fn what_is_kept_is_known_as_such() {
        let folder = tempfile::tempdir().unwrap();
        build(folder.path(), 'a');
        assert!(kept_files(folder.path()).unwrap().is_empty());
        build(folder.path(), 'b');
        let kept = kept_files(folder.path()).unwrap();
        assert_eq!(kept.len(), 3);
        assert!(kept.iter().all(|path| path.to_string_lossy().contains("aaaaaaaaaaaaaaaa")));
    }
}
