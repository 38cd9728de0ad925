//! What happens to people, as their browsers hear of it: alone, through Redis, and without it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::time::Duration;

use axum::{
    Router,
    body::{Body, BodyDataStream},
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use clap::Parser;
use futures_util::{FutureExt, StreamExt};
use miniature_api::{Change, Post, Profile, Record, Revision, UserId};
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
    storage::{Database, NewPerson},
};
use miniature_services::{Postgres, Redis, RedisCluster};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// However busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

async fn database() -> Database {
    populated(Database::in_memory().await.unwrap()).await
}

/// `ada` and `bea` are friends; `zoe` is a stranger.
async fn populated(database: Database) -> Database {
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

fn config() -> Config {
    let words = ["miniature-server", "serve", "--listen", "127.0.0.1:0"];
    let Command::Serve(config) = Cli::parse_from(words).command else { unreachable!("serve") };
    *config
}

/// One of perhaps several servers: memory of its own, the rest shared.
struct Instance {
    router: Router,
    collection: Collection,
    stop: Stop,
    _folder: TempDir,
}

impl Instance {
    async fn alone() -> Self {
        Self::on(&database().await, &[]).await
    }

    async fn on(database: &Database, redis: &[String]) -> Self {
        let urls = redis.iter().map(|url| url.parse().unwrap()).collect::<Vec<_>>();
        let redis = (!urls.is_empty()).then(|| redis::Redis::new(&urls).unwrap());
        let (folder, limits) = (tempfile::tempdir().unwrap(), Limits::default());
        let profiles = Profiles::new(database.clone(), redis, &limits);
        let images = ImageStore::in_folder(folder.path()).unwrap();
        let collection = Collection::of(database.clone(), profiles, images, &limits);
        let state = App::new(collection.clone(), &config(), Clock::system()).unwrap();
        let stop = state.stopping();
        let instance = Self { router: app(state), collection, stop, _folder: folder };
        within("it caught up", instance.collection.events.caught_up()).await;
        instance
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn browser(&self, name: &str) -> Browser<'_> {
        let body = json!({ "username": name, "password": "secret" }).to_string();
        let request =
            Request::post("/api/session").header(header::CONTENT_TYPE, "application/json");
        let answer = self.send(request.body(body.into()).unwrap()).await;
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        Browser { instance: self, cookie: cookie.split(';').next().unwrap().to_owned() }
    }
}

struct Browser<'a> {
    instance: &'a Instance,
    cookie: String,
}

impl Browser<'_> {
    async fn send(&self, method: Method, path: &str, body: &Value) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::COOKIE, &self.cookie);
        self.instance.send(request.body(body.to_string().into()).unwrap()).await
    }

    async fn write(&self, text: &str) {
        let answer = self.send(Method::POST, "/api/posts", &json!({ "text": text })).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
    }

    async fn rename(&self, name: &str) {
        let answer = self.send(Method::PATCH, "/api/users/me", &json!({ "name": name })).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }

    async fn name_of(&self, id: &str) -> String {
        let request = Request::get(format!("/api/users/{id}")).header(header::COOKIE, &self.cookie);
        let answer = self.instance.send(request.body(Body::empty()).unwrap()).await;
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
        serde_json::from_slice::<Profile>(&body).unwrap().name
    }

    async fn events(&self, seen: Option<&str>) -> Response {
        let mut request = Request::get("/api/events").header(header::COOKIE, &self.cookie);
        if let Some(seen) = seen {
            request = request.header("last-event-id", seen);
        }
        self.instance.send(request.body(Body::empty()).unwrap()).await
    }

    /// Listens from now on.
    async fn listen(&self) -> Stream {
        let mut stream = self.listen_since(None).await;
        assert_eq!(stream.next().await.name, "", "the id alone comes first");
        stream
    }

    async fn listen_since(&self, seen: Option<&str>) -> Stream {
        let answer = self.events(seen).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        Stream { body: answer.into_body().into_data_stream(), read: String::new() }
    }
}

/// A stream of events, read as browsers read it.
struct Stream {
    body: BodyDataStream,
    read: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: String,
    name: String,
    data: String,
}

impl Event {
    fn post(&self) -> String {
        assert_eq!(self.name, "post");
        serde_json::from_str::<Post>(&self.data).unwrap().text
    }

    fn millisecond_and_count(&self) -> (u64, u64) {
        let (ms, count) = self.id.split_once('-').unwrap();
        (ms.parse().unwrap(), count.parse().unwrap())
    }
}

