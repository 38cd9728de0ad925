//! Instances of the server, and browsers that listen to them.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, BodyDataStream},
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use clap::Parser;
use futures_util::{FutureExt, StreamExt};
use miniature_api::{Post, Profile, Record, Revision, UserId};
use miniature_server::{
    App, Collection, app,
    clock::Clock,
    config::{Cli, Command, Config},
    images::ImageStore,
    limits::Limits,
    profiles::Profiles,
    redis,
    sign_in::hash_password,
    stop::Stop,
    storage::{Database, Message, NewPerson, Versioned},
    upkeep::Upkeep,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// However busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

pub(crate) async fn database() -> Database {
    populated(Database::in_memory().await.unwrap()).await
}

/// `ada` and `bea` are friends; `zoe` is a stranger.
pub(crate) async fn populated(database: Database) -> Database {
    let hash = hash_password("secret").unwrap();
    let people = ["ada", "bea", "zoe"].map(|id| NewPerson {
        user_id: user(id),
        name: id.to_owned(),
        headline: String::new(),
        password_hash: Some(hash.clone()),
    });
    database.add_people(&people, &[(user("ada"), user("bea"))]).await.unwrap();
    database
}

pub(crate) fn config() -> Config {
    let words = ["miniature-server", "serve", "--listen", "127.0.0.1:0"];
    let Command::Serve(config) = Cli::parse_from(words).command else { unreachable!("serve") };
    *config
}

/// What takes seconds elsewhere takes no longer than it must.
pub(crate) fn limits() -> Limits {
    Limits {
        catch_up_every: Duration::from_millis(50),
        relay_after: Duration::from_millis(100),
        resets_within: Duration::from_millis(100),
        ..Limits::default()
    }
}

/// One of perhaps several servers: memory of its own, the rest shared.
pub(crate) struct Instance {
    pub(crate) router: Router,
    pub(crate) collection: Collection,
    pub(crate) stop: Stop,
    pub(crate) _folder: TempDir,
}

impl Instance {
    pub(crate) async fn alone() -> Self {
        Self::on(&database().await, &[]).await
    }

    pub(crate) async fn on(database: &Database, redis: &[String]) -> Self {
        let urls = redis.iter().map(|url| url.parse().unwrap()).collect::<Vec<_>>();
        let redis = (!urls.is_empty()).then(|| redis::Redis::new(&urls).unwrap());
        let (folder, limits) = (tempfile::tempdir().unwrap(), limits());
        let profiles = Profiles::new(database.clone(), redis, &limits);
        let images = ImageStore::in_folder(folder.path()).unwrap();
        let collection = Collection::of(database.clone(), profiles, images, &limits);
        let state = App::new(collection.clone(), &config(), Clock::system(), &limits).unwrap();
        let stop = state.stopping();
        let instance = Self { router: app(state), collection, stop, _folder: folder };
        within("it caught up", instance.collection.events.caught_up()).await;
        instance
    }

    /// Does what a server does unasked, until it is dropped.
    pub(crate) fn upkeep(&self) -> Upkeep {
        Upkeep::start(&self.collection, &Clock::system(), &limits())
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn browser(&self, name: &str) -> Browser<'_> {
        let body = json!({ "username": name, "password": "secret" }).to_string();
        let request =
            Request::post("/api/session").header(header::CONTENT_TYPE, "application/json");
        let answer = self.send(request.body(body.into()).unwrap()).await;
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        Browser { instance: self, cookie: cookie.split(';').next().unwrap().to_owned() }
    }
}

pub(crate) struct Browser<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) cookie: String,
}

impl Browser<'_> {
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::COOKIE, &self.cookie);
        self.instance.send(request.body(body.to_string().into()).unwrap()).await
    }

    pub(crate) async fn write(&self, text: &str) {
        let answer = self.send(Method::POST, "/api/posts", &json!({ "text": text })).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
    }

    pub(crate) async fn rename(&self, name: &str) {
        let answer = self.send(Method::PATCH, "/api/users/me", &json!({ "name": name })).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }

    pub(crate) async fn name_of(&self, id: &str) -> String {
        let request = Request::get(format!("/api/users/{id}")).header(header::COOKIE, &self.cookie);
        let answer = self.instance.send(request.body(Body::empty()).unwrap()).await;
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
        serde_json::from_slice::<Profile>(&body).unwrap().name
    }

    pub(crate) async fn events(&self, seen: Option<&str>) -> Response {
        self.events_at("/api/events", seen).await
    }

    pub(crate) async fn events_at(&self, path: &str, seen: Option<&str>) -> Response {
        let mut request = Request::get(path).header(header::COOKIE, &self.cookie);
        if let Some(seen) = seen {
            request = request.header("last-event-id", seen);
        }
        self.instance.send(request.body(Body::empty()).unwrap()).await
    }

    /// Listens from now on.
    pub(crate) async fn listen(&self) -> Stream {
        let mut stream = self.listen_since(None).await;
        assert_eq!(stream.next().await.name, "", "the id alone comes first");
        stream
    }

    pub(crate) async fn listen_since(&self, seen: Option<&str>) -> Stream {
        self.listen_at("/api/events", seen).await
    }

    /// With the last id in the path, in the header, or in both.
    pub(crate) async fn listen_at(&self, path: &str, seen: Option<&str>) -> Stream {
        let answer = self.events_at(path, seen).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        Stream { body: answer.into_body().into_data_stream(), read: String::new() }
    }
}

