use std::{fs, path::Path};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use miniature_server::config::Config;

use crate::fixture::{Answer, Fixture, config};

const PAGE: &str = "<!doctype html><script type=\"module\">init();</script>";

fn build(dist: &Path) {
    for (name, content) in [
        ("index.html", PAGE),
        ("app-0123456789abcdef.js", "plain script"),
        ("app-0123456789abcdef.js.br", "brotli"),
        ("app-0123456789abcdef.js.gz", "gzip"),
        ("app-0123456789abcdef_bg.wasm", "wasm"),
        ("sw.js", "worker"),
        ("manifest.webmanifest", "{}"),
    ] {
        fs::write(dist.join(name), content).unwrap();
    }
    fs::create_dir(dist.join("icons")).unwrap();
}

struct Site {
    fixture: Fixture,
    _dist: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let dist = tempfile::tempdir().unwrap();
        build(dist.path());
        let config = Config { dist: Some(dist.path().to_owned()), ..config() };
        Self { fixture: Fixture::with(config).await, _dist: dist }
    }

    async fn get(&self, path: &str, encodings: &str) -> Answer {
        let request = Request::get(path).header("accept-encoding", encodings);
        self.fixture.send(request.body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn pages_are_the_app_and_nothing_else_is() {
    let site = Site::new().await;
    for path in ["/", "/sign-in", "/friends", "/friends/bea", "/feed", "/me"] {
        let answer = site.get(path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.body, PAGE, "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
    }
    for path in ["/nothing", "/icons", "/icons/", "/api/friend", "/images", "/..%2f..%2fetc/passwd"]
    {
        assert_eq!(site.get(path, "").await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(site.get("/api/friends", "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_may_run_its_own_scripts_alone() {
    let site = Site::new().await;
    let worker = site.get("/sw.js", "").await;
    let answer = site.get("/friends", "").await;
    let policy = answer.header("content-security-policy");
    // printf 'init();' | openssl dgst -sha256 -binary | base64
    let hash = "'sha256-GEnM5q1nYY/iACnyMTdov+tNp9OFcBnnDgNXUXaVNXc='";
    assert!(policy.contains(&format!("script-src 'self' 'wasm-unsafe-eval' {hash};")), "{policy}");
    assert_eq!(worker.header("content-security-policy"), policy, "a worker must reach the API");
    for rule in ["default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
}

#[tokio::test]
async fn files_come_compressed_typed_and_kept_as_they_may_be() {
    let site = Site::new().await;
    let script = "/app-0123456789abcdef.js";
    let forever = "public, max-age=31536000, immutable";
    let cases = [
        (script, "br, gzip", "brotli", "br", "text/javascript", forever),
        (script, "gzip", "gzip", "gzip", "text/javascript", forever),
        (script, "", "plain script", "", "text/javascript", forever),
        ("/app-0123456789abcdef_bg.wasm", "br", "wasm", "", "application/wasm", forever),
        ("/sw.js?max_entries=200", "br", "worker", "", "text/javascript", "no-cache"),
        ("/manifest.webmanifest", "", "{}", "", "application/manifest+json", "no-cache"),
    ];
    for (path, accepted, body, encoding, content_type, caching) in cases {
        let answer = site.get(path, accepted).await;
        assert_eq!(answer.body, body, "{path} {accepted}");
        assert_eq!(answer.header("content-encoding"), encoding, "{path} {accepted}");
        assert_eq!(answer.header("content-type"), content_type, "{path} {accepted}");
        assert_eq!(answer.header("cache-control"), caching, "{path} {accepted}");
        assert_eq!(answer.header("vary"), "Accept-Encoding", "{path} {accepted}");
    }
}

#[tokio::test]
async fn a_page_is_only_read() {
    let site = Site::new().await;
    let request = Request::builder().method(Method::POST).uri("/friends");
    let answer = site.fixture.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}
