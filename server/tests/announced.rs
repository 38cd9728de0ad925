//! Killed at any moment around a change, the server announces it at least once, and makes it once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use miniature_api::{Feed, Profile};
use miniature_server::{
    sign_in::hash_password,
    storage::{Database, NewPerson},
};
use miniature_services::{Postgres, Redis};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection};
use tokio::time::{sleep, timeout};

mod command_line;

use command_line::{PROGRAM, Server, client};

/// How often the server is killed.
const KILLS: usize = 12;

/// However busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks, so that they leave the server time to answer.
const PAUSE: Duration = Duration::from_millis(1);

/// Where the server keeps people: it is killed, and what it kept stays.
struct Kept {
    folder: tempfile::TempDir,
    redis: Redis,
    postgres: Option<Postgres>,
}

impl Kept {
    async fn in_sqlite() -> Self {
        Self::of(None).await
    }

    async fn in_postgresql() -> Self {
        Self::of(Some(Postgres::start().unwrap())).await
    }

    async fn of(postgres: Option<Postgres>) -> Self {
        let (folder, redis) = (tempfile::tempdir().unwrap(), Redis::start().unwrap());
        let database = match &postgres {
            None => Database::open(folder.path()).await.unwrap(),
            Some(postgres) => Database::connect(&postgres.url().parse().unwrap()).await.unwrap(),
        };
        let ada = NewPerson {
            user_id: "ada".parse().unwrap(),
            name: "ada".to_owned(),
            headline: String::new(),
            password_hash: Some(hash_password("secret").unwrap()),
        };
        database.add_people(&[ada], &[]).await.unwrap();
        database.close().await;
        Self { folder, redis, postgres }
    }

    fn server(&self) -> Server {
        let (redis, postgres) = (self.redis.url(), self.postgres.as_ref().map(Postgres::url));
        let mut settings = vec![
            ("MINIATURE_REDIS_URL", redis.as_str()),
            ("MINIATURE_POSTS_PER_USER", "100000"),
            ("MINIATURE_PROFILE_CHANGES_PER_USER", "100000"),
        ];
        settings.extend(postgres.as_deref().map(|url| ("MINIATURE_DATABASE_URL", url)));
        Server::run(Command::new(PROGRAM), self.folder.path(), &settings)
    }

    async fn look(&self) -> Look {
        sqlx::any::install_default_drivers();
        let file =
            |folder: &Path| format!("sqlite://{}", folder.join("miniature.sqlite").display());
        let url = self.postgres.as_ref().map_or_else(|| file(self.folder.path()), Postgres::url);
        Look(AnyConnection::connect(&url).await.unwrap())
    }

    /// The ids of the messages in the stream.
    fn announced(&self) -> BTreeSet<String> {
        let mut client = redis::Client::open(self.redis.url()).unwrap();
        let range = redis::cmd("XRANGE").arg("miniature:events").arg("-").arg("+").to_owned();
        let held = range.query::<redis::streams::StreamRangeReply>(&mut client).unwrap().ids;
        assert!(held.len() < 1_000, "all that was announced is there still");
        held.iter().filter_map(|entry| entry.get("message")).collect()
    }
}

/// Looks into the database beside the server.
struct Look(AnyConnection);

impl Look {
    async fn count(&mut self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        sqlx::query_scalar(&sql).fetch_one(&mut self.0).await.unwrap()
    }

    async fn until(&mut self, table: &str, is: impl Fn(i64) -> bool) {
        let looks = async {
            while !is(self.count(table).await) {
                sleep(PAUSE).await;
            }
        };
        timeout(PATIENCE, looks).await.unwrap_or_else(|_| panic!("{table} never is so"));
    }
}

/// What a client sends, again and again until it is answered.
#[derive(Clone)]
struct Request {
    method: Method,
    path: &'static str,
    body: Value,
}

/// One who posts and edits, and remembers what the server owes an answer to.
struct Author {
    client: Client,
    cookie: String,
    /// The server's, for the report of a failure.
    log: PathBuf,
    unanswered: Option<Request>,
    posts: BTreeSet<String>,
    headlines: usize,
}

