//! One server process: found, started, hurt, ended.

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const GLANCE: Duration = Duration::from_millis(20);
const GLANCES: u32 = 1_500; // 30 s: a busy machine is slow to start things

/// A server process on a port of loopback.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Where a program is: on the path, or in one of these folders.
pub(crate) fn find(program: &str, also_in: &[PathBuf]) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(also_in.iter().cloned());
    folders
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .with_context(|| format!("{program} is missing: `cargo xtask setup` installs it"))
}

/// Where `cargo xtask setup` puts a tool, for tests that cargo runs by itself.
pub(crate) fn tool_folders(tool: &str) -> Vec<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let caches = cache.into_iter().chain(home).map(|cache| cache.join("miniature"));
    let tools = caches.filter_map(|cache| fs::read_dir(cache).ok()).flatten().flatten();
    let name = format!("{tool}-");
    let found = tools.filter(|found| found.file_name().to_string_lossy().starts_with(&name));
    found.map(|found| found.path().join("bin")).collect()
}

impl Process {
    /// Starts a command and waits until something answers on the port.
    pub(crate) fn start(command: &mut Command, port: u16) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut process = Self { child };
        process.wait_until_it_answers(command, port)?;
        Ok(process)
    }

    fn wait_until_it_answers(&mut self, command: &Command, port: u16) -> Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        for _ in 0..GLANCES {
            if TcpStream::connect(address).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{command:?} ended at once: {status}");
            }
            sleep(GLANCE);
        }
        bail!("{command:?} does not listen on {address}")
    }

    /// Sends a signal to the process and all that it started. PostgreSQL's children have left its
    /// process group, so they are found one by one.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.child.id()).context("a process id")?;
        for child in children(id) {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(child), signal);
        }
        Ok(kill(Pid::from_raw(-id), signal)?)
    }

    /// Ends it at once and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // It fails only when there is nobody left to kill.
        let _ = self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// The processes that a process started.
///
/// # Source
///
/// proc(5), `children`: those of one thread; servers here start them from their first.
fn children(id: i32) -> Vec<i32> {
    let listed = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
