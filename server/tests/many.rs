//! Two instances on one PostgreSQL, Redis and S3 store; and what each does when one of these is away.
//!
//! Figures, for docs/operating.md: `cargo test -p miniature-server --test many -- --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{fmt::Write, time::Duration};

use futures_util::StreamExt;
use miniature_api::{FriendsPage, PictureAnswer, Record, Revision, UserId};
use miniature_services::{Postgres, Redis, S3};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::{Instant, sleep, timeout};

mod command_line;

use command_line::{Server, client};

/// What the instances share.
struct Shared {
    postgres: Postgres,
    redis: Redis,
    s3: S3,
    settings: Vec<(&'static str, String)>,
}

impl Shared {
    fn start() -> Self {
        let (postgres, redis) = (Postgres::start().unwrap(), Redis::start().unwrap());
        let s3 = S3::start().unwrap();
        // Neither asks for a password, and both take one.
        let settings = vec![
            (
                "MINIATURE_DATABASE_URL",
                postgres.url().replace("postgres@", "postgres:of-postgres@"),
            ),
            ("MINIATURE_REDIS_URL", redis.url().replace("//", "//default:of-redis@")),
            ("MINIATURE_S3_ENDPOINT", s3.endpoint()),
            ("MINIATURE_S3_BUCKET", S3::BUCKET.to_owned()),
            ("MINIATURE_S3_ACCESS_KEY", S3::ACCESS_KEY.to_owned()),
            ("MINIATURE_S3_SECRET_KEY", S3::SECRET_KEY.to_owned()),
        ];
        Self { postgres, redis, s3, settings }
    }

    fn instance(&self, more: &[(&str, &str)]) -> Server {
        let shared = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        Server::start(&shared.chain(more.iter().copied()).collect::<Vec<_>>())
    }
}

/// Someone signed in, who asks one instance or the other.
struct Browser {
    client: Client,
    cookie: String,
}

impl Browser {
    async fn sign_in(server: &Server) -> Self {
        let client = client();
        let cookie = server.sign_in(&client, "miniature").await.unwrap();
        Self { client, cookie }
    }

    fn ask(&self, server: &Server, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, server.url(path)).header(header::COOKIE, &self.cookie)
    }

    async fn get(&self, server: &Server, path: &str) -> reqwest::Response {
        self.ask(server, Method::GET, path).send().await.unwrap()
    }

    async fn upload(&self, server: &Server, shade: u8) -> reqwest::Response {
        let request = self.ask(server, Method::PUT, "/api/users/me/picture");
        request.body(png(shade)).send().await.unwrap()
    }
}

