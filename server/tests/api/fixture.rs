//! A small server with a few people, and a browser to ask it.

use std::{
    num::NonZeroU32,
    sync::{Arc, atomic::AtomicU64},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use clap::Parser;
use http_body_util::BodyExt;
use miniature_api::{ImageId, UserId};
use miniature_server::{
    App, Collection, app,
    clock::Clock,
    config::{Cli, Command, Config},
    images::{ImageStore, image_id},
    limits::Limits,
    profiles::Profiles,
    sign_in::hash_password,
    storage::{Database, NewPerson},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

/// The people: `ada` knows all others but `zoe`; `bea` and `zoe` sign in too;
/// `noah` has no picture.
pub(crate) const PEOPLE: [(&str, &str, bool); 6] = [
    ("ada", "Ada Lovelace", true),
    ("bea", "Bea", true),
    ("cem", "Cem", true),
    ("dan", "Cem", true), // as Cem is called
    ("noah", "Noah", false),
    ("zoe", "Zoe", true),
];

/// A server, and what stands behind it.
pub(crate) struct Fixture {
    pub(crate) collection: Collection,
    pub(crate) router: Router,
    pub(crate) hand: Arc<AtomicU64>,
    pub(crate) folder: TempDir,
}

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A part of a multipart answer.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// As on a machine where nothing is configured.
pub(crate) fn config() -> Config {
    let words = ["miniature-server", "serve", "--listen", "127.0.0.1:0"];
    let Command::Serve(config) = Cli::parse_from(words).command else { unreachable!("serve") };
    Config {
        sign_ins_per_name: NonZeroU32::MAX,
        sign_ins_per_address: NonZeroU32::MAX,
        picture_changes_per_user: NonZeroU32::MAX,
        ..*config
    }
}

/// A picture of one colour, as PNG.
pub(crate) fn png(shade: u8) -> Bytes {
    let mut pixels = tiny_skia::Pixmap::new(80, 60).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(shade, 90, 160, 255));
    pixels.encode_png().unwrap().into()
}

/// The picture of the n-th of the people.
pub(crate) fn picture_of(user: &str) -> ImageId {
    let n = PEOPLE.iter().position(|(id, ..)| *id == user).unwrap();
    image_id(&png(u8::try_from(n).unwrap()))
}

pub(crate) fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::limited(&config, &Limits::default()).await
    }

    pub(crate) async fn limited(config: &Config, limits: &Limits) -> Self {
        let database = Database::in_memory().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let images = ImageStore::in_folder(folder.path()).unwrap();
        let fixture = Self::over(database, images, folder, config, limits);
        fixture.populate().await;
        fixture
    }

    /// The usual people, in a database that many ask at once.
    pub(crate) async fn on_disk(folder: &TempDir, limits: &Limits) -> Self {
        let database = Database::open(folder.path()).await.unwrap();
        let images = tempfile::tempdir().unwrap();
        let store = ImageStore::in_folder(images.path()).unwrap();
        let fixture = Self::over(database, store, images, &config(), limits);
        fixture.populate().await;
        fixture
    }

    /// A server over what is kept already.
    pub(crate) fn over(
        database: Database,
        images: ImageStore,
        folder: TempDir,
        config: &Config,
        limits: &Limits,
    ) -> Self {
        let profiles = Profiles::new(database.clone(), images.redis.clone(), limits);
        let collection = Collection::of(database, profiles, images, limits);
        let (clock, hand) = Clock::by_hand(1_800_000_000);
        let router = app(App::new(collection.clone(), config, clock, limits).unwrap());
        Self { collection, router, hand, folder }
    }

    pub(crate) async fn populate(&self) {
        let hash = hash_password("secret").unwrap();
        let people = PEOPLE.map(|(id, name, _)| NewPerson {
            user_id: user(id),
            name: name.to_owned(),
            headline: format!("I am {name}"),
            password_hash: ["ada", "bea", "zoe"].contains(&id).then(|| hash.clone()),
        });
        let pairs = ["bea", "cem", "dan", "noah"].map(|id| (user("ada"), user(id)));
        self.collection.database.add_people(&people, &pairs).await.unwrap();
        for (n, (id, _, has_picture)) in (0..).zip(PEOPLE) {
            if has_picture {
                self.collection.pictures.set_picture(&user(id), png(n)).await.unwrap();
            }
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// Signs in, and returns the cookie.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "username": name, "password": password });
        let request =
            Request::post("/api/session").header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    /// So many more people, signed in.
    pub(crate) async fn crowd(&self, count: usize) -> Vec<Browser<'_>> {
        let hash = hash_password("secret").unwrap();
        let person = |n| NewPerson {
            user_id: user(&format!("one-of-many-{n}")),
            name: String::new(),
            headline: String::new(),
            password_hash: Some(hash.clone()),
        };
        let people = (0..count).map(person).collect::<Vec<_>>();
        self.collection.database.add_people(&people, &[]).await.unwrap();
        let mut browsers = Vec::new();
        for person in people {
            browsers.push(self.browser(person.user_id.as_str()).await);
        }
        browsers
    }

    /// Someone signed in.
    pub(crate) async fn browser(&self, name: &str) -> Browser<'_> {
        let answer = self.sign_in(name, "secret").await;
        assert_eq!(answer.status, StatusCode::OK);
        Browser { fixture: self, cookie: answer.cookie() }
    }
}

/// Someone signed in.
pub(crate) struct Browser<'a> {
    pub(crate) fixture: &'a Fixture,
    pub(crate) cookie: String,
}

impl Browser<'_> {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        self.send(Method::GET, path, &[(name, value)]).await
    }

    /// Uploads a picture.
    pub(crate) async fn put(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::put("/api/users/me/picture");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header(header::COOKIE, &self.cookie);
        self.fixture.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn send_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::COOKIE, &self.cookie);
        self.fixture.send(request.body(body.to_string().into()).unwrap()).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header(header::COOKIE, &self.cookie);
        self.fixture.send(request.body(Body::empty()).unwrap()).await
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The cookie that it sets, as a browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Its parts, read by someone else's reader.
    pub(crate) async fn parts(self) -> Vec<Part> {
        let boundary = multer::parse_boundary(self.header("content-type")).unwrap();
        let body = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(self.body)]);
        let mut multipart = multer::Multipart::new(body, boundary);
        let mut parts = Vec::new();
        while let Some(field) = multipart.next_field().await.unwrap() {
            parts.push(Part {
                name: field.name().unwrap().to_owned(),
                file_name: field.file_name().map(str::to_owned),
                content_type: field.content_type().unwrap().to_string(),
                body: field.bytes().await.unwrap(),
            });
        }
        parts
    }
}

/// Checks that parts are these pictures, as WebP, named so that browsers make files of them.
#[track_caller]
pub(crate) fn assert_pictures(parts: &[Part], expected: &[ImageId]) {
    let names = parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, expected.iter().map(ToString::to_string).collect::<Vec<_>>());
    for part in parts {
        assert_eq!(part.file_name.as_deref(), Some("picture"));
        assert_eq!(part.content_type, "image/webp");
        assert!(part.body.starts_with(b"RIFF"));
    }
}
