//! What stands between the browser and the server: a reverse proxy that is slow, goes away or
//! lies about the time when a journey says so, and remembers what passed.

mod fault;
mod forward;
mod log;
mod tapped;

pub use fault::{Fault, FaultKind};
pub use log::Passage;

use crate::sampler::{Pictured, Script};
use anyhow::Result;
use bytes::Bytes;
use fault::Line;
use forward::{Answer, Pages};
use http_body_util::BodyExt;
use hyper::{
    Request,
    body::Incoming,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_LENGTH, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use log::Log;
use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tapped::Tapped;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// Whether anything gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Everything gets through.
    Up,
    /// Every connection is closed, those that are open too.
    Down,
}

/// How long answers are held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delays {
    /// Of paths under `/api/`.
    pub api: Duration,
    /// Of paths under `/images/`.
    pub pictures: Duration,
}

impl Delays {
    /// Those of the table in the design: 300 ms for the API, 50 ms for a picture.
    pub const DISTANT: Self =
        Self { api: Duration::from_millis(300), pictures: Duration::from_millis(50) };

    fn of(self, path: &str) -> Duration {
        if path.starts_with("/images/") {
            self.pictures
        } else if path.starts_with("/api/") {
            self.api
        } else {
            Duration::ZERO
        }
    }
}

/// A proxy on a port of its own; closes when dropped.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    network: watch::Sender<Network>,
    delays: Mutex<Delays>,
    /// The first that concerns a request counts.
    faults: Mutex<Vec<Fault>>,
    /// None where answers pass as fast as they come.
    line: Mutex<Option<Line>>,
    pictured: Mutex<Pictured>,
    /// None where pages pass as the server sends them.
    script: Mutex<Option<Script>>,
    /// Runs after it.
    addition: Mutex<&'static str>,
    /// Whether pictures come as if a cache on the way had held them beyond their lifetime.
    aged: AtomicBool,
    /// An origin whose pages may read what passes, beside this one.
    permitted: Mutex<Option<HeaderValue>>,
    /// How often open streams were silenced.
    silences: watch::Sender<u32>,
    /// The ways into the event streams that were opened.
    taps: Mutex<Vec<mpsc::UnboundedSender<Bytes>>>,
    /// What `/__page` shows: a page of a journey's own.
    page: Mutex<String>,
    /// What `/sw.js` is in place of the server's.
    worker: Mutex<Option<&'static str>>,
    log: Log,
}

impl Gate {
    /// Opens a gate in front of the server.
    ///
    /// # Errors
    ///
    /// If no port is to be had.
    pub async fn open(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream,
            network: watch::Sender::new(Network::Up),
            delays: Mutex::default(),
            faults: Mutex::default(),
            line: Mutex::default(),
            pictured: Mutex::default(),
            script: Mutex::new(Some(Script::default())),
            addition: Mutex::default(),
            aged: AtomicBool::new(false),
            permitted: Mutex::default(),
            silences: watch::Sender::new(0),
            taps: Mutex::default(),
            page: Mutex::default(),
            worker: Mutex::default(),
            log: Log::start(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// The address of a path behind the gate.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Takes the network away, or gives it back.
    pub fn set_network(&self, network: Network) {
        self.shared.network.send_replace(network);
    }

    /// How long answers are held back from now on.
    pub fn set_delays(&self, delays: Delays) {
        *lock(&self.shared.delays) = delays;
    }

    /// What goes wrong from now on, in place of what went wrong before.
    pub fn set_faults(&self, faults: &[Fault]) {
        *lock(&self.shared.faults) = faults.to_vec();
    }

    /// How many bytes of bodies pass a second from now on, all requests and answers together.
    pub fn set_bandwidth(&self, bytes_per_second: u32) {
        *lock(&self.shared.line) = Some(Line::new(bytes_per_second));
    }

    /// Tells pages who has a picture, from the next page load on.
    pub fn set_pictured(&self, pictured: Pictured) {
        *lock(&self.shared.pictured) = pictured;
    }

    /// What runs before the app, from the next page load on.
    pub fn set_script(&self, script: Script) {
        *lock(&self.shared.script) = Some(script);
    }

    /// What runs after that script, from the next page load on.
    pub fn add_to_script(&self, source: &'static str) {
        *lock(&self.shared.addition) = source;
    }

    /// Has what `/images/` answers be a day old and fresh for an hour from now on, or as the server says.
    /// An HTTP cache keeps what is older than its lifetime, and asks whether it has changed.
    pub fn age_pictures(&self, aged: bool) {
        self.shared.aged.store(aged, Ordering::Relaxed);
    }

    /// Lets pages pass as the server sends them: without a script, and with their ETag.
    pub fn leave_pages_alone(&self) {
        *lock(&self.shared.script) = None;
    }

    /// Answers for the service worker's script with another one; none: with the server's.
    pub fn set_worker(&self, script: Option<&'static str>) {
        *lock(&self.shared.worker) = script;
    }

    /// Lets pages of another origin read what passes, as a bucket's CORS rule does.
    ///
    /// # Errors
    ///
    /// If that is no origin.
    pub fn permit(&self, origin: &str) -> Result<()> {
        *lock(&self.shared.permitted) = Some(HeaderValue::from_str(origin)?);
        Ok(())
    }

    /// Nothing comes any more through the event streams that are open, and none of them ends: as if one side
    /// had gone without a word.
    pub fn silence_streams(&self) {
        self.shared.silences.send_modify(|count| *count += 1);
    }

    /// Says something in the server's name through the event streams that are open.
    pub fn pour(&self, text: String) {
        let bytes = Bytes::from(text);
        lock(&self.shared.taps).retain(|tap| tap.send(bytes.clone()).is_ok());
    }

    /// Puts a page of the journey's own at `/__page`.
    pub fn set_page(&self, html: String) {
        *lock(&self.shared.page) = html;
    }

    /// What has passed so far, in the order of arrival.
    pub fn passages(&self) -> Vec<Passage> {
        self.shared.log.passages()
    }

    /// Since when it is open; passages count from there.
    pub fn age(&self) -> Duration {
        self.shared.log.age()
    }

    /// Waits until nothing is under way and nothing has arrived for `pause`.
    pub async fn quiet(&self, pause: Duration) {
        self.shared.log.quiet(pause).await;
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.network.send_replace(Network::Down);
        self.accepting.abort();
    }
}

/// A poisoned lock means that another task panicked; what it guards is still whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long nothing is accepted after a connection could not be.
const RECOVERY: Duration = Duration::from_millis(10);

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if *shared.network.borrow() == Network::Up => {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
            Ok(_) => {}
            // One connection that failed before it was taken, or no descriptor left for now.
            Err(_) => tokio::time::sleep(RECOVERY).await,
        }
    }
}

