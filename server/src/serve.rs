//! Listening, until told to stop.

use std::{
    io::{self, Write},
    net::SocketAddr,
    time::Duration,
};

use axum::{Router, routing::get, serve::ListenerExt};
use futures_util::FutureExt;
use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use socket2::SockRef;
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{
    App, Collection, OpenError, app,
    clock::Clock,
    config::Config,
    demo::{self, DemoError},
    limits::Limits,
    metrics,
    upkeep::Upkeep,
};

/// How long requests under way may take once no more are taken.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// How long the start waits until this instance hears of the others. Without Redis it goes on.
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(1);

/// How often what was measured is summed up, so that it takes no more and more memory.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Why the server did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A value cannot be used.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The data cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The folder of the frontend cannot be used.
    #[error("{0} holds no built frontend: {1}")]
    Frontend(String, #[source] io::Error),
    /// Metrics cannot be counted.
    #[error("metrics cannot be counted: {0}")]
    Metrics(#[from] BuildError),
    /// The demo people cannot be created.
    #[error("the demo people cannot be created: {0}")]
    Demo(#[from] DemoError),
    /// What is listening cannot be said, or the listener failed.
    #[error("the listener failed: {0}")]
    Failed(#[from] io::Error),
}

/// Serves until `stop` resolves, then finishes the requests under way.
///
/// Prints `listening on http://ADDRESS` once it answers.
///
/// # Errors
///
/// What stands in the way of starting.
pub async fn serve(
    config: Config,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    if let Some(address) = config.metrics_listen {
        serve_metrics(address, metrics::install()?).await?;
    }
    let listener = listen(config.listen).await?;
    let limits = Limits::default();
    let collection = Collection::open(&config.storage, &limits).await?;
    let (database, events) = (collection.database.clone(), collection.events.clone());
    if config.demo {
        demo::create_if_empty(&collection).await?;
    }
    let _upkeep = Upkeep::start(&collection, &Clock::system(), &limits);
    let state = open(collection, &config)?;
    let (stopping, drain) = (state.stop(), Duration::from_secs(config.drain_s.into()));
    let drained = stop.then(async move |()| {
        stopping.begin();
        tokio::time::sleep(drain).await;
    });
    let drained = drained.boxed().shared();
    let router = app(state);
    // Those who come back in this second would be reset for nothing.
    let _ = timeout(CATCHES_UP_WITHIN, events.caught_up()).await;
    say(&format!("listening on http://{}", listener.local_addr()?))?;
    let listener = listener.tap_io(move |stream| prepare(stream, limits.unread_for));
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(drained.clone());
    tokio::select! {
        ended = serving.into_future() => ended?,
        () = drained.then(|()| tokio::time::sleep(LAST_REQUESTS)) => {
            tracing::warn!("stopped with requests under way");
        }
    }
    database.close().await;
    Ok(())
}

/// Sends at once, and leaves it to the kernel to end the connection of a peer that takes nothing: we
/// would wait until it does. A connection on which that cannot be set is as good otherwise.
///
/// # Source
///
/// tcp(7), `TCP_USER_TIMEOUT`: also while the peer's window is closed.
fn prepare(stream: &TcpStream, unread_for: Duration) {
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_user_timeout(Some(unread_for));
}

fn open(collection: Collection, config: &Config) -> Result<App, StartError> {
    App::new(collection, config, Clock::system()).map_err(|error| {
        let dist = config.dist.as_deref().map(|dist| dist.display().to_string());
        StartError::Frontend(dist.unwrap_or_default(), error)
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Listen(address, error))
}

/// Serves `/metrics` for as long as the process lives.
async fn serve_metrics(address: SocketAddr, handle: PrometheusHandle) -> Result<(), StartError> {
    let listener = listen(address).await?;
    say(&format!("metrics on http://{}/metrics", listener.local_addr()?))?;
    let rendered = handle.clone();
    let router = Router::new().route("/metrics", get(async move || rendered.render()));
    tokio::spawn(axum::serve(listener, router).into_future());
    tokio::spawn(async move {
        let mut upkeep = tokio::time::interval(METRICS_UPKEEP);
        loop {
            upkeep.tick().await;
            handle.run_upkeep();
        }
    });
    Ok(())
}

/// Standard output is for these lines alone, so that a program can read where we listen.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
