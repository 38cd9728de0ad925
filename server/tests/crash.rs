//! Killed at any moment while pictures are uploaded, the server has the old picture or the new one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use miniature_api::{ImageId, PictureAnswer, Record, Revision, Size};
use miniature_pixels::Square;
use miniature_server::images::image_id;
use reqwest::{Client, header};

mod command_line;

use command_line::{PROGRAM, Server, client, people};

/// How often the server is killed: after the first new file, the second, and so on. A picture is
/// five, two are uploaded at once, and each file has another name until it is whole.
const KILLS: usize = 24;

/// Who uploads, all at once.
const USERS: [&str; 2] = ["ada", "zoe"];

/// What one user knows of their picture.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The last that was answered, or found after a restart.
    answered: Option<Record>,
    /// The one on its way, if any.
    sent: Option<ImageId>,
    /// The colour of every picture that was ever sent.
    colours: BTreeMap<String, [u8; 3]>,
}

/// A user, and what they know. Shared with the task that uploads.
#[derive(Clone)]
struct User {
    name: &'static str,
    cookie: String,
    known: Arc<Mutex<Known>>,
}

impl User {
    /// Uploads one picture after another until the server is gone.
    async fn upload(self, client: Client, url: String, round: usize) {
        for n in 0_u8.. {
            let colour =
                [u8::try_from(round * 10).unwrap(), n.wrapping_mul(37), self.name.as_bytes()[0]];
            let picture = picture(colour);
            let image = image_id(&picture);
            {
                let mut known = self.known.lock().unwrap();
                known.sent = Some(image);
                known.colours.insert(image.to_string(), colour);
            }
            let upload = client.put(&url).header(header::COOKIE, &self.cookie).body(picture);
            let Ok(answer) = upload.send().await else { return };
            let Ok(record) = answer.error_for_status().unwrap().json::<Record>().await else {
                return;
            };
            let mut known = self.known.lock().unwrap();
            assert_eq!(record.image_id, Some(image));
            *known = Known { answered: Some(record), sent: None, colours: known.colours.clone() };
        }
    }

    /// Whether the record is the last answered, or the one that was on its way; and every size of it
    /// shows that very picture. Takes it for answered from now on.
    async fn check(&self, client: &Client, server: &Server) {
        let mut known = self.known.lock().unwrap().clone();
        let mut found = None;
        for size in Size::ALL {
            let url = server.url(&format!("/api/images/user/{}?size={size}", self.name));
            let answer = client.get(url).header(header::COOKIE, &self.cookie).send().await.unwrap();
            let answer = answer.error_for_status().unwrap().json::<PictureAnswer>().await.unwrap();
            let Some(image) = answer.record.image_id else { continue };
            let hint = answer.hint.expect("a record names only what is there");
            let url = server.url(&hint.url);
            let webp = client.get(url).header(header::COOKIE, &self.cookie).send().await.unwrap();
            let webp = webp.error_for_status().unwrap().bytes().await.unwrap();
            assert_shows(&webp, size, known.colours[&image.to_string()]);
            found = Some(answer.record);
        }
        self.assert_old_or_new(&known, found.as_ref());
        known.answered = found;
        known.sent = None;
        *self.known.lock().unwrap() = known;
    }

    fn assert_old_or_new(&self, known: &Known, found: Option<&Record>) {
        let revision = |record: Option<&Record>| record.map_or(0, |record| record.revision.0);
        let before = revision(known.answered.as_ref());
        if found == known.answered.as_ref() {
            return;
        }
        let found = found.unwrap_or_else(|| panic!("{}: an answered picture is gone", self.name));
        assert_eq!(found.image_id, known.sent, "{}: neither old nor new", self.name);
        assert_eq!(found.revision, Revision(before + 1), "{}", self.name);
    }
}

/// A picture of one colour, as PNG.
fn picture([red, green, blue]: [u8; 3]) -> Vec<u8> {
    let mut pixels = tiny_skia::Pixmap::new(300, 200).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(red, green, blue, 255));
    pixels.encode_png().unwrap()
}

#[track_caller]
fn assert_shows(webp: &[u8], size: Size, colour: [u8; 3]) {
    let square = Square::from_master(webp).unwrap();
    assert_eq!(square.edge(), size.px());
    let pixel = &square.rgba()[..3];
    let near = pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 8);
    assert!(near, "{size}: {pixel:?}, not {colour:?}");
}

/// Every file two levels down.
fn files(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>()
    };
    list(folder).iter().flat_map(|kind| list(kind)).flat_map(|shelf| list(&shelf)).collect()
}

/// Waits until there are so many files, and kills the server at that moment.
async fn kill_at(server: Server, images: PathBuf, count: usize) {
    let killed = tokio::task::spawn_blocking(move || {
        while files(&images).len() < count {
            std::thread::yield_now();
        }
        drop(server); // SIGKILL: nothing is finished, nothing is written
    });
    killed.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_has_the_old_picture_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    people(folder.path(), &USERS).await;
    let mut users = Vec::new();
    for round in 0..=KILLS {
        let often = [("MINIATURE_PICTURE_CHANGES_PER_USER", "100000")];
        let server = Server::run(Command::new(PROGRAM), folder.path(), &often);
        let client = client();
        if users.is_empty() {
            for name in USERS {
                let cookie = server.sign_in_as(name, &client, "secret").await.unwrap();
                users.push(User { name, cookie, known: Arc::default() });
            }
        }
        for user in &users {
            user.check(&client, &server).await;
        }
        let url = server.url("/api/users/me/picture");
        let uploads =
            users.iter().cloned().map(|user| user.upload(client.clone(), url.clone(), round));
        let uploads = uploads.map(tokio::spawn).collect::<Vec<_>>();
        kill_at(server, images.clone(), files(&images).len() + 1 + round).await;
        for upload in uploads {
            upload.await.unwrap();
        }
    }
    let masters = files(&images);
    let masters = masters.iter().filter(|path| path.starts_with(images.join("masters")));
    let whole = masters.filter(|path| path.extension().is_some_and(|ending| ending == "webp"));
    let whole = whole.map(|path| Square::from_master(&fs::read(path).unwrap()).unwrap());
    let whole = whole.collect::<Vec<_>>();
    assert!(whole.len() > KILLS, "{} masters are whole", whole.len());
}