impl Stream {
    /// The next block of lines, or none if the stream has ended.
    async fn block(&mut self) -> Option<String> {
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
    async fn next_or_end(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            let mut event = Event::default();
            for (field, value) in block.lines().filter_map(|line| line.split_once(": ")) {
                match field {
                    "id" => event.id = value.to_owned(),
                    "event" => event.name = value.to_owned(),
                    "data" => event.data = value.to_owned(),
                    other => panic!("{other}"),
                }
            }
            if event != Event::default() {
                return Some(event);
            }
        }
    }

    async fn next(&mut self) -> Event {
        self.next_or_end().await.unwrap()
    }

    /// Reads on until this event comes, whatever comes before it.
    async fn until(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await;
            if event.name == name {
                return event;
            }
        }
    }

    /// Reads posts until this one comes, and no `reset` before it.
    async fn until_post(&mut self, text: &str) {
        while self.next().await.post() != text {}
    }
}

async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("never: {what}"))
}

fn picture(revision: u32) -> Change {
    Change::Picture(Record {
        user_id: user("bea"),
        revision: Revision(revision),
        image_id: None,
        thumbhash: None,
    })
}

#[tokio::test]
async fn what_happens_to_a_friend_is_heard_and_what_happens_to_a_stranger_is_not() {
    let t = Instance::alone().await;
    let (ada, bea, zoe) = (t.browser("ada").await, t.browser("bea").await, t.browser("zoe").await);
    let (mut adas, mut beas, mut zoes) =
        (ada.listen().await, bea.listen().await, zoe.listen().await);

    bea.write("hello").await;
    zoe.write("anyone?").await;
    bea.rename("Beatrice").await;
    let mut pixels = tiny_skia::Pixmap::new(80, 60).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(7, 90, 160, 255));
    let png = pixels.encode_png().unwrap();
    t.collection.pictures.set_picture(&user("bea"), png.into()).await.unwrap();

    let mut ids = Vec::new();
    for stream in [&mut adas, &mut beas] {
        let (post, profile, picture) =
            (stream.next().await, stream.next().await, stream.next().await);
        let said = serde_json::from_str::<Post>(&post.data).unwrap();
        assert_eq!((said.text.as_str(), said.author.name.as_str()), ("hello", "bea"));
        let renamed = serde_json::from_str::<Profile>(&profile.data).unwrap();
        assert_eq!((profile.name.as_str(), renamed.name.as_str()), ("profile", "Beatrice"));
        let record = serde_json::from_str::<Record>(&picture.data).unwrap();
        assert_eq!((picture.name.as_str(), record.revision), ("picture", Revision(1)));
        let order = [post, profile, picture].map(|event| event.millisecond_and_count());
        assert!(order.is_sorted_by(|one, next| one < next), "{order:?}");
        ids.push(order);
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(zoes.next().await.post(), "anyone?");
    assert!(zoes.body.next().now_or_never().is_none(), "a stranger hears no more");
}

#[tokio::test]
async fn whoever_comes_back_hears_what_they_missed_of_the_last_thousand() {
    let t = Instance::alone().await;
    let (ada, zoe) = (t.browser("ada").await, t.browser("zoe").await);
    let first = ada.listen_since(None).await.next().await.id;
    let events = &t.collection.events;
    for revision in 1..=1_000 {
        events.publish(picture(revision)).await;
    }

    let mut stream = ada.listen_since(Some(&first)).await;
    let mut ids = Vec::new();
    for revision in 1..=1_000 {
        let event = stream.next().await;
        assert_eq!(serde_json::from_str::<Record>(&event.data).unwrap().revision.0, revision);
        ids.push(event.id);
    }
    assert_eq!(stream.next().await, Event { id: ids[999].clone(), ..Event::default() });

    let mut later = ada.listen_since(Some(&ids[990])).await;
    assert_eq!(later.next().await.id, ids[991]);
    let mut stranger = zoe.listen_since(Some(&first)).await;
    assert_eq!(stranger.next().await, Event { id: ids[999].clone(), ..Event::default() });

    events.publish(picture(1_001)).await;
    for (name, seen) in [("too old", first.as_str()), ("not ours", "9-9"), ("nonsense", "x")] {
        let reset = ada.listen_since(Some(seen)).await.next().await;
        assert_eq!((reset.name.as_str(), reset.data.as_str()), ("reset", "{}"), "{name}");
        let mut after = ada.listen_since(Some(&reset.id)).await;
        assert_eq!(after.next().await.name, "", "{name}: nothing was missed since");
    }
}

