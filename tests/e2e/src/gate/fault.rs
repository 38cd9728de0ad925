//! What a journey makes go wrong with answers, short of taking the network away.

use super::forward::Answer;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{
    Request, Response, StatusCode,
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    header::{
        AGE, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
        WWW_AUTHENTICATE,
    },
};
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// What happens to the requests whose path begins with `path`, in place of being passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Beginning of the paths, and, behind a `*`, their end.
    pub path: &'static str,
    /// What they meet.
    pub kind: FaultKind,
}

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Silence, until the browser hangs up; also if the fault has been taken away since.
    Held,
    /// 503 with this `Retry-After`, in seconds.
    Unavailable(u32),
    /// The 401 of a company's gateway, which is no answer of the server's.
    Gateway {
        /// Whether the browser itself would ask for name and password.
        asks: bool,
    },
    /// A refusal of the API itself, in its words.
    Refused {
        /// The status.
        status: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// 404: a deployment has taken the file away.
    Missing,
    /// The first half of the server's answer, as if it were the whole.
    Cut,
    /// The server's answer, without its cookies.
    NoCookies,
    /// The server's answer, so many milliseconds late.
    Late(u64),
}

impl Fault {
    /// Whether a request to this path meets it.
    pub(super) fn concerns(self, path: &str) -> bool {
        let (start, end) = self.path.split_once('*').unwrap_or((self.path, ""));
        path.strip_prefix(start).is_some_and(|rest| rest.ends_with(end))
    }
}

/// A 503 as from a proxy whose server is too busy.
pub(super) fn unavailable(retry_after: u32) -> Answer {
    let mut answer = Response::new(super::forward::whole("busy"));
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after));
    answer
}

/// A problem as the API describes it.
pub(super) fn refused(status: u16, retry_after: Option<u32>) -> Answer {
    let problem = format!(
        r#"{{"type":"about:blank","title":"Refused","status":{status},"detail":"The gate refuses."}}"#
    );
    let mut answer = Response::new(super::forward::whole(problem));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let kind = HeaderValue::from_static("application/problem+json");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    let seconds = retry_after.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds)));
    answer.headers_mut().extend(seconds);
    answer
}

/// A 404 as from a server that has never had the file.
pub(super) fn missing() -> Answer {
    let mut answer = Response::new(super::forward::whole("no such file"));
    *answer.status_mut() = StatusCode::NOT_FOUND;
    // As the server's own: WebKit keeps a 404 otherwise.
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Half of a file, which the browser takes for the whole.
pub(super) fn cut(answer: Answer) -> Answer {
    let (mut parts, body) = answer.into_parts();
    let bytes = super::forward::bytes_of(body);
    parts.headers.remove(CONTENT_LENGTH);
    // What breaks off is not kept.
    parts.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, super::forward::whole(bytes.slice(..bytes.len() / 2)))
}

/// A day old, and fresh for an hour: a cache that gets it has to ask before each use.
///
/// # Source
///
/// RFC 9111, 4.2.3: a response begins with the age that it names.
pub(super) fn age(answer: &mut Answer) {
    let lifetime = HeaderValue::from_static("private, max-age=3600");
    answer.headers_mut().insert(CACHE_CONTROL, lifetime);
    answer.headers_mut().insert(AGE, HeaderValue::from_static("86400"));
}

/// A 401 as from a gateway that wants to know who is there.
pub(super) fn gateway(asks: bool) -> Answer {
    let mut answer = Response::new(super::forward::whole("<h1>Sign in to the company</h1>"));
    *answer.status_mut() = StatusCode::UNAUTHORIZED;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    if asks {
        let question = HeaderValue::from_static("Negotiate");
        answer.headers_mut().insert(WWW_AUTHENTICATE, question);
    }
    answer
}

/// A line that all requests and answers share.
#[derive(Clone, Debug)]
pub(super) struct Line {
    bytes_per_second: u32,
    /// When the line is free again.
    free_at: Arc<Mutex<Instant>>,
}

impl Line {
    pub(super) fn new(bytes_per_second: u32) -> Self {
        Self { bytes_per_second, free_at: Arc::new(Mutex::new(Instant::now())) }
    }

    /// When the last of `bytes` more has passed.
    fn reserve(&self, bytes: usize) -> Instant {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let takes = Duration::from_secs(1) * bytes / self.bytes_per_second.max(1);
        let mut free_at = super::lock(&self.free_at);
        *free_at = (*free_at).max(Instant::now()) + takes;
        *free_at
    }

    /// The same request, once its body has passed the line.
    pub(super) async fn bring(&self, request: Request<Incoming>) -> Request<super::forward::Body> {
        let (parts, mut body) = request.into_parts();
        let mut whole = Vec::new();
        while let Some(Ok(frame)) = body.frame().await {
            let data = frame.into_data().unwrap_or_default();
            sleep_until(self.reserve(data.len())).await;
            whole.extend_from_slice(&data);
        }
        Request::from_parts(parts, super::forward::whole(whole))
    }

    /// The same answer, its body no faster than the line.
    pub(super) fn carry(&self, answer: Answer) -> Answer {
        answer.map(|body| {
            let rest = super::forward::bytes_of(body);
            Carried { line: self.clone(), rest, next: None }.boxed()
        })
    }
}

/// What passes at once, in bytes: a packet.
const PACKET: usize = 1400;

/// A body on a line.
struct Carried {
    line: Line,
    rest: Bytes,
    /// The packet on its way, and when it arrives.
    next: Option<(Bytes, Pin<Box<Sleep>>)>,
}

impl HttpBody for Carried {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        if this.next.is_none() {
            if this.rest.is_empty() {
                return Poll::Ready(None);
            }
            let packet = this.rest.split_to(this.rest.len().min(PACKET));
            let arrives = this.line.reserve(packet.len());
            this.next = Some((packet, Box::pin(sleep_until(arrives))));
        }
        if let Some((_, sleep)) = &mut this.next
            && sleep.as_mut().poll(context).is_pending()
        {
            return Poll::Pending;
        }
        Poll::Ready(this.next.take().map(|(packet, _)| Ok(Frame::data(packet))))
    }

    fn size_hint(&self) -> SizeHint {
        let next = self.next.as_ref().map_or(0, |(packet, _)| packet.len());
        SizeHint::with_exact(u64::try_from(self.rest.len() + next).unwrap_or(u64::MAX))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.next.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_share_the_line_and_arrive_whole() {
        let line = Line::new(100_000);
        let start = Instant::now();

        let [first, second] = [3_000, 7_000].map(|size| {
            let body = super::super::forward::whole(vec![7; size]);
            tokio::spawn(line.carry(Response::new(body)).into_body().collect())
        });
        let first = first.await.unwrap().unwrap().to_bytes();
        let second = second.await.unwrap().unwrap().to_bytes();

        assert_eq!((first.len(), second.len()), (3_000, 7_000));
        assert!(start.elapsed() >= Duration::from_millis(95), "{:?}", start.elapsed());
    }

    #[test]
    fn a_fault_concerns_what_begins_and_ends_as_its_path() {
        let cases = [
            ("/api/friends", "/api/friends", true),
            ("/api/friends", "/api/friends/bo", true),
            ("/api/friends", "/api/session", false),
            ("/app-*.wasm", "/app-1.wasm", true),
            ("/app-*.wasm", "/app-1.js", false),
            ("/app-*.wasm", "/other.wasm", false),
        ];
        for (fault, path, expected) in cases {
            let fault = Fault { path: fault, kind: FaultKind::Held };
            assert_eq!(fault.concerns(path), expected, "{fault:?}, {path}");
        }
    }
}
