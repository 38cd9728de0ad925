//! What an upload costs the server in memory, at its peak.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{fs, path::Path, process::Command};

use futures_util::future::join_all;
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use miniature_api::Record;
use reqwest::{Client, StatusCode, header};
use tempfile::TempDir;

mod command_line;

use command_line::{PROGRAM, Server, client, people};

/// Above what it takes while nobody uploads, in bytes: one photograph of 12 megapixels.
const AT_MOST: u64 = 150 << 20;

/// What a picture that is refused by its head may cost, in bytes.
const NOTHING: u64 = 8 << 20;

/// One who uploads.
struct Uploader {
    server: Server,
    cookie: String,
    client: Client,
}

impl Uploader {
    async fn start(folder: &TempDir) -> Self {
        people(folder.path(), &["ada"]).await;
        let server = Server::run(Command::new(PROGRAM), folder.path(), &[]);
        let client = client();
        let cookie = server.sign_in(&client, "secret").await.unwrap();
        Self { server, cookie, client }
    }

    async fn upload(&self, picture: Vec<u8>) -> (StatusCode, String) {
        let url = self.server.url("/api/users/me/picture");
        let upload = self.client.put(url).header(header::COOKIE, &self.cookie).body(picture);
        let answer = upload.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// How much more memory the server had at most than before, in bytes.
    ///
    /// # Source
    ///
    /// proc(5): writing 5 to `clear_refs` sets the peak, `VmHWM`, to what is resident, `VmRSS`.
    async fn peak_of(&self, pictures: &[Vec<u8>]) -> (Vec<(StatusCode, String)>, u64) {
        fs::write(self.proc("clear_refs"), "5").unwrap();
        let before = self.memory("VmRSS");
        let answers = join_all(pictures.iter().map(|picture| self.upload(picture.clone()))).await;
        (answers, self.memory("VmHWM").saturating_sub(before))
    }

    fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let kibibytes = line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
        kibibytes << 10
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.server.id())
    }
}

/// 12 megapixels of something that does not compress too well, as a telephone takes them.
fn photograph(seed: u32) -> Vec<u8> {
    let mut noise = seed;
    let image = RgbImage::from_fn(4_000, 3_000, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, _, _, grain] = (noise >> 4).to_be_bytes();
        let [.., x] = (x / 16).to_be_bytes();
        let [.., y] = (y / 12).to_be_bytes();
        Rgb([x ^ (grain >> 4), y, x.wrapping_add(grain >> 5)])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 90).encode_image(&image).unwrap();
    jpeg
}

#[tokio::test]
async fn photographs_take_no_more_memory_than_foreseen() {
    let folder = tempfile::tempdir().unwrap();
    let uploader = Uploader::start(&folder).await;
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("pixels/corpus");
    let bomb = fs::read(corpus.join("large-png-400-megapixels.png")).unwrap();

    let (answers, peak) = uploader.peak_of(&[bomb]).await;
    assert_eq!(answers[0].0, 422);
    assert!(peak < NOTHING, "a bomb: {peak} bytes");

    let photographs = [1, 2].map(photograph);
    for (name, uploads) in [("one", &photographs[..1]), ("two at once", &photographs[..])] {
        let (answers, peak) = uploader.peak_of(uploads).await;
        for (status, body) in answers {
            assert_eq!(status, 200, "{name}: {body}");
            serde_json::from_str::<Record>(&body).unwrap();
        }
        println!("{name}: {} MiB of memory at the peak", peak >> 20);
        assert!(peak < AT_MOST, "{name}: {peak} bytes");
    }
}