#[tokio::test]
async fn a_reader_that_takes_too_little_is_cut_off_and_catches_up() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut stream = ada.listen_since(None).await;
    let first = stream.next().await.id;
    for revision in 1..=300 {
        t.collection.events.publish(picture(revision)).await;
    }

    assert_eq!(stream.next_or_end().await, None);

    let mut again = ada.listen_since(Some(&first)).await;
    for revision in 1..=300 {
        let event = again.next().await;
        assert_eq!(serde_json::from_str::<Record>(&event.data).unwrap().revision.0, revision);
    }
}

#[tokio::test]
async fn one_user_has_sixteen_streams_at_most() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(ada.listen().await);
    }
    let refused = ada.events(None).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "30");
    t.browser("bea").await.listen().await;
    open.pop();
    ada.listen().await;
}

/// Time passes for the streams alone: a database that answers from a thread of its own would be
/// timed out if it stood still for longer.
async fn let_pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_stream_says_every_fifteen_seconds_that_it_is_there() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut stream = ada.listen().await;
    for _ in 0..3 {
        let_pass(Duration::from_millis(14_000)).await;
        assert!(stream.body.next().now_or_never().is_none(), "it is too early");
        let_pass(Duration::from_millis(1_100)).await;
        assert_eq!(stream.block().await.unwrap().trim_end(), ":", "a comment");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut stream = ada.listen().await;
    let signed_out = ada.send(Method::DELETE, "/api/session", &json!({})).await;
    assert_eq!(signed_out.status(), StatusCode::NO_CONTENT);
    let_pass(Duration::from_secs(15)).await;
    assert_eq!(stream.block().await, None);
}

#[tokio::test]
async fn every_stream_ends_when_the_server_stops() {
    let t = Instance::alone().await;
    let ada = t.browser("ada").await;
    let mut quiet = ada.listen().await;
    let mut behind = ada.listen_since(Some("0-0")).await;
    t.stop.begin();
    assert_eq!(quiet.block().await, None);
    assert_eq!(behind.block().await, None);
    assert_eq!(ada.listen_since(Some("0-0")).await.block().await, None);
}

#[tokio::test]
async fn posts_and_their_authors_are_kept_in_postgresql_too() {
    let postgres = Postgres::start().unwrap();
    let database = Database::connect(&postgres.url().parse().unwrap()).await.unwrap();
    let t = Instance::on(&populated(database.clone()).await, &[]).await;
    let (ada, bea) = (t.browser("ada").await, t.browser("bea").await);
    let mut stream = ada.listen().await;
    bea.write("one").await;
    t.browser("zoe").await.write("a stranger's").await;
    ada.write("two").await;
    bea.write("ß 😀").await;
    for text in ["one", "two", "ß 😀"] {
        assert_eq!(stream.next().await.post(), text);
    }

    let (page, next) = database.feed(&user("ada"), None, 2).await.unwrap();
    let (last, end) = database.feed(&user("ada"), next.as_ref(), 2).await.unwrap();
    let texts = page.iter().chain(&last).map(|stored| stored.post.text.as_str());
    assert_eq!(texts.collect::<Vec<_>>(), ["ß 😀", "two", "one"]);
    assert_eq!(end, None);

    bea.rename("Beatrice").await;
    let beatrice = t.collection.profiles.get(&user("bea")).await.unwrap().unwrap();
    database.rewrite_author(&beatrice, Some(7)).await.unwrap();
    let (stored, _) = database.feed(&user("ada"), None, 1).await.unwrap();
    assert_eq!((stored[0].post.author.name.as_str(), stored[0].author_as_of), ("Beatrice", 7));
}

async fn what_happens_at_one_instance_is_heard_at_the_other(urls: &[String]) {
    let database = database().await;
    let (one, other) = (Instance::on(&database, urls).await, Instance::on(&database, urls).await);
    let (bea, ada) = (one.browser("bea").await, other.browser("ada").await);
    let (mut beas, mut adas) = (bea.listen().await, ada.listen().await);
    let mut zoes = other.browser("zoe").await.listen().await;
    assert_eq!(ada.name_of("bea").await, "bea");

    bea.rename("Beatrice").await;
    let heard = adas.next().await;
    assert_eq!(heard.name, "profile");
    assert_eq!(ada.name_of("bea").await, "Beatrice", "the other's memory knows before its clients");
    assert_eq!(beas.next().await, heard, "under the same id everywhere");

    bea.write("while you were away").await;
    let mut moved = one.browser("ada").await.listen_since(Some(&heard.id)).await;
    assert_eq!(moved.next().await.post(), "while you were away");
    other.browser("zoe").await.write("a stranger's").await;
    assert_eq!(zoes.next().await.post(), "a stranger's");

    let late = Instance::on(&database, urls).await;
    let mut replayed = late.browser("ada").await.listen_since(Some(&heard.id)).await;
    assert_eq!(replayed.next().await.post(), "while you were away");
    assert_eq!(replayed.next().await.name, "");
}

