//! The built frontend: files, and pages that are all `index.html`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use tower::ServiceExt;
use tower_http::services::{ServeDir, ServeFile};

use crate::ApiError;

/// The folder that `trunk build` has written.
#[derive(Debug)]
pub(crate) struct Frontend {
    folder: PathBuf,
    policy: HeaderValue,
}

impl Frontend {
    /// Serves this folder. Its `index.html` is read once, for the scripts that it holds itself. Pages
    /// may fetch pictures from another origin too, if one is given.
    pub(crate) fn open(folder: &Path, pictures_from: Option<&str>) -> io::Result<Self> {
        let page = fs::read_to_string(folder.join("index.html"))?;
        let policy =
            HeaderValue::try_from(policy(&page, pictures_from)).map_err(io::Error::other)?;
        Ok(Self { folder: folder.to_owned(), policy })
    }

    /// A file, or the page if the path is one of the app's.
    pub(crate) async fn answer(&self, request: Request) -> Result<Response, ApiError> {
        let path = request.uri().path().to_owned();
        let mut answer = if is_page(&path) {
            self.page(request).await
        } else if path.ends_with('/') || path == "/index.html" {
            return Err(ApiError::NotFound);
        } else {
            self.file(request).await
        };
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(ApiError::NotFound);
        }
        let headers = answer.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(&path)));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
        // On every file: a worker is bound by the policy of its script, not of its page.
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        Ok(answer)
    }

    async fn page(&self, request: Request) -> Response {
        let page = ServeFile::new(self.folder.join("index.html"));
        let page = page.precompressed_br().precompressed_gzip();
        let Ok(answer) = page.oneshot(request).await;
        answer.map(Body::new)
    }

    async fn file(&self, request: Request) -> Response {
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

/// A file named by its content never changes; any other is asked for each time.
fn caching(path: &str) -> &'static str {
    if path.split('/').any(is_named_by_content) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// As trunk and wasm-bindgen name what they write: `app-0123456789abcdef.js`, `..._bg.wasm`.
fn is_named_by_content(name: &str) -> bool {
    name.split('-').skip(1).any(|rest| {
        let digits = rest.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
        digits == 16 && matches!(rest.as_bytes().get(16), None | Some(b'.' | b'_'))
    })
}

/// What the page may do: run our scripts and WebAssembly, talk to us, show our pictures.
fn policy(page: &str, pictures_from: Option<&str>) -> String {
    let scripts = inline_scripts(page)
        .into_iter()
        .map(|script| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes()))));
    let scripts = scripts.collect::<String>();
    let pictures = pictures_from.map(|origin| format!(" {origin}")).unwrap_or_default();
    format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{scripts}; \
         img-src 'self' blob: data:{pictures}; style-src 'self'; connect-src 'self'{pictures}; \
         object-src 'none'; \
         base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
}

/// The scripts that stand in the page itself, to the byte: a policy names them by their hash.
fn inline_scripts(page: &str) -> Vec<&str> {
    let mut scripts = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("<script") {
        let Some((attributes, after)) = after.split_once('>') else { break };
        let Some((script, after)) = after.split_once("</script>") else { break };
        if !attributes.contains("src=") {
            scripts.push(script);
        }
        rest = after;
    }
    scripts
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

    #[test]
    fn a_script_in_the_page_is_named_by_its_hash() {
        let page = "<script src=\"/boot.js\"></script><script type=\"module\">\nlet a;</script>";
        assert_eq!(inline_scripts(page), ["\nlet a;"]);
        assert!(policy(page, None).contains("'wasm-unsafe-eval' 'sha256-"));
        assert!(!policy(page, None).contains("unsafe-inline"));
    }

    #[test]
    fn a_page_may_fetch_pictures_from_where_they_are_signed_for_and_nothing_else() {
        let policy = policy("", Some("https://s3.example"));
        assert!(policy.contains("img-src 'self' blob: data: https://s3.example;"), "{policy}");
        assert!(policy.contains("connect-src 'self' https://s3.example;"), "{policy}");
        assert_eq!(policy.matches("s3.example").count(), 2, "{policy}");
    }
}