/// A stream of events, read as browsers read it.
pub(crate) struct Stream {
    pub(crate) body: BodyDataStream,
    pub(crate) read: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: String,
}

impl Event {
    pub(crate) fn post(&self) -> String {
        assert_eq!(self.name, "post");
        serde_json::from_str::<Post>(&self.data).unwrap().text
    }

    pub(crate) fn millisecond_and_count(&self) -> (u64, u64) {
        let (ms, count) = self.id.split_once('-').unwrap();
        (ms.parse().unwrap(), count.parse().unwrap())
    }
}

impl Stream {
    /// The next block of lines, or none if the stream has ended.
    pub(crate) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                return Some(block);
            }
            let bytes = within("something comes", self.body.next()).await?.unwrap();
            self.read.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next event that is not a heartbeat, or none if the stream has ended.
    pub(crate) async fn next_or_end(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            let mut event = Event::default();
            for (field, value) in block.lines().filter_map(|line| line.split_once(": ")) {
                match field {
                    "id" => event.id = value.to_owned(),
                    "event" => event.name = value.to_owned(),
                    "data" => event.data = value.to_owned(),
                    "" => {} // a heartbeat
                    other => panic!("{other}"),
                }
            }
            if event != Event::default() {
                return Some(event);
            }
        }
    }

    /// Whether it has ended by now; nothing else has come.
    pub(crate) fn has_ended(&mut self) -> bool {
        let next = self.body.next().now_or_never();
        assert!(next.as_ref().is_none_or(Option::is_none), "{next:?}");
        next.is_some()
    }

    pub(crate) async fn next(&mut self) -> Event {
        self.next_or_end().await.unwrap()
    }

    /// Reads on until this event comes, whatever comes before it.
    pub(crate) async fn until(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await;
            if event.name == name {
                return event;
            }
        }
    }

    /// Reads posts until this one comes, and no `reset` before it. Returns their texts.
    pub(crate) async fn until_post(&mut self, text: &str) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.last().is_none_or(|last| last != text) {
            let event = self.next().await;
            if !event.name.is_empty() {
                texts.push(event.post());
            }
        }
        texts
    }

    /// Reads on until this post comes, whatever comes before it.
    pub(crate) async fn until_text(&mut self, text: &str) {
        while self.until("post").await.post() != text {}
    }

    /// No event comes for some time.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) {
        let events = async { while self.next().await.name.is_empty() {} };
        assert!(tokio::time::timeout(time, events).await.is_err(), "something came");
    }
}

pub(crate) async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("never: {what}"))
}

/// `bea` has another picture.
pub(crate) fn picture(revision: u32) -> Message {
    let picture = Record {
        user_id: user("bea"),
        revision: Revision(revision),
        image_id: None,
        thumbhash: None,
    };
    let (name, headline) = ("bea".to_owned(), String::new());
    let profile = Profile { user_id: user("bea"), name, headline, friend_count: 1, picture };
    Message::picture(&Versioned { version: u64::from(revision), profile })
}

/// A picture that nobody has yet.
pub(crate) fn png() -> Vec<u8> {
    let mut pixels = tiny_skia::Pixmap::new(80, 60).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(7, 90, 160, 255));
    pixels.encode_png().unwrap()
}

/// Waits until the first post that `ada` sees shows its author so: it comes in the background.
pub(crate) async fn until_the_post_shows(database: &Database, name: &str, revision: u32) {
    let shows = async {
        loop {
            let (posts, _) = database.feed(&user("ada"), None, 1).await.unwrap();
            let author = &posts[0].post.author;
            if (author.name.as_str(), author.picture.revision) == (name, Revision(revision)) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    within("the post shows its author", shows).await;
}
