//! The built frontend: files, and pages that are all `index.html`.

mod page;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    RequestExt,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use tower::ServiceExt;
use tower_http::services::ServeDir;

use self::page::Page;
use crate::{
    ApiError,
    routes::{
        conditional::{Caching, ETag, Held, unless_held},
        is_under,
    },
};

/// By which an asker says what it holds.
const CONDITIONS: [HeaderName; 4] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
];

/// The service worker's script.
const WORKER: &str = "/sw.js";
/// Takes its place where there is to be none.
const NO_WORKER: &str = include_str!("no_worker.js");

/// How a frontend is served.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Another origin that pages may fetch pictures from.
    pub(crate) pictures_from: Option<String>,
    /// Whether the frontend has a service worker.
    pub(crate) service_worker: bool,
}

/// The folder that `cargo xtask dist` has written. It may be replaced while we serve it.
#[derive(Debug)]
pub(crate) struct Frontend {
    folder: PathBuf,
    settings: Settings,
    /// As last read whole.
    page: RwLock<Arc<Page>>,
}

impl Frontend {
    /// Serves this folder.
    pub(crate) fn open(folder: &Path, settings: Settings) -> io::Result<Self> {
        let html = fs::read(folder.join("index.html"))?;
        let page = RwLock::new(Arc::new(Page::new(html, &settings)?));
        Ok(Self { folder: folder.to_owned(), settings, page })
    }

    /// A file, or the page if the path is one of the app's. To a browser that goes to a path that is
    /// neither, the page says that there is nothing.
    pub(crate) async fn answer(&self, request: Request) -> Result<Response, ApiError> {
        let path = request.uri().path().to_owned();
        let strays = strays(&request).then(|| request.headers().clone());
        let is_no_file = path.ends_with('/') || path == "/index.html";
        let (mut answer, page) = match is_page(&path) {
            true => self.page(request).await,
            false if is_no_file => (StatusCode::NOT_FOUND.into_response(), self.last_page()),
            false if path == WORKER && !self.settings.service_worker => (
                ([(header::CONTENT_TYPE, "text/javascript")], NO_WORKER).into_response(),
                self.last_page(),
            ),
            false => (self.file(&path, request).await?, self.last_page()),
        };
        match (answer.status(), strays) {
            (StatusCode::NOT_FOUND, Some(headers)) => answer = page.missing(&headers),
            (StatusCode::NOT_FOUND, None) => return Err(ApiError::NotFound),
            (status, _) if status.is_server_error() => {
                return Err(ApiError::internal("a file of the frontend cannot be read"));
            }
            _ => {}
        }
        // A file that is missing now may be there after the next deployment.
        let is_missing = answer.status() == StatusCode::NOT_FOUND;
        let caching = if is_missing { "no-store" } else { caching(&path) };
        let headers = answer.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if is_kept_for_good(&path) {
            // Its tag says as much.
            headers.remove(header::LAST_MODIFIED);
        }
        // A worker is bound by the policies of its script, not of its page. Whatever else it is, nothing may
        // run.
        if is_missing || is_page(&path) || path == WORKER {
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
            headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
            headers.insert(header::CONTENT_SECURITY_POLICY, page.policy().clone());
        }
        Ok(answer)
    }

    async fn page(&self, mut request: Request) -> (Response, Arc<Page>) {
        let Ok(held) = request.extract_parts::<Held>().await;
        let page = self.current_page().await;
        (page.answer(&held, request.headers()), page)
    }

    /// Reads the page at each request, not its metadata: two builds may have the same size and, in a
    /// reproducible image, the same time of their last change.
    async fn current_page(&self) -> Arc<Page> {
        let last = self.last_page();
        match tokio::fs::read(self.folder.join("index.html")).await {
            Ok(html) if html != last.read() => self.replace_page(html).unwrap_or(last),
            _ => last,
        }
    }

