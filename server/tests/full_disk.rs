//! A disk of renditions that is really full: a small file system of its own, mounted for the server
//! alone.
//!
//! Where the system lets nobody mount one, this says so and checks nothing; then the test with a file
//! in the folder's place (`api/delivery.rs`) stands for it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use miniature_api::{Record, Size};
use miniature_server::{
    sign_in::hash_password,
    storage::{Database, NewPerson},
};
use reqwest::{Client, StatusCode, header};
use serde_json::json;
use tempfile::TempDir;

/// Mounts a file system of 256 KiB and fills it to the last byte, then becomes the program named.
const ON_A_FULL_DISK: &str = "mkdir -p \"$0\" && mount -t tmpfs -o size=256k tmpfs \"$0\" || exit 1; \
     dd if=/dev/zero of=\"$0/filler\" bs=4k 2> /dev/null; exec \"$@\"";

/// What runs with a folder that is a full disk. It is the same process that the program becomes.
fn on_a_full_disk(folder: &Path, program: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", ON_A_FULL_DISK]);
    command.arg(folder).arg(program);
    command
}

/// A server with such a folder of renditions, that is killed when dropped.
struct Server {
    process: Child,
    address: String,
    client: Client,
    cookie: String,
    renditions: PathBuf,
}

impl Server {
    async fn start(data: &TempDir) -> Self {
        let renditions = data.path().join("images/renditions");
        let mut process = on_a_full_disk(&renditions, env!("CARGO_BIN_EXE_miniature-server"))
            .env("MINIATURE_DATA", data.path())
            .env("MINIATURE_LISTEN", "127.0.0.1:0")
            .env("MINIATURE_PICTURE_CHANGES_PER_USER", "100000")
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
        // As the server sees it; we do not.
        let seen = renditions.strip_prefix("/").unwrap();
        let renditions = Path::new("/proc").join(process.id().to_string()).join("root").join(seen);
        Self { process, address, client, cookie, renditions }
    }

    /// Uploads a picture, and asks for it in every size.
    async fn upload_and_ask(&self, shade: u8) {
        let url = format!("{}/api/users/me/picture", self.address);
        let upload = self.client.put(url).header(header::COOKIE, &self.cookie).body(png(shade));
        let answer = upload.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "an upload");
        let image = answer.json::<Record>().await.unwrap().image_id.unwrap();
        for size in Size::ALL {
            let url = format!("{}/images/{image}?size={size}", self.address);
            let answer = self.client.get(url).header(header::COOKIE, &self.cookie).send().await;
            assert_eq!(answer.unwrap().status(), StatusCode::OK, "{size}");
        }
    }

    /// How many bytes of files there are beside the one that fills the disk.
    fn bytes_kept(&self) -> u64 {
        let shelves = fs::read_dir(&self.renditions).unwrap().map(|shelf| shelf.unwrap().path());
        let files =
            shelves.filter(|shelf| shelf.is_dir()).flat_map(|shelf| fs::read_dir(shelf).unwrap());
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn png(shade: u8) -> Vec<u8> {
    let mut pixels = tiny_skia::Pixmap::new(300, 200).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(shade, 90, 160, 255));
    pixels.encode_png().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_renditions_costs_speed_alone_until_there_is_room() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let data = tempfile::tempdir().unwrap();
    let tried = on_a_full_disk(&data.path().join("tried"), "true").status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("nothing can be mounted here: a full disk was not tried");
        return;
    }
    let ada = NewPerson {
        user_id: "ada".parse().unwrap(),
        name: "Ada".to_owned(),
        headline: String::new(),
        password_hash: Some(hash_password("secret").unwrap()),
    };
    let database = Database::open(data.path()).await.unwrap();
    database.add_people(&[ada], &[]).await.unwrap();
    database.close().await;
    let server = Server::start(&data).await;

    for shade in 1..=5 {
        server.upload_and_ask(shade).await;
    }
    assert!(server.renditions.join("filler").exists(), "it is the disk that the server has");
    assert_eq!(server.bytes_kept(), 0, "nothing fits, and nothing half written stays");

    fs::remove_file(server.renditions.join("filler")).unwrap();
    let mut shade = 6;
    while server.bytes_kept() == 0 {
        // After so many failures the disk is left alone for a moment.
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.upload_and_ask(shade).await;
        shade += 1;
    }
}
