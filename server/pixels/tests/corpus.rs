//! Files that broke something once, here or elsewhere, or were made to. What becomes of each, the start
//! of its name tells: `fine`, `undecodable`, `large` or `unknown`; `found` ones only must not panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{fs, path::Path};

use miniature_pixels::{Square, UploadError, memory_for};

/// The first word of what becomes of an upload.
fn outcome(upload: &[u8]) -> &'static str {
    match Square::from_upload(upload) {
        Ok(square) => {
            let edge = square.edge() as usize;
            assert!((1..=1_024).contains(&edge));
            assert_eq!(square.rgba().len(), edge * edge * 4);
            "fine"
        }
        Err(UploadError::UnknownType) => "unknown",
        Err(UploadError::TooLarge { .. }) => "large",
        Err(UploadError::TooCostly { .. }) => "costly",
        Err(UploadError::Undecodable) => "undecodable",
        Err(UploadError::TooLong) => "long",
    }
}

#[test]
fn every_damaged_file_ends_as_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name == "README.md" {
            continue;
        }
        let upload = fs::read(path).unwrap();
        let outcome = outcome(&upload);
        let expected = name.split('-').next().unwrap();
        if expected != outcome && expected != "found" {
            wrong.push(format!("{name}: {outcome}"));
        }
        assert!(outcome != "fine" || memory_for(&upload).is_ok(), "{name}: foreseen");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
