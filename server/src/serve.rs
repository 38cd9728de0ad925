//! Listening, until told to stop.

use std::{
    io::{self, Write},
    net::SocketAddr,
    time::Duration,
};

use axum::{Router, routing::get};
use axum_server::Handle;
use futures_util::FutureExt;
use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use thiserror::Error;
use tokio::{net::TcpListener, time::timeout};

use crate::{
    App, Collection, OpenError, app,
    clock::Clock,
    config::Config,
    demo::{self, DemoError},
    limits::Limits,
    listener, metrics,
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
    warn_of(&config, &collection).await;
    let renditions = collection.renditions.clone();
    let _upkeep = Upkeep::start(&collection, &Clock::system(), &limits);
    let state = open(collection, &config, &limits)?;
    let (stopping, drain) = (state.stopping(), Duration::from_secs(config.drain_s.into()));
    let router = app(state);
    // Those who come back in this second would be reset for nothing.
    let _ = timeout(CATCHES_UP_WITHIN, events.caught_up()).await;
    say(&format!("listening on http://{}", listener.local_addr()?))?;
    let handle = Handle::new();
    let stopped = handle.clone();
    tokio::spawn(stop.then(async move |()| {
        stopping.begin();
        tokio::time::sleep(drain).await;
        stopped.graceful_shutdown(Some(LAST_REQUESTS));
    }));
    listener::answer(listener.into_std()?, handle, router, &limits).await?;
    renditions.mark_held().await; // after a restart what was used last is there
    database.close().await;
    Ok(())
}

/// Says what is likely to surprise on a listener that others can reach.
async fn warn_of(config: &Config, collection: &Collection) {
    let address = config.listen;
    if address.ip().is_loopback() {
        return;
    }
    if demo::is_open(collection).await {
        tracing::warn!(%address, "the demo people are here: anyone can sign in as one of them");
    }
    if config.secure_cookies() {
        tracing::warn!(
            %address,
            "cookies travel by HTTPS only: over plain HTTP nobody can sign in; put a proxy with \
             HTTPS before this, or set MINIATURE_SECURE_COOKIES=0"
        );
    }
}

fn open(collection: Collection, config: &Config, limits: &Limits) -> Result<App, StartError> {
    App::new(collection, config, Clock::system(), limits).map_err(|error| {
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
