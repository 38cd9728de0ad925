//! The page of the built frontend: what goes over the wire, all from one reading of `index.html`.

use std::io::{self, Write};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

use super::Settings;
use crate::routes::conditional::{Caching, ETag, Held, unless_held};

/// A page with its Content-Security-Policy, which names its inline scripts by hash.
///
/// It is compressed here rather than read from beside `index.html`, where the files of another build
/// may still lie.
#[derive(Debug)]
pub(super) struct Page {
    read: Vec<u8>,
    html: Bytes,
    brotli: Bytes,
    gzip: Bytes,
    policy: HeaderValue,
    tag: ETag,
}

impl Page {
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if the page is not whole: `</html>` is not at its end.
    pub(super) fn new(read: Vec<u8>, settings: &Settings) -> io::Result<Self> {
        let html = if settings.service_worker { read.clone() } else { without_worker(&read) };
        let text = str::from_utf8(&html).map_err(|_| invalid("index.html is not UTF-8"))?;
        if !is_whole(text) {
            return Err(invalid("index.html does not end with </html>"));
        }
        let policy = policy(text, settings.pictures_from.as_deref());
        let tag = ETag::weak(&ETag::name_of(&[policy.as_bytes(), &html].concat()));
        let policy = HeaderValue::try_from(policy).map_err(io::Error::other)?;
        let (brotli, gzip) = (brotli(&html)?.into(), gzip(&html)?.into());
        Ok(Self { read, html: html.into(), brotli, gzip, policy, tag })
    }

    /// What was read.
    pub(super) fn read(&self) -> &[u8] {
        &self.read
    }

    pub(super) fn policy(&self) -> &HeaderValue {
        &self.policy
    }

    /// The page in the smallest coding that the asker takes, or 304 if it is held.
    pub(super) fn answer(&self, held: &Held, headers: &HeaderMap) -> Response {
        unless_held(held, self.tag.clone(), Caching::AskEachTime, || self.whole(headers))
    }

    /// The page at a path where there is nothing; it says so.
    pub(super) fn missing(&self, headers: &HeaderMap) -> Response {
        (StatusCode::NOT_FOUND, self.whole(headers)).into_response()
    }

    fn whole(&self, headers: &HeaderMap) -> Response {
        let (body, coding) = self.coded(headers);
        let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        let coding = coding.map(|coding| [(header::CONTENT_ENCODING, coding)]);
        (html, coding, body.clone()).into_response()
    }

    fn coded(&self, headers: &HeaderMap) -> (&Bytes, Option<&'static str>) {
        if takes(headers, "br") {
            (&self.brotli, Some("br"))
        } else if takes(headers, "gzip") {
            (&self.gzip, Some("gzip"))
        } else {
            (&self.html, None)
        }
    }
}

/// The page registers a service worker where it is told to.
fn without_worker(html: &[u8]) -> Vec<u8> {
    let html = String::from_utf8_lossy(html);
    let told = html.split_once(r#"<meta name="miniature-worker""#);
    let Some((before, (_, after))) = told.and_then(|(b, rest)| Some((b, rest.split_once('>')?)))
    else {
        return html.into_owned().into_bytes();
    };
    [before, after].concat().into_bytes()
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Whether nothing is missing at the end, as while the file is being written.
fn is_whole(page: &str) -> bool {
    page.trim_end().ends_with("</html>")
}

fn brotli(page: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*page, &mut compressed, &BrotliEncoderParams::default())?;
    Ok(compressed)
}

fn gzip(page: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(page)?;
    encoder.finish()
}

/// Whether the asker lists this coding, with a weight other than zero.
///
/// # Source
///
/// RFC 9110, 12.5.3.
fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let lists =
        headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case(coding) && weight.parse() != Ok(0.0)
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
         worker-src 'self'; object-src 'none'; \
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
    fn a_coding_is_taken_if_it_is_listed_and_not_refused() {
        let cases = [
            // accepted, brotli is taken
            ("gzip, deflate, br, zstd", true),
            ("br;q=0.1, gzip", true),
            ("BR", true),
            ("gzip", false),
            ("br;q=0", false),
            ("br; q=0.000", false),
            ("brotli", false),
            ("", false),
        ];
        for (accepted, expected) in cases {
            let accepted = (header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(
                takes(&HeaderMap::from_iter([accepted.clone()]), "br"),
                expected,
                "{accepted:?}"
            );
        }
        assert!(!takes(&HeaderMap::new(), "br"));
    }

    #[test]
    fn a_page_is_told_of_no_worker_where_there_is_none() {
        let told =
            r#"<head><meta name="miniature-worker" content="/sw.js" data-version="1"><title>"#;
        assert_eq!(without_worker(told.as_bytes()), b"<head><title>");
        for other in ["<head><title>", r#"<head><meta name="miniature-worker""#, ""] {
            assert_eq!(without_worker(other.as_bytes()), other.as_bytes());
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
