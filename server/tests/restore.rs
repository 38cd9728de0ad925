//! A backup is put back: browsers that have seen later revisions take what it says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use miniature_api::{BatchEntry, LINEAGE_HEADER, Lineage, Record, Revision};
use miniature_server::{
    images::image_id,
    sign_in::hash_password,
    storage::{Database, NewPerson},
};
use miniature_services::{Postgres, Redis};
use reqwest::{Client, Response, StatusCode, header};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

mod command_line;

use command_line::{PROGRAM, Server, client, people};

/// What is kept beside the folder.
enum Place {
    /// Nothing: the database is a file in it.
    Folder,
    /// The database, and what instances share.
    Services(Postgres, Redis),
}

/// A folder, a backup of it, and what is kept beside it.
struct Kept {
    place: Place,
    /// The database in use.
    database: &'static str,
    data: TempDir,
    backup: TempDir,
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success());
}

impl Kept {
    fn new(place: Place) -> Self {
        let (data, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Self { place, database: "postgres", data, backup }
    }

    fn postgres(postgres: &Postgres, database: &str) -> String {
        let url = postgres.url();
        format!("{}/{database}", url.strip_suffix("/postgres").unwrap())
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        match &self.place {
            Place::Folder => Vec::new(),
            Place::Services(postgres, redis) => vec![
                ("MINIATURE_DATABASE_URL", Self::postgres(postgres, self.database)),
                ("MINIATURE_REDIS_URL", redis.url()),
            ],
        }
    }

    fn start(&self) -> Server {
        let settings = self.settings();
        let settings = settings.iter().map(|(name, value)| (*name, value.as_str()));
        let settings = settings.collect::<Vec<_>>();
        Server::run(Command::new(PROGRAM), self.data.path(), &settings)
    }

    async fn create_ada(&self) {
        let Place::Services(postgres, _) = &self.place else {
            return people(self.data.path(), &["ada"]).await;
        };
        let ada = NewPerson {
            user_id: "ada".parse().unwrap(),
            name: "Ada".to_owned(),
            headline: String::new(),
            password_hash: Some(hash_password("secret").unwrap()),
        };
        let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
        database.add_people(&[ada], &[]).await.unwrap();
        database.close().await;
    }

    async fn back_up(&self) {
        copy(self.data.path(), self.backup.path());
        if let Place::Services(postgres, _) = &self.place {
            let elsewhere = Self::postgres(postgres, "template1");
            let mut connection = PgConnection::connect(&elsewhere).await.unwrap();
            connection.execute("CREATE DATABASE backup TEMPLATE postgres").await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// As the documents say: while the server is stopped.
    fn restore(&mut self) {
        for entry in fs::read_dir(self.data.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        copy(self.backup.path(), self.data.path());
        self.database = "backup";
    }

    fn renew_lineage(&self) -> Output {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("MINIATURE_DATA", self.data.path()).envs(self.settings());
        command.args(["lineage", "renew"]).output().unwrap()
    }
}

/// Ada, signed in.
struct Ada<'a> {
    server: &'a Server,
    client: Client,
    cookie: String,
}

impl<'a> Ada<'a> {
    async fn sign_in(server: &'a Server) -> Self {
        let client = client();
        let cookie = server.sign_in(&client, "secret").await.unwrap();
        Self { server, client, cookie }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.get(self.server.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.header(header::COOKIE, &self.cookie).send().await.unwrap()
    }

    async fn upload(&self, shade: u8) -> Revision {
        let request = self.client.put(self.server.url("/api/users/me/picture")).body(png(shade));
        let answer = request.header(header::COOKIE, &self.cookie).send().await.unwrap();
        answer.error_for_status().unwrap().json::<Record>().await.unwrap().revision
    }

    /// The first that a stream of events says.
    async fn first_event(&self, headers: &[(&str, &str)]) -> String {
        let chunk = self.get("/api/events", headers).await.chunk().await.unwrap().unwrap();
        String::from_utf8(chunk.to_vec()).unwrap()
    }

    /// Her record, and the bytes of her picture if they are sent.
    async fn batch(&self, held: &str, lineage: &str) -> (Record, Option<Vec<u8>>) {
        let path = format!("/api/images/batch?size=64&users={held}");
        let answer = self.get(&path, &[(LINEAGE_HEADER, lineage)]).await;
        let content_type = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let boundary = multer::parse_boundary(content_type).unwrap();
        let body = futures_util::stream::iter([answer.bytes().await]);
        let mut parts = multer::Multipart::new(body, boundary);
        let records = parts.next_field().await.unwrap().unwrap().bytes().await.unwrap();
        let entries = serde_json::from_slice::<Vec<BatchEntry>>(&records).unwrap();
        let [BatchEntry::Found { record, .. }] = &entries[..] else { panic!("{entries:?}") };
        let picture = match parts.next_field().await.unwrap() {
            Some(picture) => Some(picture.bytes().await.unwrap().to_vec()),
            None => None,
        };
        (record.clone(), picture)
    }
}

fn png(shade: u8) -> Vec<u8> {
    let mut pixels = tiny_skia::Pixmap::new(90, 60).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(shade, 90, 160, 255));
    pixels.encode_png().unwrap()
}

fn named(answer: &Response, header: &str) -> String {
    answer.headers()[header].to_str().unwrap().to_owned()
}

/// Whatever is asked for by its ETag.
const TAGGED: [&str; 3] = ["/api/friends", "/api/users/ada", "/api/images/user/ada?size=64"];

async fn what_a_backup_says_is_taken(place: Place) {
    let mut kept = Kept::new(place);
    kept.create_ada().await;
    let mut server = kept.start();
    assert_eq!(Ada::sign_in(&server).await.upload(1).await, Revision(1));
    server.stop();
    kept.back_up().await;

    let mut server = kept.start();
    let ada = Ada::sign_in(&server).await;
    ada.upload(2).await;
    let seen = ada.first_event(&[]).await;
    let seen = seen.trim().strip_prefix("id: ").unwrap();
    ada.upload(3).await;
    assert_eq!(ada.upload(4).await, Revision(4));
    let mut tags = Vec::new();
    for path in TAGGED {
        tags.push(named(&ada.get(path, &[]).await, "etag"));
    }
    let before = named(&ada.get("/api/session", &[]).await, LINEAGE_HEADER);
    assert_eq!(ada.batch("ada:4", &before).await.1, None, "it is held");
    server.stop();

    kept.restore();
    let renewed = kept.renew_lineage();
    assert!(renewed.status.success(), "{renewed:?}");
    let renewed = String::from_utf8(renewed.stdout).unwrap();
    let (_, after) = renewed.trim().rsplit_once(' ').unwrap();
    assert!(renewed.contains(&before), "{renewed}");
    assert!(after.parse::<Lineage>().unwrap() > before.parse().unwrap());

    let server = kept.start();
    let ada = Ada::sign_in(&server).await;
    assert_eq!(named(&ada.get("/api/session", &[]).await, LINEAGE_HEADER), after);
    let (record, picture) = ada.batch("ada:4", &before).await;
    assert_eq!((record.revision, record.image_id), (Revision(1), Some(image_id(&png(1)))));
    let path = format!("/images/{}?size=64", record.image_id.unwrap());
    let bytes = ada.get(&path, &[]).await.bytes().await.unwrap();
    assert_eq!(picture.as_deref(), Some(&bytes[..]), "its bytes come with it");
    assert_eq!(ada.batch("ada:1", after).await, (record, None), "now it is held");
    for (path, tag) in TAGGED.iter().zip(&tags) {
        let answer = ada.get(path, &[("if-none-match", tag)]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    let event = ada.first_event(&[("last-event-id", seen)]).await;
    assert!(event.contains("event: reset"), "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backup_of_one_machine_says_is_taken() {
    what_a_backup_says_is_taken(Place::Folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backup_of_many_machines_says_is_taken() {
    let services = Place::Services(Postgres::start().unwrap(), Redis::start().unwrap());
    what_a_backup_says_is_taken(services).await;
}
