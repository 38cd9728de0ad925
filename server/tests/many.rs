//! Two instances on one PostgreSQL, Redis and S3 store; and what each does when one of these is away.
//!
//! Figures, for docs/operating.md: `cargo test -p miniature-server --test many -- --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{fmt::Write, time::Duration};

use futures_util::StreamExt;
use miniature_api::{FriendsPage, PictureAnswer, Record, Revision, UserId};
use miniature_services::{Postgres, Redis, S3};
use reqwest::{Client, Method, StatusCode, header};
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
        let settings = vec![
            ("MINIATURE_DATABASE_URL", postgres.url()),
            ("MINIATURE_REDIS_URL", redis.url()),
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
    let path = "/api/images/user/ada?size=64";
    let there = ada.get(&other, path).await.json::<PictureAnswer>().await.unwrap();
    assert_eq!(there.record, given);
    for log in [one.log(), other.log()] {
        assert!(log.contains("/api/session"), "much is logged");
        for secret in ["X-Amz-Signature", S3::SECRET_KEY, &ada.cookie] {
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

/// Asks everything for some rounds. Returns a line a question: which answers came, and the longest
/// time. Every answer must be right, or say plainly that something is down.
async fn ask_everything(
    browser: &Browser,
    server: &Server,
    hot: &str,
    strangers: &mut impl Iterator<Item = UserId>,
) -> String {
    let mut report = String::new();
    for (name, path) in ASKED {
        let (mut right, mut down, mut longest) = (0, 0, Duration::ZERO);
        for _ in 0..10 {
            let path = match path {
                "@hot" => hot.to_owned(),
                "@stranger" => format!("/api/users/{}", strangers.next().unwrap()),
                path => path.to_owned(),
            };
            let since = Instant::now();
            let answer = browser.get(server, &path).await;
            match answer.status() {
                StatusCode::OK | StatusCode::NOT_FOUND => {
                    answer.bytes().await.unwrap();
                    right += 1;
                }
                StatusCode::SERVICE_UNAVAILABLE => {
                    assert!(answer.headers().contains_key(header::RETRY_AFTER), "{name}");
                    down += 1;
                }
                status => panic!("{name}: {status}"),
            }
            longest = longest.max(since.elapsed());
        }
        let longest = longest.as_millis();
        writeln!(report, "  {name:<12} {right:>2} right, {down:>2} x 503, longest {longest} ms")
            .unwrap();
    }
    report
}

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

/// Waits until an upload is taken again, as a user would try.
async fn until_all_is_well(browser: &Browser, server: &Server, shade: u8) -> Duration {
    let since = Instant::now();
    while browser.upload(server, shade).await.status() != StatusCode::OK {
        assert!(since.elapsed() < Duration::from_secs(30), "it does not recover");
        sleep(Duration::from_millis(200)).await;
    }
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_away_answers_are_right_or_say_so_and_it_recovers_by_itself() {
    let mut shared = Shared::start();
    let server = shared.instance(&[]);
    let ada = Browser::sign_in(&server).await;
    let page = ada.get(&server, "/api/friends?limit=50&pictures=64").await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = ada.get(&server, "/api/friends").await.json::<FriendsPage>().await.unwrap();
    let image = page.friends[0].picture.image_id.unwrap();
    let hot = format!("/images/{image}?size=64");
    let mut shade = 10;
    let mut strangers = strangers();
    let mut round = async |name: &str| {
        let report = ask_everything(&ada, &server, &hot, &mut strangers).await;
        eprintln!("{name}\n{report}");
        report
    };

    round("all is well").await;
    assert_eq!(readiness(&server).await, ("up".into(), "up".into()));
    shared.redis.kill();
    let report = round("Redis is killed").await;
    assert_eq!(report.matches(" 0 x 503").count(), ASKED.len(), "{report}");
    assert_eq!(readiness(&server).await, ("down".into(), "up".into()));
    shared.redis.restart().unwrap();
    until_ready(&server, "up").await;
    shared.redis.hang().unwrap();
    let report = round("Redis hangs").await;
    assert_eq!(report.matches(" 0 x 503").count(), ASKED.len(), "{report}");
    shared.redis.resume().unwrap();
    until_ready(&server, "up").await;

    shared.s3.kill();
    let report = round("the S3 store is killed").await;
    assert_eq!(report.matches(" 0 x 503").count(), ASKED.len(), "held pictures show: {report}");
    assert_eq!(readiness(&server).await.1, "down");
    assert_eq!(ada.upload(&server, 99).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    shared.s3.restart().unwrap();
    let took = until_all_is_well(&ada, &server, shade).await;
    eprintln!("an upload is taken {took:?} after the S3 store is back");

    shared.s3.hang().unwrap();
    let report = round("the S3 store hangs").await;
    assert_eq!(report.matches(" 0 x 503").count(), ASKED.len(), "held pictures show: {report}");
    shared.s3.resume().unwrap();
    shared.postgres.hang().unwrap();
    round("PostgreSQL hangs").await;
    shared.postgres.resume().unwrap();
    shade += 1;
    until_all_is_well(&ada, &server, shade).await;
    shared.postgres.kill();
    let report = round("PostgreSQL is killed").await;
    assert!(report.contains("a picture    10 right"), "{report}");
    shared.postgres.restart().unwrap();
    shade += 1;
    let took = until_all_is_well(&ada, &server, shade).await;
    eprintln!("an upload is taken {took:?} after PostgreSQL is back");
    let record = ada.get(&server, "/api/images/user/ada?size=64").await;
    let record = record.json::<PictureAnswer>().await.unwrap().record;
    assert!(record.revision >= Revision(3), "{record:?}");
    round("all is well again").await;
}
