//! Profiles from another service, played by a few lines of axum.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use clap::Parser;
use http_body_util::BodyExt;
use miniature_api::UserId;
use miniature_server::{
    App, Collection, app,
    clock::Clock,
    config::{Cli, Command, Secret, Users},
    images::ImageStore,
    limits::Limits,
    profiles::{Profiles, SourceError},
    storage::{Database, ImageMetadata, NewPerson, NewPicture},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Mutex, time::Instant};
use tower::ServiceExt;

/// A service whose next answers are scripted, and which then answers as it should.
#[derive(Clone, Default)]
struct Service {
    script: Arc<Mutex<Vec<Answer>>>,
    asked: Arc<AtomicU32>,
    largest: Arc<AtomicU32>,
}

#[derive(Clone, Copy)]
enum Answer {
    Status(u16),
    Hang,
    Nonsense,
}

impl Service {
    async fn start(script: &[Answer]) -> (Self, Users) {
        let service = Self { script: Arc::new(Mutex::new(script.to_vec())), ..Self::default() };
        let answering = service.clone();
        let answer = async move |headers: HeaderMap, Json(question): Json<Value>| {
            answering.answer(&headers, &question).await
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/people", listener.local_addr().unwrap());
        let router = Router::new().route("/people", post(answer));
        tokio::spawn(axum::serve(listener, router).into_future());
        let token = Some(Secret("a-token".to_owned()));
        (service, Users { users_url: Some(url.parse().unwrap()), users_token: token })
    }

    async fn answer(&self, headers: &HeaderMap, question: &Value) -> Response {
        assert_eq!(headers["authorization"], "Bearer a-token");
        self.asked.fetch_add(1, Ordering::SeqCst);
        let users = question["users"].as_array().unwrap();
        self.largest.fetch_max(u32::try_from(users.len()).unwrap(), Ordering::SeqCst);
        let next = self.script.lock().await.pop();
        match next {
            Some(Answer::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
            Some(Answer::Hang) => std::future::pending().await,
            Some(Answer::Nonsense) => "<html>".into_response(),
            None => Json(json!({ "users": known(users) })).into_response(),
        }
    }

    fn asked(&self) -> u32 {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

/// Whom the service knows: everyone but `nobody`; and one whom nobody asked for.
fn known(users: &[Value]) -> Vec<Value> {
    let users = users.iter().filter(|user| *user != "nobody");
    let person =
        |user: &Value| json!({ "user_id": user, "name": format!("{} of the service", text(user)) });
    users.map(person).chain([json!({ "user_id": "unasked", "name": "Unasked" })]).collect()
}

fn text(user: &Value) -> &str {
    user.as_str().unwrap()
}

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

async fn profiles(users: &Users) -> (Profiles, Database) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let database = Database::in_memory().await.unwrap();
    let ada = NewPerson {
        user_id: user("ada"),
        name: "Ada".to_owned(),
        headline: "Analyst".to_owned(),
        password_hash: None,
    };
    database.add_people(&[ada], &[]).await.unwrap();
    let profiles = Profiles::new(database.clone(), None, &Limits::default());
    (profiles.asking(users, database.clone()).unwrap(), database)
}

#[tokio::test]
async fn names_come_from_the_service_and_pictures_from_here() {
    let (_, users) = Service::start(&[]).await;
    let (profiles, database) = profiles(&users).await;
    let image = miniature_server::images::image_id(b"x");
    let known = ImageMetadata {
        content_type: "image/webp".to_owned(),
        edge: 512,
        bytes: [1; 4],
        thumbhash: "hash".to_owned(),
    };
    let claim = database.add_image(image, &known, 0).await.unwrap().unwrap();
    let picture = NewPicture { image_id: image, thumbhash: "hash".to_owned(), claim };
    database.set_picture(&user("ada"), Some(&picture), 0).await.unwrap();

    let asked = ["ada", "cem", "nobody"].map(user);
    let (found, _) = profiles.get_many(&asked).await.unwrap();

    let [ada, cem, nobody] = &found[..] else { panic!("{found:?}") };
    let ada = ada.as_ref().unwrap();
    assert_eq!((&*ada.name, ada.picture.image_id), ("ada of the service", Some(image)));
    let cem = cem.as_ref().unwrap();
    assert_eq!(cem.picture.image_id, None, "the service knows more people than we do");
    assert!(nobody.is_none());
    let ours = database.profiles(&[user("ada")]).await.unwrap();
    assert_eq!(ours[&user("ada")].name, "ada of the service", "lists are sorted by our copy");
}

#[tokio::test]
async fn a_rename_at_the_service_is_newer_than_the_copy_before_it() {
    let (_, users) = Service::start(&[]).await;
    let (profiles, database) = profiles(&users).await;
    let before = database.profiles(&[user("ada")]).await.unwrap()[&user("ada")].version;

    let renamed = profiles.get(&user("ada")).await.unwrap().unwrap();

    assert_eq!(renamed.name, "ada of the service");
    assert!(renamed.version > before, "so that no older copy replaces it");
    let again = profiles.refresh(&user("ada")).await.unwrap().unwrap();
    assert_eq!(again.version, renamed.version);
}

#[tokio::test]
async fn at_most_fifty_are_asked_for_at_once() {
    let (service, users) = Service::start(&[]).await;
    let (profiles, _) = profiles(&users).await;
    let many = (0..120).map(|n| user(&format!("user{n}"))).collect::<Vec<_>>();
    assert_eq!(profiles.get_many(&many).await.unwrap().0.len(), 120);
    assert_eq!((service.asked(), service.largest.load(Ordering::SeqCst)), (3, 50));
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    let cases = [
        ("overloaded twice", vec![Answer::Status(503), Answer::Status(429)], 3, true),
        ("broken for good", vec![Answer::Status(500); 10], 4, false),
        ("refused", vec![Answer::Status(403)], 1, false),
        ("no JSON", vec![Answer::Nonsense], 1, false),
        ("one that hangs", vec![Answer::Hang], 2, true),
    ];
    for (name, script, tries, answers) in cases {
        let (service, users) = Service::start(&script).await;
        let (profiles, _) = profiles(&users).await;
        let answer = profiles.get(&user("ada")).await;
        assert_eq!(answer.is_ok(), answers, "{name}: {answer:?}");
        assert_eq!(service.asked(), tries, "{name}");
    }
}

#[tokio::test]
async fn a_service_that_stays_away_is_left_alone_for_a_while() {
    let (service, users) = Service::start(&[Answer::Status(403); 3]).await;
    let (profiles, _) = profiles(&users).await;
    for _ in 0..3 {
        assert!(profiles.get(&user("ada")).await.is_err());
    }
    assert_eq!(service.asked(), 3);

    let since = Instant::now();
    let refused = profiles.get(&user("ada")).await.unwrap_err();
    assert!(matches!(refused, SourceError::Service(_)), "{refused}");
    assert!(since.elapsed() < Duration::from_millis(500));
    assert_eq!(service.asked(), 0, "it was not asked");
}

async fn readiness(router: &Router) -> Value {
    let request = Request::get("/readyz").body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "what is near is served");
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test]
async fn a_service_that_is_away_is_named_by_readyz_within_a_second() {
    let (_, users) = Service::start(&[Answer::Status(403)]).await;
    let (profiles, database) = profiles(&users).await;
    let folder = tempfile::tempdir().unwrap();
    let images = ImageStore::in_folder(folder.path()).unwrap();
    let limits = Limits::default();
    let collection = Collection::of(database, profiles.clone(), images, &limits);
    let Command::Serve(config) = Cli::parse_from(["", "serve"]).command else { unreachable!() };
    let router = app(App::new(collection, &config, Clock::system(), &limits).unwrap());

    let ready = readiness(&router).await;
    assert_eq!(
        ready,
        json!({ "status": "ready", "database": "up", "images": "up", "users": "up" })
    );

    profiles.get(&user("ada")).await.unwrap_err();

    assert_eq!(readiness(&router).await, ready, "whoever asks often makes it ask nobody");
    let since = Instant::now();
    while readiness(&router).await["users"] != "down" {
        assert!(since.elapsed() < Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_the_token_nor_a_key_in_the_url_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    let _logging = tracing::subscriber::set_default(subscriber.finish());
    let (_, users) = Service::start(&[Answer::Nonsense]).await;
    let url = users.users_url.as_ref().unwrap();
    for url in [url.as_url().as_str(), "http://ann:a-password@127.0.0.1:1/people"] {
        let url = format!("{url}?key=a-key-in-the-url").parse().unwrap();
        let users = Users { users_url: Some(url), ..users.clone() };
        let shown = format!("{users:?}");
        assert!(!shown.contains("a-key") && !shown.contains("a-password"), "{shown}");
        let (profiles, _) = profiles(&users).await;
        let refused = profiles.get(&user("ada")).await.unwrap_err().to_string();
        for secret in ["a-key-in-the-url", "a-password"] {
            assert!(!refused.contains(secret), "{refused}");
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("it is away"), "{log}");
    for secret in ["a-key-in-the-url", "a-password", "a-token"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
