//! What an upload costs the server in memory, at its peak.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use futures_util::future::join_all;
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use miniature_api::Record;
use miniature_server::{
    sign_in::hash_password,
    storage::{Database, NewPerson},
};
use reqwest::{Client, StatusCode, header};
use serde_json::json;
use tempfile::TempDir;

/// Above what it takes while nobody uploads, in bytes: one photograph of 12 megapixels.
const AT_MOST: u64 = 150 << 20;

/// What a picture that is refused by its head may cost, in bytes.
const NOTHING: u64 = 8 << 20;

/// A server that is ended when dropped.
struct Server {
    process: Child,
    address: String,
    cookie: String,
    client: Client,
}

impl Server {
    async fn start(folder: &TempDir) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_miniature-server"))
            .env_clear()
            .env("MINIATURE_DATA", folder.path())
            .env("MINIATURE_LISTEN", "127.0.0.1:0")
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address =
            lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned));
        let (address, client) = (address.unwrap(), Client::new());
        let body = json!({ "username": "ada", "password": "secret" });
        let session = client.post(format!("{address}/api/session")).json(&body);
        let answer = session.send().await.unwrap();
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { process, address, cookie, client }
    }

    async fn upload(&self, picture: Vec<u8>) -> (StatusCode, String) {
        let url = format!("{}/api/users/me/picture", self.address);
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
        format!("/proc/{}/{file}", self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
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

async fn server(folder: &TempDir) -> Server {
    drop(rustls::crypto::ring::default_provider().install_default());
    let ada = NewPerson {
        user_id: "ada".parse().unwrap(),
        name: "Ada".to_owned(),
        headline: String::new(),
        password_hash: Some(hash_password("secret").unwrap()),
    };
    let database = Database::open(folder.path()).await.unwrap();
    database.add_people(&[ada], &[]).await.unwrap();
    database.close().await;
    Server::start(folder).await
}

#[tokio::test]
async fn photographs_take_no_more_memory_than_foreseen() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder).await;
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("pixels/corpus");
    let bomb = fs::read(corpus.join("large-png-400-megapixels.png")).unwrap();

    let (answers, peak) = server.peak_of(&[bomb]).await;
    assert_eq!(answers[0].0, 422);
    assert!(peak < NOTHING, "a bomb: {peak} bytes");

    let photographs = [1, 2].map(photograph);
    for (name, uploads) in [("one", &photographs[..1]), ("two at once", &photographs[..])] {
        let (answers, peak) = server.peak_of(uploads).await;
        for (status, body) in answers {
            assert_eq!(status, 200, "{name}: {body}");
            serde_json::from_str::<Record>(&body).unwrap();
        }
        println!("{name}: {} MiB of memory at the peak", peak >> 20);
        assert!(peak < AT_MOST, "{name}: {peak} bytes");
    }
}
