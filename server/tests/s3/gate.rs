//! Stands between the server and the store: counts what passes, and breaks it when told to.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http_body_util::BodyExt;
use tokio::{net::TcpListener, task::JoinSet};

/// How the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Every answer is this status.
    Status(StatusCode),
    /// The connection ends in the middle of a body.
    HalfABody,
    /// Half a body, said to be all of it.
    HalfSaidToBeWhole,
    /// 200, and a page that speaks of something else.
    Page,
}

/// The gate before one store.
pub(crate) struct Gate {
    pub(crate) endpoint: String,
    inner: Arc<Inner>,
    _serving: JoinSet<()>,
}

struct Inner {
    upstream: String,
    client: reqwest::Client,
    fault: Mutex<Option<Fault>>,
    seen: Mutex<Vec<(Method, String)>>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

impl Gate {
    pub(crate) async fn before(upstream: String) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            upstream,
            client: reqwest::Client::new(),
            fault: Mutex::default(),
            seen: Mutex::default(),
            under_way: AtomicUsize::default(),
            most_under_way: AtomicUsize::default(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, inner, _serving: serving }
    }

    pub(crate) fn fail_with(&self, fault: Option<Fault>) {
        *self.inner.fault.lock().unwrap() = fault;
    }

    /// How many requests of a method, to a path that contains this, have come.
    pub(crate) fn count(&self, method: &Method, path: &str) -> usize {
        let seen = self.inner.seen();
        seen.iter().filter(|(seen, at)| seen == method && at.contains(path)).count()
    }

    /// How many requests were under way at once, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.inner.most_under_way.load(Ordering::SeqCst)
    }

    pub(crate) fn forget(&self) {
        self.inner.seen().clear();
        self.inner.most_under_way.store(0, Ordering::SeqCst);
    }
}

impl Inner {
    fn seen(&self) -> MutexGuard<'_, Vec<(Method, String)>> {
        self.seen.lock().unwrap()
    }
}

async fn pass(State(gate): State<Arc<Inner>>, request: Request) -> Response {
    let under_way = gate.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    gate.most_under_way.fetch_max(under_way, Ordering::SeqCst);
    let answer = forward(&gate, request).await;
    gate.under_way.fetch_sub(1, Ordering::SeqCst);
    answer
}

async fn forward(gate: &Inner, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().unwrap().as_str();
    gate.seen().push((head.method.clone(), path.to_owned()));
    let fault = *gate.fault.lock().unwrap();
    if let Some(Fault::Status(status)) = fault {
        return status.into_response();
    }
    let body = body.collect().await.unwrap().to_bytes();
    let url = format!("{}{path}", gate.upstream);
    let asked = gate.client.request(head.method.clone(), url).headers(head.headers).body(body);
    let Ok(answer) = asked.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, headers) = (answer.status(), answer.headers().clone());
    if head.method == Method::HEAD {
        return (status, headers).into_response();
    }
    let body = answer.bytes().await.unwrap();
    let half = body.slice(..body.len() / 2);
    let mut answer = match fault {
        Some(Fault::HalfABody) => (status, headers, torn(half)).into_response(),
        Some(Fault::HalfSaidToBeWhole) => (status, headers, half).into_response(),
        Some(Fault::Page) => {
            (status, headers, "<html>sign in to the network</html>").into_response()
        }
        Some(Fault::Status(_)) | None => (status, headers, body).into_response(),
    };
    if matches!(fault, Some(Fault::HalfSaidToBeWhole | Fault::Page)) {
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        answer = Response::from_parts(head, Body::from(body)); // hyper states its length
    }
    answer
}

/// A body that ends before its stated length.
fn torn(bytes: Bytes) -> Body {
    let cut = io::Error::from(io::ErrorKind::ConnectionReset);
    Body::from_stream(stream::iter([Ok(bytes), Err(cut)]))
}