    fn last_page(&self) -> Arc<Page> {
        Arc::clone(&self.page.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace_page(&self, html: Vec<u8>) -> io::Result<Arc<Page>> {
        let page = Arc::new(Page::new(html, &self.settings)?);
        *self.page.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&page);
        Ok(page)
    }

    /// A file that another build may replace is tagged by its content: `ServeDir` goes by time and size.
    async fn file(&self, path: &str, mut request: Request) -> Result<Response, ApiError> {
        if is_kept_for_good(path) {
            return Ok(self.stored(request).await);
        }
        let Ok(held) = request.extract_parts::<Held>().await;
        for condition in CONDITIONS {
            request.headers_mut().remove(condition);
        }
        *request.method_mut() = Method::GET; // hyper leaves out the body for HEAD
        let answer = self.stored(request).await;
        if answer.status() != StatusCode::OK {
            return Ok(answer);
        }
        let (mut head, body) = answer.into_parts();
        let content = to_bytes(body, usize::MAX).await.map_err(ApiError::internal)?;
        head.headers.remove(header::LAST_MODIFIED);
        let tag = ETag::strong(&ETag::name_of(&content));
        let whole = || Response::from_parts(head, content.into());
        Ok(unless_held(&held, tag, Caching::AskEachTime, whole))
    }

    async fn stored(&self, request: Request) -> Response {
        let files = ServeDir::new(&self.folder).append_index_html_on_directories(false);
        let files = files.precompressed_br().precompressed_gzip();
        match files.oneshot(request).await {
            Ok(answer) => answer.map(Body::new),
            Err(never) => match never {},
        }
    }
}

/// Whether the app has such a page. Anything else unknown is a mistake, and says so.
fn is_page(path: &str) -> bool {
    let one_friend =
        path.strip_prefix("/friends/").is_some_and(|id| !id.is_empty() && !id.contains('/'));
    one_friend || matches!(path, "/" | "/sign-in" | "/friends" | "/feed" | "/me")
}

/// Whether a browser asks on behalf of a person who goes somewhere, and not a page for what it needs.
///
/// # Source
///
/// Fetch Metadata Request Headers, section 2.2, for those that send it; otherwise what it accepts.
fn strays(request: &Request) -> bool {
    let says = |name: HeaderName, word: &str| {
        let line = request.headers().get(name).and_then(|line| line.to_str().ok());
        line.map(|line| line.contains(word))
    };
    let of_ours = ["/api", "/images"].iter().any(|part| is_under(request.uri().path(), part));
    let goes = says(HeaderName::from_static("sec-fetch-mode"), "navigate");
    let goes = goes.or_else(|| says(header::ACCEPT, "text/html")).unwrap_or(false);
    goes && !of_ours && matches!(*request.method(), Method::GET | Method::HEAD)
}

/// A file named by its content never changes; any other is asked for each time.
fn caching(path: &str) -> &'static str {
    if is_kept_for_good(path) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn is_kept_for_good(path: &str) -> bool {
    path.split('/').any(is_named_by_content)
}

/// As trunk and wasm-bindgen name what they write: `app-0123456789abcdef.js`, `..._bg.wasm`. Trunk writes
/// the 64 bits of a hash without zeros in front.
fn is_named_by_content(name: &str) -> bool {
    name.split('-').skip(1).any(|rest| {
        let digits = rest.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
        (12..=16).contains(&digits)
            && matches!(rest.as_bytes().get(digits), None | Some(b'.' | b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_named_by_content_are_kept_for_good() {
        let cases = [
            ("/miniature-app-0123456789abcdef.js", true),
            ("/miniature-app-0123456789abcdef_bg.wasm", true),
            ("/tokens-0123456789abcdef.css", true),
            ("/tokens-123456789abcdef.css", true),
            ("/snippets/leptos-0123456789abcdef/inline0.js", true),
            ("/", false),
            ("/boot.js", false),
            ("/sw.js", false),
            ("/icon-192.png", false),
            ("/app-0123456789abcdefff.js", false),
            ("/0123456789abcdef.js", false),
        ];
        for (path, expected) in cases {
            assert_eq!(caching(path).contains("immutable"), expected, "{path}");
        }
    }

    #[test]
    fn pages_are_those_that_the_app_has() {
        for path in ["/", "/sign-in", "/friends", "/friends/ada", "/feed", "/me"] {
            assert!(is_page(path), "{path}");
        }
        for path in ["/friends/", "/friends/ada/x", "/admin", "/me/", "/sign-in.php", ""] {
            assert!(!is_page(path), "{path}");
        }
    }
}
