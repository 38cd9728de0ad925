//! The real server, with demo people, on ports of its own.

use crate::{
    counters::Counters,
    group::{Group, await_line},
};
use anyhow::{Context, Result};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use miniature_services::S3;
use std::{
    env, fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// The first start draws some hundred portraits with an unoptimised build.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running server; ends when dropped, and its files with it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    metrics: SocketAddr,
    /// None while it is being started again.
    process: Mutex<Option<Group>>,
    setup: Setup,
}

/// What an instance is started with.
#[derive(Clone, Debug)]
struct Setup {
    /// Removed with the last instance.
    data: Arc<TempDir>,
    binary: PathBuf,
    dist: PathBuf,
    /// Beside what every instance of the journeys has.
    environment: Arc<Mutex<Vec<(&'static str, String)>>>,
}

impl Server {
    /// Starts `MINIATURE_SERVER_BIN` with `MINIATURE_DIST` and a copy of the demo people in
    /// `MINIATURE_DEMO_DATA`; without that they are drawn afresh.
    ///
    /// # Errors
    ///
    /// If a variable is missing or the server does not get ready.
    pub async fn from_environment() -> Result<Self> {
        Self::from_environment_with(Vec::new()).await
    }

    /// The same, with more variables for the server.
    ///
    /// # Errors
    ///
    /// If a variable is missing or the server does not get ready.
    pub async fn from_environment_with(environment: Vec<(&'static str, String)>) -> Result<Self> {
        let binary = env::var_os("MINIATURE_SERVER_BIN").context("MINIATURE_SERVER_BIN")?;
        let dist = env::var_os("MINIATURE_DIST").context("MINIATURE_DIST")?;
        let data = tempfile::tempdir()?;
        if let Some(demo) = env::var_os("MINIATURE_DEMO_DATA") {
            copy_folder(Path::new(&demo), data.path()).context("MINIATURE_DEMO_DATA")?;
        }
        let (binary, dist, data) = (binary.into(), dist.into(), Arc::new(data));
        let environment = Arc::new(Mutex::new(environment));
        Self::start_as(Setup { data, binary, dist, environment }).await
    }

    /// The same, with its pictures in a bucket of this store, from which browsers fetch the larger ones. They
    /// and it reach the store at `endpoint`.
    ///
    /// # Errors
    ///
    /// If a variable is missing, the store has no files or the server does not get ready.
    pub async fn from_environment_in(store: &S3, endpoint: String) -> Result<Self> {
        let demo = env::var_os("MINIATURE_DEMO_DATA").context("MINIATURE_DEMO_DATA")?;
        let masters = Path::new(&demo).join("images/masters");
        copy_folder(&masters, &store.bucket_folder().join("masters"))?;
        let set = |name, value: &str| (name, value.to_owned());
        Self::from_environment_with(vec![
            ("MINIATURE_S3_ENDPOINT", endpoint),
            set("MINIATURE_S3_BUCKET", S3::BUCKET),
            set("MINIATURE_S3_ACCESS_KEY", S3::ACCESS_KEY),
            set("MINIATURE_S3_SECRET_KEY", S3::SECRET_KEY),
            set("MINIATURE_DELIVERY", "presigned"),
        ])
        .await
    }

    /// Starts a server of the built app on the people in `data`; if it is empty they are drawn.
    ///
    /// # Errors
    ///
    /// If it does not get ready.
    pub async fn start(binary: &Path, dist: &Path, data: TempDir) -> Result<Self> {
        let (binary, dist, data) = (binary.to_owned(), dist.to_owned(), Arc::new(data));
        Self::start_as(Setup { data, binary, dist, environment: Arc::default() }).await
    }

    /// Starts another instance of this server, on the same data.
    ///
    /// # Errors
    ///
    /// If it does not get ready.
    pub async fn another(&self) -> Result<Self> {
        Self::start_as(self.setup.clone()).await
    }

    async fn start_as(setup: Setup) -> Result<Self> {
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let mut server = Self { address: any, metrics: any, process: Mutex::default(), setup };
        (server.address, server.metrics) = server.run().await?;
        Ok(server)
    }

    /// Ends it, and starts it again at the same addresses with what it has stored.
    ///
    /// # Errors
    ///
    /// If it does not get ready.
    pub async fn restart(&self) -> Result<()> {
        drop(self.process.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.run().await.map(drop)
    }

    /// The same, with one more variable.
    ///
    /// # Errors
    ///
    /// If it does not get ready.
    pub async fn restart_with(&self, name: &'static str, value: &str) -> Result<()> {
        self.add_variable(name, value);
        self.restart().await
    }

    fn add_variable(&self, name: &'static str, value: &str) {
        let mut environment = self.setup.environment.lock().unwrap_or_else(PoisonError::into_inner);
        environment.push((name, value.to_owned()));
    }

    async fn run(&self) -> Result<(SocketAddr, SocketAddr)> {
        let mut command = Command::new(&self.setup.binary);
        command
            .arg("serve")
            .env("MINIATURE_LISTEN", self.address.to_string())
            .env("MINIATURE_METRICS_LISTEN", self.metrics.to_string())
            .env("MINIATURE_DATA", self.setup.data.path())
            .env("MINIATURE_DIST", &self.setup.dist)
            // Every visit signs in from one address.
            .env("MINIATURE_SIGN_INS_PER_NAME", "1000")
            .env("MINIATURE_SIGN_INS_PER_ADDRESS", "1000")
            .env("MINIATURE_DEMO", "1")
            .envs(self.environment());
        let (process, output) = Group::start(&mut command)?;
        let mut addresses = Addresses::default();
        let found = await_line(output, PATIENCE, |line| addresses.read(line)).await;
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
        found.context("the server")
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        self.setup.environment.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the server has counted so far.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn counters(&self) -> Result<Counters> {
        let stream = TcpStream::connect(self.metrics).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::get("/metrics")
            .header("host", self.metrics.to_string())
            .body(Empty::<Bytes>::new())?;
        let body = sender.send_request(request).await?.into_body().collect().await?;
        Ok(Counters::parse(&String::from_utf8_lossy(&body.to_bytes())))
    }
}

/// Copies a folder and all that is in it into another.
///
/// # Errors
///
/// If something cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The two lines by which the server tells where it listens.
#[derive(Default)]
struct Addresses {
    api: Option<SocketAddr>,
    metrics: Option<SocketAddr>,
}

impl Addresses {
    fn read(&mut self, line: &str) -> Option<(SocketAddr, SocketAddr)> {
        if let Some(address) = line.strip_prefix("listening on http://") {
            self.api = address.trim().parse().ok();
        } else if let Some(address) = line.strip_prefix("metrics on http://") {
            self.metrics = address.trim().trim_end_matches("/metrics").parse().ok();
        }
        Some((self.api?, self.metrics?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_addresses_are_read_in_any_order() {
        let mut addresses = Addresses::default();

        assert_eq!(addresses.read("metrics on http://127.0.0.1:9/metrics"), None);
        assert_eq!(addresses.read("something else"), None);
        let both = addresses.read("listening on http://127.0.0.1:8");

        assert_eq!(both, Some(([127, 0, 0, 1], 8).into()).zip(Some(([127, 0, 0, 1], 9).into())));
    }
}
