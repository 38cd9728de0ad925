//! Passing one request on, and what the gate itself answers.

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Body as _,
    client::conn::http1,
    header::{
        ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
        HOST, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, TRANSFER_ENCODING,
    },
};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A body held whole, so that its weight is known before it is sent; or an event stream.
pub(super) type Body = BoxBody<Bytes, hyper::Error>;
pub(super) type Answer = Response<Body>;

const SAMPLER: &str = "<script src=\"/__sampler.js\"></script>";
/// By which a page is told that it has a service worker.
const WORKER: &str = "name=\"miniature-worker\"";
/// Before the hash of its page in the worker's script, and before the files that it keeps.
const HASH: &str = "const PAGE_HASH = \"";
const FILES: &str = "const FILES = [";

/// What becomes of a page on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    /// It passes as it is.
    LeftAlone,
    /// It has the sampler, and no service worker.
    Sampled,
    /// It has both. The worker is told of the page as it is with the sampler.
    SampledWithWorker,
}

/// Asks the server, and changes a page; an unreachable server is a 502, as with any proxy.
pub(super) async fn forward(request: Request<Body>, upstream: SocketAddr, pages: Pages) -> Answer {
    let worker = pages == Pages::SampledWithWorker && request.uri().path() == "/sw.js";
    let page = pages != Pages::LeftAlone && is_page(&request);
    let answer = match ask(request, upstream, page || worker).await {
        Ok(answer) if worker => with_hash(answer, upstream).await,
        answer => answer,
    };
    match answer {
        Ok(answer) if page => with_sampler(answer, pages),
        Ok(answer) => answer,
        Err(error) => plain(StatusCode::BAD_GATEWAY, "text/plain", error.to_string()),
    }
}

/// Whether the browser is navigating, or a worker asks for the page.
fn is_page(request: &Request<Body>) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    request.uri().path() == "/" || accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The worker's script, which knows its page by a hash, and keeps the sampler, too.
async fn with_hash(answer: Answer, upstream: SocketAddr) -> Result<Answer> {
    let request = Request::get("/").header(HOST, upstream.to_string()).body(whole(""))?;
    let page = with_sampler(ask(request, upstream, true).await?, Pages::SampledWithWorker);
    let digest = Sha256::digest(bytes_of(page.into_body()));
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let (mut parts, body) = answer.into_parts();
    let script = String::from_utf8(bytes_of(body).into())?;
    let script = script.replacen(FILES, &format!("{FILES}\"/__sampler.js\", "), 1);
    let (before, after) = script.split_once(HASH).context("no hash in the worker's script")?;
    let (_, after) = after.split_once('"').context("an endless hash")?;
    parts.headers.remove(ETAG);
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, whole(format!("{before}{HASH}{hash}\"{after}"))))
}

async fn ask(mut request: Request<Body>, upstream: SocketAddr, page: bool) -> Result<Answer> {
    request.headers_mut().remove(CONNECTION);
    if page {
        // It is going to be changed, so it must come as it is, and whole.
        for header in [ACCEPT_ENCODING, IF_NONE_MATCH, IF_MODIFIED_SINCE] {
            request.headers_mut().remove(header);
        }
    }
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (mut parts, body) = sender.send_request(request).await?.into_parts();
    parts.headers.remove(TRANSFER_ENCODING);
    parts.headers.remove(CONNECTION);
    let body = if is_endless(&parts.headers) {
        body.boxed()
    } else {
        whole(body.collect().await?.to_bytes())
    };
    Ok(Response::from_parts(parts, body))
}

pub(super) fn is_endless(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// Puts the sampler before every other script of the page, unless it asks for it itself.
fn with_sampler(answer: Answer, pages: Pages) -> Answer {
    let (mut parts, body) = answer.into_parts();
    let bytes = bytes_of(body);
    let mut html = String::from_utf8_lossy(&bytes).into_owned();
    if !html.contains(SAMPLER) {
        html = html.replacen("<script", &format!("{SAMPLER}<script"), 1);
    }
    if pages != Pages::SampledWithWorker {
        html = html.replace(WORKER, "");
    }
    parts.headers.remove(ETAG);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, whole(html))
}

/// The bytes of a body that is held whole.
pub(super) fn bytes_of(body: Body) -> Bytes {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };
    let mut context = Context::from_waker(Waker::noop());
    match pin!(body).poll_frame(&mut context) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        Poll::Ready(_) | Poll::Pending => Bytes::new(),
    }
}

pub(super) fn script(source: &str) -> Answer {
    plain(StatusCode::OK, "text/javascript", source.to_owned())
}

/// A page of a journey's own, under a policy no stricter than it needs.
pub(super) fn page(html: &str) -> Answer {
    plain(StatusCode::OK, "text/html; charset=utf-8", html.to_owned())
}

fn plain(status: StatusCode, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(whole(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What the answer weighs on the wire: status line, headers and body, in bytes. Of an event stream
/// only the head is counted.
pub(super) fn weight(answer: &Answer) -> usize {
    const STATUS_LINE: usize = "HTTP/1.1 200 OK\r\n".len();
    let body = usize::try_from(answer.body().size_hint().lower()).unwrap_or(usize::MAX);
    STATUS_LINE + header_weight(answer.headers()) + "\r\n".len() + body
}

fn header_weight(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sampler_stands_before_every_other_script() {
        let page = || {
            page(&format!(
                "<!doctype html><meta charset=utf-8><meta {WORKER}><script src=/boot.js></script>"
            ))
        };
        let after = format!("{SAMPLER}<script src=/boot.js></script>");
        let cases = [
            (Pages::Sampled, format!("<!doctype html><meta charset=utf-8><meta >{after}")),
            (
                Pages::SampledWithWorker,
                format!("<!doctype html><meta charset=utf-8><meta {WORKER}>{after}"),
            ),
        ];
        for (pages, expected) in cases {
            assert_eq!(bytes_of(with_sampler(page(), pages).into_body()), expected);
        }
    }

    #[test]
    fn a_page_with_the_sampler_gets_no_other() {
        let html = format!("<!doctype html>{SAMPLER}<script src=/boot.js></script>");

        assert_eq!(bytes_of(with_sampler(page(&html), Pages::Sampled).into_body()), html);
    }

    #[test]
    fn an_event_stream_is_not_waited_for() {
        let cases = [("text/event-stream; charset=utf-8", true), ("application/json", false)];
        for (kind, endless) in cases {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(is_endless(&headers), endless, "{kind}");
        }
    }

    #[test]
    fn an_answer_weighs_its_head_and_its_body() {
        let answer = plain(StatusCode::OK, "text/plain", "12345".to_owned());

        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncache-control: no-store\r\n\r\n";
        assert_eq!(weight(&answer), head.len() + 5);
    }
}