/// Serves one connection until it ends or the network goes down.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut network = shared.network.subscribe();
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A browser that hangs up is no concern of ours.
        _ = connection => {}
        _ = network.wait_for(|network| *network == Network::Down) => {}
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Answer, Infallible> {
    let target = request.uri().to_string();
    let sent = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let sent = sent.and_then(|length| length.parse().ok()).unwrap_or_default();
    let ticket = shared.log.arrive(request.method().as_str(), &target, sent);
    let delay = lock(&shared.delays).of(request.uri().path());
    tokio::time::sleep(delay).await;
    let path = request.uri().path();
    let fault = lock(&shared.faults).iter().copied().find(|fault| fault.concerns(path));
    let mut answer = match fault.map(|fault| fault.kind) {
        Some(FaultKind::Held) => std::future::pending().await,
        Some(FaultKind::Unavailable(retry_after)) => fault::unavailable(retry_after),
        Some(FaultKind::Gateway { asks }) => fault::gateway(asks),
        Some(FaultKind::Refused { status, retry_after }) => fault::refused(status, retry_after),
        Some(FaultKind::Missing) => fault::missing(),
        Some(FaultKind::Cut) => {
            let mut request = request;
            // A compressed half would be no text at all.
            request.headers_mut().remove(hyper::header::ACCEPT_ENCODING);
            fault::cut(pass(request, &shared).await)
        }
        Some(FaultKind::Late(millis)) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            pass(request, &shared).await
        }
        Some(FaultKind::NoCookies) => {
            let mut answer = pass(request, &shared).await;
            answer.headers_mut().remove(hyper::header::SET_COOKIE);
            answer
        }
        None => pass(request, &shared).await,
    };
    if shared.aged.load(Ordering::Relaxed) && target.starts_with("/images/") {
        fault::age(&mut answer);
    }
    if let Some(origin) = lock(&shared.permitted).clone() {
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    ticket.leave(answer.status().as_u16(), forward::weight(&answer));
    Ok(answer)
}

/// What the gate answers itself, and the server's answers, at the speed of the line.
async fn pass(request: Request<Incoming>, shared: &Shared) -> Answer {
    let script = *lock(&shared.script);
    let line = lock(&shared.line).clone();
    let request = match &line {
        Some(line) => line.bring(request).await,
        None => request.map(BodyExt::boxed),
    };
    let pages = match script {
        None => Pages::LeftAlone,
        Some(Script { worker: true, .. }) => Pages::SampledWithWorker,
        Some(_) => Pages::Sampled,
    };
    let worker = lock(&shared.worker).filter(|_| request.uri().path() == "/sw.js");
    if let Some(script) = worker {
        return forward::script(script);
    }
    let answer = match request.uri().path() {
        "/__sampler.js" => {
            let pictured = lock(&shared.pictured);
            let source =
                script.map(|script| script.source_knowing(&pictured) + *lock(&shared.addition));
            return forward::script(&source.unwrap_or_default());
        }
        "/__page" => return forward::page(&lock(&shared.page)),
        _ => forward::forward(request, shared.upstream, pages).await,
    };
    match line {
        _ if forward::is_endless(answer.headers()) => {
            let (tap, poured) = mpsc::unbounded_channel();
            lock(&shared.taps).push(tap);
            answer.map(|body| Tapped::new(body, poured, shared.silences.subscribe()).boxed())
        }
        Some(line) => line.carry(answer),
        None => answer,
    }
}
