//! The real server, with demo people, on ports of its own.

use crate::{
    counters::Counters,
    group::{Group, await_line},
};
use anyhow::{Context, Result};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{env, fs, io, net::SocketAddr, path::Path, process::Command, time::Duration};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// The first start draws some hundred portraits with an unoptimised build.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running server; ends when dropped, and its files with it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    metrics: SocketAddr,
    _process: Group,
    _data: TempDir,
}

impl Server {
    /// Starts `MINIATURE_SERVER_BIN` with `MINIATURE_DIST` and a copy of the demo people in
    /// `MINIATURE_DEMO_DATA`; without that they are drawn afresh.
    ///
    /// # Errors
    ///
    /// If a variable is missing or the server does not get ready.
    pub async fn from_environment() -> Result<Self> {
        let binary = env::var_os("MINIATURE_SERVER_BIN").context("MINIATURE_SERVER_BIN")?;
        let dist = env::var_os("MINIATURE_DIST").context("MINIATURE_DIST")?;
        let data = tempfile::tempdir()?;
        if let Some(demo) = env::var_os("MINIATURE_DEMO_DATA") {
            copy_folder(Path::new(&demo), data.path()).context("MINIATURE_DEMO_DATA")?;
        }
        Self::start(Path::new(&binary), Path::new(&dist), data).await
    }

    /// Starts a server of the built app on the people in `data`; if it is empty they are drawn.
    ///
    /// # Errors
    ///
    /// If it does not get ready.
    pub async fn start(binary: &Path, dist: &Path, data: TempDir) -> Result<Self> {
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .env("MINIATURE_LISTEN", "127.0.0.1:0")
            .env("MINIATURE_METRICS_LISTEN", "127.0.0.1:0")
            .env("MINIATURE_DATA", data.path())
            .env("MINIATURE_DIST", dist)
            // Every visit signs in from one address.
            .env("MINIATURE_SIGN_INS_PER_NAME", "1000")
            .env("MINIATURE_SIGN_INS_PER_ADDRESS", "1000")
            .env("MINIATURE_DEMO", "1");
        let (process, output) = Group::start(&mut command)?;
        let mut addresses = Addresses::default();
        let (address, metrics) = await_line(output, PATIENCE, |line| addresses.read(line))
            .await
            .context("the server")?;
        Ok(Self { address, metrics, _process: process, _data: data })
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

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
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
