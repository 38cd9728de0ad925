//! `cargo xtask serve`: the app in demo mode, rebuilt and reloaded on a change.

use crate::{
    command::{cargo, program, root, target_dir},
    group::Group,
    setup::{self, Purpose},
    step::{self, Stopwatch, readable},
};
use anyhow::{Context, Result, bail};
use std::{
    ffi::OsString,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Stdio,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::Duration,
};

/// Where the page is; `Trunk.toml` says the same.
const PAGE: SocketAddr = SocketAddr::new(LOOPBACK, 8080);
/// Where the API is; trunk passes `/api` and `/images` on to it.
const API: SocketAddr = SocketAddr::new(LOOPBACK, 8787);
const LOOPBACK: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

const GLANCE: Duration = Duration::from_millis(200);
/// The first start draws the portraits of 120 people, unoptimised.
const SERVER_START: Duration = Duration::from_secs(300);
/// The first build compiles some 200 crates.
const FIRST_BUILD: Duration = Duration::from_secs(1800);

/// Builds, starts both servers, and stops both on Ctrl-C or when one of them ends.
///
/// # Errors
///
/// If a port is taken, something does not build, or a server ends by itself.
pub(crate) fn serve() -> Result<()> {
    let stop = on_ctrl_c()?;
    refuse_taken(API, "the API")?;
    refuse_taken(PAGE, "the page")?;
    let path = setup::prepare(Purpose::Serve)?;
    step::quiet("build the server", &mut cargo("build -p miniature-server", &path)?)?;
    let mut servers = vec![("the server", start_server(&path)?)];
    if !wait_until("the server answers", SERVER_START, healthy, &stop, &mut servers)? {
        return Ok(());
    }
    servers.push(("trunk", start_trunk(&path)?));
    if !wait_until("the page is built", FIRST_BUILD, page_is_up, &stop, &mut servers)? {
        return Ok(());
    }
    println!("\n  open http://{PAGE}   (Ctrl-C stops)\n");
    wait_until("stopped", Duration::MAX, || false, &stop, &mut servers).map(drop)
}

fn on_ctrl_c() -> Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Nobody listens any more only when we are on our way out.
        let _ = sender.send(());
    })?;
    Ok(receiver)
}

fn refuse_taken(address: SocketAddr, whose: &str) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(_) => bail!("port {} is taken, and {whose} needs it", address.port()),
    }
}

fn start_server(path: &OsString) -> Result<Group> {
    let binary = target_dir()?.join("debug/miniature-server");
    let mut command = program(&binary.to_string_lossy(), path)?;
    command
        .arg("serve")
        .env("MINIATURE_DEMO", "1")
        .env("MINIATURE_DATA", root()?.join("data"))
        .env("MINIATURE_LISTEN", API.to_string())
        .stdin(Stdio::null())
        // It tells its own address, which is not the one to open.
        .stdout(Stdio::null());
    Group::start(&mut command)
}

fn start_trunk(path: &OsString) -> Result<Group> {
    let mut command = program("trunk", path)?;
    // Not into dist/, where a release build may wait to be used.
    command.args(["serve", "--dist", "target/serve"]).stdin(Stdio::null());
    Group::start(&mut command)
}

/// Waits until the condition holds; false if the developer stopped it first.
fn wait_until(
    what: &str,
    patience: Duration,
    condition: impl Fn() -> bool,
    stop: &Receiver<()>,
    servers: &mut [(&str, Group)],
) -> Result<bool> {
    let watch = Stopwatch::start();
    while !condition() {
        if asked_to_stop(stop) {
            return Ok(false);
        }
        for (name, group) in servers.iter_mut() {
            if let Some(status) = group.ended()? {
                bail!("{name} ended by itself ({status})");
            }
        }
        if watch.elapsed() > patience {
            bail!("{what}: not after {}", readable(patience));
        }
    }
    println!("{what}: done in {}", readable(watch.elapsed()));
    Ok(true)
}

/// Waits a moment for Ctrl-C.
fn asked_to_stop(stop: &Receiver<()>) -> bool {
    !matches!(stop.recv_timeout(GLANCE), Err(RecvTimeoutError::Timeout))
}

fn healthy() -> bool {
    status_line(API, "/healthz").is_ok_and(|line| line.contains(" 200 "))
}

fn page_is_up() -> bool {
    TcpStream::connect_timeout(&PAGE, GLANCE).is_ok()
}

fn status_line(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, GLANCE)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    answer.lines().next().map(str::to_owned).context("an empty answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_in_one_line() {
        let taken = TcpListener::bind((LOOPBACK, 0)).unwrap();
        let address = taken.local_addr().unwrap();

        let error = refuse_taken(address, "the page").unwrap_err().to_string();

        assert_eq!(error, format!("port {} is taken, and the page needs it", address.port()));
    }
}