fn png(shade: u8) -> Vec<u8> {
    let mut pixels = tiny_skia::Pixmap::new(300, 200).unwrap();
    pixels.fill(tiny_skia::Color::from_rgba8(shade, 90, 160, 255));
    pixels.encode_png().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_are_one_to_whoever_asks() {
    let shared = Shared::start();
    let presigned = [("MINIATURE_DELIVERY", "presigned"), ("RUST_LOG", "trace")];
    let (one, other) = (shared.instance(&presigned), shared.instance(&presigned));
    let ada = Browser::sign_in(&one).await;

    assert_eq!(ada.get(&other, "/api/session").await.status(), StatusCode::OK, "one session");

    let path = "/api/images/user/abel-tesfaye-lind?size=128";
    let here = ada.get(&one, path).await.json::<PictureAnswer>().await.unwrap().hint.unwrap();
    let there = ada.get(&other, path).await.json::<PictureAnswer>().await.unwrap().hint.unwrap();
    assert_eq!(here.url, there.url, "one address, so that a browser keeps one copy");
    let bytes = client().get(&here.url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, here.bytes);

    let mut events = ada.get(&other, "/api/events").await.bytes_stream();
    let since = Instant::now();
    let given = ada.upload(&one, 7).await.json::<Record>().await.unwrap();
    let mut heard = String::new();
    while !heard.contains("event: picture") {
        let next = timeout(Duration::from_secs(10), events.next()).await;
        heard += &String::from_utf8_lossy(&next.expect("the event comes").unwrap().unwrap());
    }
    let took = since.elapsed();
    assert!(heard.contains(&given.image_id.unwrap().to_string()), "{heard}");
    assert!(took < Duration::from_secs(1), "{took:?} from the upload to the event elsewhere");
    eprintln!("an upload at one instance is heard at the other after {took:?}");
    let post = ada.ask(&one, Method::POST, "/api/posts").json(&json!({ "text": "a-private-word" }));
    assert_eq!(post.send().await.unwrap().status(), StatusCode::CREATED);

    let path = "/api/images/user/ada?size=64";
    let there = ada.get(&other, path).await.json::<PictureAnswer>().await.unwrap();
    assert_eq!(there.record, given);
    for log in [one.log(), other.log()] {
        assert!(log.contains("/api/session"), "much is logged");
        for secret in [
            "X-Amz-Signature",
            S3::SECRET_KEY,
            &ada.cookie,
            "of-postgres",
            "of-redis",
            "a-private-word",
        ] {
            assert!(!log.contains(secret), "{secret} is logged");
        }
    }
}

/// What is asked while a part is away.
const ASKED: [(&str, &str); 5] = [
    ("friends", "/api/friends?limit=50"),
    ("strangers", "@stranger"),
    ("50 pictures", "/api/friends?limit=50&pictures=64"),
    ("a picture", "@hot"),
    ("a session", "/api/session"),
];

/// What is answered while all is well.
struct Right {
    hot: String,
    friends: Vec<u8>,
    pictures: usize,
    picture: Vec<u8>,
}

impl Right {
    async fn learn(browser: &Browser, server: &Server) -> Self {
        let bytes = async |path: &str| {
            let answer = browser.get(server, path).await.error_for_status().unwrap();
            answer.bytes().await.unwrap().to_vec()
        };
        let with_pictures = bytes("/api/friends?limit=50&pictures=64").await;
        let friends = bytes("/api/friends?limit=50").await;
        let page = serde_json::from_slice::<FriendsPage>(&friends).unwrap();
        let hot = format!("/images/{}?size=64", page.friends[0].picture.image_id.unwrap());
        let picture = bytes(&hot).await;
        Self { hot, friends, pictures: pictures_in(&with_pictures), picture }
    }

    /// Whether this is what is to be answered to the question of this name.
    fn is(&self, name: &str, status: StatusCode, body: &[u8]) -> bool {
        match name {
            "friends" => body == self.friends,
            "strangers" => status == StatusCode::NOT_FOUND,
            "50 pictures" => pictures_in(body) == self.pictures,
            "a picture" => body == self.picture,
            "a session" => body.starts_with(br#"{"user_id":"ada""#),
            _ => panic!("{name}"),
        }
    }
}

fn pictures_in(body: &[u8]) -> usize {
    body.windows(4).filter(|window| window == b"RIFF").count()
}

/// Asks everything for some rounds. Returns a line a question: which answers came, and the longest
/// time. Every answer must be right, or say plainly that something is down.
async fn ask_everything(
    browser: &Browser,
    server: &Server,
    right_answers: &Right,
    strangers: &mut impl Iterator<Item = UserId>,
) -> String {
    let mut report = String::new();
    for (name, path) in ASKED {
        let (mut right, mut down, mut longest) = (0, 0, Duration::ZERO);
        for _ in 0..10 {
            let path = match path {
                "@hot" => right_answers.hot.clone(),
                "@stranger" => format!("/api/users/{}", strangers.next().unwrap()),
                path => path.to_owned(),
            };
            let since = Instant::now();
            let answer = browser.get(server, &path).await;
            let status = answer.status();
            if status == StatusCode::SERVICE_UNAVAILABLE {
                assert!(answer.headers().contains_key(header::RETRY_AFTER), "{name}");
                down += 1;
            } else {
                let body = answer.bytes().await.unwrap();
                assert!(right_answers.is(name, status, &body), "{name}: {status}");
                right += 1;
            }
            longest = longest.max(since.elapsed());
            assert!(longest < LONGEST, "{name}: {longest:?}");
        }
        let longest = longest.as_millis();
        writeln!(report, "  {name:<12} {right:>2} right, {down:>2} x 503, longest {longest} ms")
            .unwrap();
    }
    report
}

/// Longer than this nobody waits, whatever is away: for a connection to the database, then for it.
const LONGEST: Duration = Duration::from_secs(7);

/// More users than there are, whom no cache holds.
fn strangers() -> impl Iterator<Item = UserId> {
    (0..).map(|n| format!("nobody-{n}").parse().unwrap())
}

/// Whether Redis and the S3 store are up, as `/readyz` says.
async fn readiness(server: &Server) -> (String, String) {
    let answer = client().get(server.url("/readyz")).send().await.unwrap();
    let told = answer.json::<serde_json::Value>().await.unwrap();
    let of = |part: &str| told[part].as_str().unwrap_or_default().to_owned();
    (of("redis"), of("images"))
}

/// Waits until Redis is seen to be up.
async fn until_ready(server: &Server, redis: &str) {
    let since = Instant::now();
    while readiness(server).await.0 != redis {
        assert!(since.elapsed() < Duration::from_secs(30), "Redis is never {redis}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until the S3 store is seen to be so.
async fn until_images_are(server: &Server, images: &str) {
    let since = Instant::now();
    while readiness(server).await.1 != images {
        assert!(since.elapsed() < Duration::from_secs(30), "the store is never {images}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until an upload is taken again, as a user would try.
async fn until_all_is_well(browser: &Browser, server: &Server, shade: u8) -> Duration {
    let since = Instant::now();
    while browser.upload(server, shade).await.status() != StatusCode::OK {
        assert!(since.elapsed() < Duration::from_secs(30), "it does not recover");
        sleep(Duration::from_millis(200)).await;
    }
    since.elapsed()
}

/// A picture and a session that were found good are; what only the database knows is 503.
#[track_caller]
fn assert_only_what_is_held(report: &str) {
    for line in [
        "friends       0 right, 10 x 503",
        "strangers     0 right, 10 x 503",
        "50 pictures   0 right, 10 x 503",
        "a picture    10 right,  0 x 503",
        "a session    10 right,  0 x 503",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

/// Every answer is right.
#[track_caller]
fn assert_all_right(report: &str) {
    assert_eq!(report.matches(" 0 x 503").count(), ASKED.len(), "{report}");
}

/// One who asks one server everything, again and again.
struct Watch {
    shared: Shared,
    server: Server,
    ada: Browser,
    right: Right,
    asked: usize,
    shade: u8,
}

impl Watch {
    async fn begin() -> Self {
        let shared = Shared::start();
        let server = shared.instance(&[]);
        let ada = Browser::sign_in(&server).await;
        let right = Right::learn(&ada, &server).await;
        assert_eq!(right.pictures, 50);
        let mut watch = Self { shared, server, ada, right, asked: 0, shade: 10 };
        assert_all_right(&watch.round("all is well").await);
        assert_eq!(readiness(&watch.server).await, ("up".into(), "up".into()));
        watch
    }

    async fn round(&mut self, name: &str) -> String {
        let mut strangers = strangers().skip(self.asked);
        self.asked += 10;
        let report = ask_everything(&self.ada, &self.server, &self.right, &mut strangers).await;
        eprintln!("{name}\n{report}");
        report
    }

    async fn until_ready(&self) {
        until_ready(&self.server, "up").await;
    }

    async fn until_an_upload_is_taken(&mut self, after: &str) {
        self.shade += 1;
        let took = until_all_is_well(&self.ada, &self.server, self.shade).await;
        eprintln!("an upload is taken {took:?} after {after}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_redis_away_every_answer_is_right() {
    let mut t = Watch::begin().await;
    t.shared.redis.kill();
    assert_all_right(&t.round("Redis is killed").await);
    until_ready(&t.server, "down").await;
    t.shared.redis.restart().unwrap();
    t.until_ready().await;

    t.shared.redis.hang().unwrap();
    assert_all_right(&t.round("Redis hangs").await);
    t.shared.redis.resume().unwrap();
    t.until_ready().await;

    t.shared.redis.command(&["CLIENT", "PAUSE", "3000", "ALL"]).unwrap();
    assert_all_right(&t.round("Redis pauses its clients").await);
    t.until_ready().await;

    let client = ::redis::Client::open(t.shared.redis.url()).unwrap();
    let asleep = tokio::task::spawn_blocking(move || {
        let mut connection = client.get_connection().unwrap();
        ::redis::cmd("DEBUG").arg("SLEEP").arg(3).exec(&mut connection)
    });
    until_ready(&t.server, "down").await;
    assert_all_right(&t.round("Redis sleeps").await);
    asleep.await.unwrap().unwrap();
    t.until_ready().await;
    assert_all_right(&t.round("all is well again").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_store_away_held_pictures_show() {
    let mut t = Watch::begin().await;
    t.shared.s3.kill();
    assert_all_right(&t.round("the S3 store is killed").await);
    until_images_are(&t.server, "down").await;
    assert_eq!(t.ada.upload(&t.server, 99).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    t.shared.s3.restart().unwrap();
    t.until_an_upload_is_taken("the S3 store is back").await;

    t.shared.s3.hang().unwrap();
    assert_all_right(&t.round("the S3 store hangs").await);
    t.shared.s3.resume().unwrap();
    t.until_an_upload_is_taken("the S3 store goes on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_database_away_what_is_held_is_right_and_the_rest_says_so() {
    let mut t = Watch::begin().await;
    t.shared.postgres.hang().unwrap();
    assert_only_what_is_held(&t.round("PostgreSQL hangs").await);
    t.shared.postgres.resume().unwrap();
    t.until_an_upload_is_taken("PostgreSQL goes on").await;

    let mut other = PgConnection::connect(&t.shared.postgres.url()).await.unwrap();
    other.execute("BEGIN; LOCK TABLE users").await.unwrap();
    assert_only_what_is_held(&t.round("someone has locked the users").await);
    other.execute("COMMIT").await.unwrap();
    t.until_an_upload_is_taken("they are unlocked").await;

    t.shared.postgres.kill();
    assert_only_what_is_held(&t.round("PostgreSQL is killed").await);
    t.shared.postgres.restart().unwrap();
    t.until_an_upload_is_taken("PostgreSQL is back").await;
    let record = t.ada.get(&t.server, "/api/images/user/ada?size=64").await;
    let record = record.json::<PictureAnswer>().await.unwrap().record;
    assert!(record.revision >= Revision(4), "{record:?}");
    assert_all_right(&t.round("all is well again").await);
}
