//! A disk of renditions that is really full: a small file system of its own, mounted for the server
//! alone.
//!
//! Where the system lets nobody mount one, this says so and checks nothing; then the test with a file
//! in the folder's place (`api/delivery.rs`) stands for it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use miniature_api::{Record, Size};
use reqwest::{Client, StatusCode, header};
use tempfile::TempDir;

mod command_line;

use command_line::{PROGRAM, Server, client, people};

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

/// One who uploads to a server with such a folder of renditions.
struct Uploader {
    server: Server,
    client: Client,
    cookie: String,
    /// The folder as the server sees it; we do not.
    renditions: PathBuf,
}

impl Uploader {
    async fn start(data: &TempDir) -> Self {
        people(data.path(), &["ada"]).await;
        let renditions = data.path().join("images/renditions");
        let often = [("MINIATURE_PICTURE_CHANGES_PER_USER", "100000")];
        let server = Server::run(on_a_full_disk(&renditions, PROGRAM), data.path(), &often);
        let client = client();
        let cookie = server.sign_in(&client, "secret").await.unwrap();
        let root = Path::new("/proc").join(server.id().to_string()).join("root");
        let renditions = root.join(renditions.strip_prefix("/").unwrap());
        Self { server, client, cookie, renditions }
    }

    /// Uploads a picture, and asks for it in every size.
    async fn upload_and_ask(&self, shade: u8) {
        let url = self.server.url("/api/users/me/picture");
        let upload = self.client.put(url).header(header::COOKIE, &self.cookie).body(png(shade));
        let answer = upload.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "an upload");
        let image = answer.json::<Record>().await.unwrap().image_id.unwrap();
        for size in Size::ALL {
            let url = self.server.url(&format!("/images/{image}?size={size}"));
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

fn png(shade: u8) -> Vec<u8> {
    let mut pixels = tiny_skia::Pixmap::new(300, 200).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(shade, 90, 160, 255));
    pixels.encode_png().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_renditions_costs_speed_alone_until_there_is_room() {
    let data = tempfile::tempdir().unwrap();
    let tried = on_a_full_disk(&data.path().join("tried"), "true").status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("nothing can be mounted here: a full disk was not tried");
        return;
    }
    let uploader = Uploader::start(&data).await;

    for shade in 1..=5 {
        uploader.upload_and_ask(shade).await;
    }
    assert!(uploader.renditions.join("filler").exists(), "it is the disk that the server has");
    assert_eq!(uploader.bytes_kept(), 0, "nothing fits, and nothing half written stays");

    fs::remove_file(uploader.renditions.join("filler")).unwrap();
    let mut shade = 6;
    while uploader.bytes_kept() == 0 {
        // After so many failures the disk is left alone for a moment.
        tokio::time::sleep(Duration::from_millis(50)).await;
        uploader.upload_and_ask(shade).await;
        shade += 1;
    }
}
