use std::{fs, io::Read, path::Path, time::SystemTime};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use miniature_server::config::Config;

use crate::fixture::{Answer, Fixture, config};

const PAGE: &str = "<!doctype html><script type=\"module\">init();</script></html>";

/// As long as `PAGE`.
const NEXT_PAGE: &str = "<!doctype html><script type=\"module\">next();</script></html>";

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

const EPOCH: SystemTime = SystemTime::UNIX_EPOCH;

struct Site {
    fixture: Fixture,
    dist: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let dist = tempfile::tempdir().unwrap();
        build(dist.path());
        let config = Config { dist: Some(dist.path().to_owned()), ..config() };
        Self { fixture: Fixture::with(config).await, dist }
    }

    async fn get(&self, path: &str, encodings: &str) -> Answer {
        let request = Request::get(path).header("accept-encoding", encodings);
        self.fixture.send(request.body(Body::empty()).unwrap()).await
    }

    /// Asks with a header, by its name and value.
    async fn get_with(&self, path: &str, (name, value): (&str, &str)) -> Answer {
        let request = Request::get(path).header(name, value);
        self.fixture.send(request.body(Body::empty()).unwrap()).await
    }

    /// Asks as a browser that holds what has this tag.
    async fn again(&self, path: &str, tag: &str) -> Answer {
        let request = Request::get(path).header("if-none-match", tag);
        self.fixture.send(request.body(Body::empty()).unwrap()).await
    }

    fn replace_page(&self, page: &str) {
        self.replace("index.html", page);
    }

    /// Replaces a file, but not the time of its last change: reproducible images set it to a constant.
    fn replace(&self, name: &str, content: &str) {
        let path = self.dist.path().join(name);
        fs::write(&path, content).unwrap();
        fs::File::options().write(true).open(path).unwrap().set_modified(EPOCH).unwrap();
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
async fn a_person_who_goes_to_no_page_is_told_by_the_app_and_a_program_by_a_problem() {
    let site = Site::new().await;
    let cases = [
        ("/no/such/page", ("sec-fetch-mode", "navigate"), true),
        ("/nothing/", ("sec-fetch-mode", "navigate"), true),
        ("/miniature-app-0123456789abcdef.js", ("sec-fetch-mode", "navigate"), true),
        ("/nothing", ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"), true),
        ("/nothing", ("accept", "*/*"), false),
        ("/nothing.js", ("sec-fetch-mode", "no-cors"), false),
        ("/api/nothing", ("sec-fetch-mode", "navigate"), false),
        ("/images", ("accept", "text/html"), false),
    ];
    for (path, header, is_page) in cases {
        let answer = site.get_with(path, header).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path} {header:?}");
        assert_eq!(answer.body == PAGE, is_page, "{path} {header:?}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path} {header:?}");
    }
}

#[tokio::test]
async fn a_file_of_an_unknown_build_is_not_found_and_not_kept() {
    let site = Site::new().await;
    for name in ["app-fedcba9876543210.js", "app-fedcba9876543210_bg.wasm"] {
        let answer = site.get(&format!("/{name}"), "br").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
        assert_eq!(answer.header("cache-control"), "no-store", "{name}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{name}");

        fs::write(site.dist.path().join(name), "of the build before").unwrap();
        assert_eq!(site.get(&format!("/{name}"), "br").await.status, StatusCode::OK, "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_cannot_be_read_is_not_kept_as_an_error_for_good() {
    let site = Site::new().await;
    let name = "app-fedcba9876543210.js";
    std::os::unix::fs::symlink(name, site.dist.path().join(name)).unwrap(); // a loop
    let answer = site.get(&format!("/{name}"), "").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.header("cache-control"), "no-store");
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
    let icon = site.get("/manifest.webmanifest", "").await;
    let strictest = icon.header("content-security-policy");
    assert!(strictest.starts_with("default-src 'none'"), "nothing runs in a file: {strictest}");
    for rule in ["default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
}

#[tokio::test]
async fn a_replaced_page_comes_with_its_own_policy_and_tag() {
    let site = Site::new().await;
    site.replace_page(PAGE);
    let first = site.get("/", "").await;
    assert_eq!(site.again("/", first.header("etag")).await.status, StatusCode::NOT_MODIFIED);

    site.replace_page(NEXT_PAGE);

    let next = site.again("/", first.header("etag")).await;
    assert_eq!((next.status, next.body.as_ref()), (StatusCode::OK, NEXT_PAGE.as_bytes()));
    assert_ne!(next.header("etag"), first.header("etag"));
    // printf 'next();' | openssl dgst -sha256 -binary | base64
    let hash = "'sha256-KCLlghij5ML5UWrSlZtsRXyzhp7zax5Du0ypFHCFDyw='";
    let policy = next.header("content-security-policy");
    assert!(policy.contains(&format!("'wasm-unsafe-eval' {hash};")), "{policy}");
    assert_eq!(site.again("/", next.header("etag")).await.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_replaced_file_is_sent_whatever_its_time_and_size() {
    let site = Site::new().await;
    site.replace("sw.js", "worker");
    let first = site.get("/sw.js", "").await;
    let tag = first.header("etag");
    assert_eq!(site.again("/sw.js", tag).await.status, StatusCode::NOT_MODIFIED);

    site.replace("sw.js", "WORKER");

    let next = site.again("/sw.js", tag).await;
    assert_eq!((next.status, next.body.as_ref()), (StatusCode::OK, b"WORKER".as_slice()));
    let since = Request::get("/sw.js").header("if-modified-since", "Sat, 01 Jan 2050 00:00:00 GMT");
    let next = site.fixture.send(since.body(Body::empty()).unwrap()).await;
    assert_eq!(next.status, StatusCode::OK);
}

#[tokio::test]
async fn a_compressed_page_is_the_page() {
    let site = Site::new().await;
    for variant in ["index.html.br", "index.html.gz"] {
        fs::write(site.dist.path().join(variant), "of the build before").unwrap();
    }
    let page = format!("<!doctype html>{}</html>", "<p>portrait</p>".repeat(100));
    site.replace_page(&page);

    let brotli = site.get("/", "gzip, br").await;
    assert_eq!(brotli.header("content-encoding"), "br");
    let mut text = Vec::new();
    brotli::BrotliDecompress(&mut brotli.body.as_ref(), &mut text).unwrap();
    assert_eq!(text, page.as_bytes());
    let gzip = site.get("/", "gzip, br;q=0").await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(gzip.body.as_ref()).read_to_string(&mut text).unwrap();
    assert_eq!(text, page);
    assert_eq!(gzip.header("etag"), brotli.header("etag"));
}

#[tokio::test]
async fn a_page_that_is_half_written_or_away_leaves_the_last_one() {
    let site = Site::new().await;
    let first = site.get("/", "").await;
    for part in ["", &NEXT_PAGE[..40]] {
        site.replace_page(part);
        let answer = site.get("/", "").await;
        assert_eq!((&answer.body, answer.status), (&first.body, StatusCode::OK), "{part:?}");
    }
    fs::remove_file(site.dist.path().join("index.html")).unwrap();
    let answer = site.get("/", "").await;
    assert_eq!((&answer.body, answer.status), (&first.body, StatusCode::OK), "away");
    let policy = "content-security-policy";
    assert_eq!(answer.header(policy), first.header(policy));

    site.replace_page(NEXT_PAGE);
    assert_eq!(site.get("/", "").await.body, NEXT_PAGE);
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

const TOLD: &str = "<!doctype html><head><meta name=\"miniature-worker\" content=\"/sw.js\" data-version=\"1\"></head>\
<script type=\"module\">init();</script></html>";

#[tokio::test]
async fn a_worker_that_is_switched_off_is_ended_and_no_page_is_told_of_it() {
    for service_worker in [true, false] {
        let dist = tempfile::tempdir().unwrap();
        build(dist.path());
        fs::write(dist.path().join("index.html"), TOLD).unwrap();
        let config = Config { dist: Some(dist.path().to_owned()), service_worker, ..config() };
        let site = Site { fixture: Fixture::with(config).await, dist };
        let page = site.get("/friends", "identity").await;
        let text = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(text(&page).contains("miniature-worker"), service_worker);
        let script = site.get("/sw.js", "br, gzip").await;
        assert_eq!(script.header("cache-control"), "no-cache");
        assert_eq!(script.header("content-type"), "text/javascript");
        assert_eq!(text(&script).contains("unregister"), !service_worker, "{}", text(&script));
    }
}