#[tokio::test]
async fn instances_tell_each_other_through_redis() {
    let redis = Redis::start().unwrap();
    what_happens_at_one_instance_is_heard_at_the_other(&[redis.url()]).await;
}

#[tokio::test]
async fn instances_tell_each_other_through_a_cluster() {
    let cluster = RedisCluster::start().unwrap();
    what_happens_at_one_instance_is_heard_at_the_other(&cluster.urls()).await;
}

/// Redis is hurt, something happens, Redis is healed.
async fn an_outage(mut redis: Redis, hurt: fn(&mut Redis), heal: fn(&mut Redis)) {
    let database = database().await;
    let urls = [redis.url()];
    let (one, other) = (Instance::on(&database, &urls).await, Instance::on(&database, &urls).await);
    let bea = one.browser("bea").await;
    let (here, there) = (one.browser("ada").await, other.browser("ada").await);
    let (mut near, mut far) = (here.listen().await, there.listen().await);
    let mut stranger = one.browser("zoe").await.listen().await;
    bea.write("before").await;
    let before = near.next().await;
    assert_eq!(before.post(), "before");
    assert_eq!(far.next().await, before);

    hurt(&mut redis);
    bea.write("in between").await;
    near.until_post("in between").await;
    assert_eq!(here.listen_since(Some(&before.id)).await.next().await.name, "reset");
    bea.rename("Beatrice").await;
    assert_eq!(near.next().await.name, "profile");

    heal(&mut redis);
    near.until("reset").await;
    let reset = far.until("reset").await;
    assert_eq!(there.name_of("bea").await, "Beatrice");
    assert_eq!(here.listen_since(Some(&before.id)).await.next().await.name, "reset");
    assert_eq!(there.listen_since(Some("1-1")).await.next().await.name, "reset");

    // One more `reset` may be under way, from the other instance's gap.
    bea.write("after").await;
    let heard = far.until("post").await;
    assert_eq!(heard.post(), "after");
    assert!(heard.millisecond_and_count() > reset.millisecond_and_count());
    near.until("post").await;
    assert_eq!(stranger.next().await.name, "reset", "a stranger has heard nothing before");
}

#[tokio::test]
async fn a_redis_that_crashes_silences_nobody_and_its_loss_is_told() {
    let redis = Redis::start().unwrap();
    an_outage(redis, |redis| redis.kill(), |redis| redis.restart().unwrap()).await;
}

#[tokio::test]
async fn a_redis_that_hangs_silences_nobody_and_its_loss_is_told() {
    let redis = Redis::start().unwrap();
    an_outage(redis, |redis| redis.hang().unwrap(), |redis| redis.resume().unwrap()).await;
}

#[tokio::test]
async fn a_redis_that_is_away_at_the_start_is_followed_once_it_is_there() {
    let mut redis = Redis::start().unwrap();
    let (url, database) = (redis.url(), database().await);
    redis.kill();
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let shared = redis::Redis::new(&[url.parse().unwrap()]).unwrap();
    let profiles = Profiles::new(database.clone(), Some(shared), &limits);
    let images = ImageStore::in_folder(folder.path()).unwrap();
    let collection = Collection::of(database.clone(), profiles, images, &limits);
    let state = App::new(collection.clone(), &config(), Clock::system()).unwrap();
    let stop = state.stopping();
    let early = Instance { router: app(state), collection, stop, _folder: folder };
    let ada = early.browser("ada").await;
    let mut stream = ada.listen().await;
    early.browser("bea").await.write("without Redis").await;
    assert_eq!(stream.next().await.post(), "without Redis");

    redis.restart().unwrap();
    stream.until("reset").await;
    let late = Instance::on(&database, &[url]).await;
    late.browser("bea").await.write("with Redis").await;
    assert_eq!(stream.until("post").await.post(), "with Redis");
}
