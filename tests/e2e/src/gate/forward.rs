//! Passing one request on, and what the gate itself answers.

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Body as _,
    client::conn::http1,
    header::{
        ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
        HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, TRANSFER_ENCODING,
    },
};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A body held whole, so that its weight is known before it is sent; or an event stream.
pub(super) type Body = BoxBody<Bytes, hyper::Error>;
pub(super) type Answer = Response<Body>;

const SAMPLER: &str = "<script src=\"/__sampler.js\"></script>";

/// Asks the server, and puts the sampler into a page if it is wanted there; an unreachable server is
/// a 502, as with any proxy.
pub(super) async fn forward(request: Request<Body>, upstream: SocketAddr, sampled: bool) -> Answer {
    let page = sampled && is_page(&request);
    let answer = match ask(request, upstream, page).await {
        Ok(answer) => answer,
        Err(error) => return plain(StatusCode::BAD_GATEWAY, "text/plain", error.to_string()),
    };
    if page { with_sampler(answer) } else { answer }
}

/// Whether the browser is navigating.
fn is_page(request: &Request<Body>) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
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

/// Puts the sampler before every other script of the page.
fn with_sampler(answer: Answer) -> Answer {
    let (mut parts, body) = answer.into_parts();
    let html = String::from_utf8_lossy(&bytes_of(body)).replacen(
        "<script",
        &format!("{SAMPLER}<script"),
        1,
    );
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
        let answer = page("<!doctype html><meta charset=utf-8><script src=/boot.js></script>");

        let html = bytes_of(with_sampler(answer).into_body());

        assert_eq!(
            html,
            "<!doctype html><meta charset=utf-8><script src=\"/__sampler.js\"></script>\
             <script src=/boot.js></script>"
        );
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