impl Author {
    fn next(&mut self) -> Request {
        if self.posts.len() <= self.headlines {
            let id = uuid::Uuid::now_v7().to_string();
            self.posts.insert(id.clone());
            let body = json!({ "text": "hello", "id": id });
            return Request { method: Method::POST, path: "/api/posts", body };
        }
        self.headlines += 1;
        let body = json!({ "headline": format!("headline {}", self.headlines) });
        Request { method: Method::PATCH, path: "/api/users/me", body }
    }

    /// Whether the server answered. While it says that it is not ready it is asked again.
    async fn send(&self, server: &str, request: &Request) -> bool {
        let url = format!("{server}{}", request.path);
        loop {
            let sent = self.client.request(request.method.clone(), &url).json(&request.body);
            let Ok(answer) = sent.header(header::COOKIE, &self.cookie).send().await else {
                return false;
            };
            match answer.status() {
                StatusCode::OK | StatusCode::CREATED => return true,
                StatusCode::SERVICE_UNAVAILABLE => sleep(PAUSE).await,
                other => panic!("{other}: {}", std::fs::read_to_string(&self.log).unwrap()),
            }
        }
    }

    /// One change after another, until the server is gone. What was not answered comes first.
    async fn change(mut self, server: String) -> Self {
        loop {
            let request = self.unanswered.take().unwrap_or_else(|| self.next());
            if !self.send(&server, &request).await {
                self.unanswered = Some(request);
                return self;
            }
        }
    }
}

async fn killed_around_changes(kept: Kept) {
    let (client, mut look) = (client(), kept.look().await);
    let server = kept.server();
    let cookie = server.sign_in(&client, "secret").await.unwrap();
    drop(server);
    let mut ada = Author {
        client,
        cookie,
        log: kept.folder.path().join("log"),
        unanswered: None,
        posts: BTreeSet::new(),
        headlines: 0,
    };

    for round in 0..KILLS {
        let server = kept.server();
        let changes = tokio::spawn(ada.change(server.url("")));
        let posts = look.count("posts").await;
        look.until("posts", |count| count > posts + i64::try_from(round % 4).unwrap()).await;
        look.until("outbox", |count| count > 0).await; // a commit, and not yet the end of its news
        drop(server); // SIGKILL
        ada = changes.await.unwrap();
    }

    let server = kept.server();
    if let Some(request) = ada.unanswered.take() {
        assert!(ada.send(&server.url(""), &request).await, "{}", request.body);
    }
    look.until("outbox", |count| count == 0).await;
    let get = async |path: &str| {
        let request = ada.client.get(server.url(path)).header(header::COOKIE, &ada.cookie);
        request.send().await.unwrap().error_for_status().unwrap()
    };
    let profile = get("/api/users/ada").await.json::<Profile>().await.unwrap();
    assert_eq!(profile.headline, format!("headline {}", ada.headlines));
    let (mut written, mut path) = (Vec::new(), "/api/posts?limit=50".to_owned());
    loop {
        let feed = get(&path).await.json::<Feed>().await.unwrap();
        written.extend(feed.posts.into_iter().map(|post| post.id.to_string()));
        let Some(next) = feed.next else { break };
        path = format!("/api/posts?limit=50&before={next}");
    }
    assert_eq!(written.len(), ada.posts.len(), "each once");
    assert_eq!(written.into_iter().collect::<BTreeSet<_>>(), ada.posts);

    let announced = kept.announced();
    let expected = ada.posts.iter().map(|id| format!("post/{id}"));
    let expected = expected.chain((1..=ada.headlines).map(|n| format!("profile/ada/{n}")));
    assert_eq!(announced, expected.collect(), "each change, and each made once");
    assert!(ada.posts.len() > KILLS);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_around_changes_it_announces_each_and_makes_each_once_in_sqlite() {
    killed_around_changes(Kept::in_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_around_changes_it_announces_each_and_makes_each_once_in_postgresql() {
    killed_around_changes(Kept::in_postgresql().await).await;
}
