//! A child with all that it starts, ended together, even when we end by a panic.

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    time::{Instant, timeout},
};

const PATIENCE: Duration = Duration::from_secs(3);
const GLANCE: Duration = Duration::from_millis(20);

/// Lines that a child prints.
pub type Output = Lines<BufReader<tokio::process::ChildStdout>>;

/// A process group of its own, ended when dropped.
#[derive(Debug)]
pub struct Group(Child);

impl Group {
    /// Starts the command with its standard output to be read.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> Result<(Self, Output)> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let stdout = tokio::process::ChildStdout::from_std(stdout)?;
        Ok((Self(child), BufReader::new(stdout).lines()))
    }

    /// The first of its processes.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    fn signal(&self, signal: Signal) {
        if let Ok(id) = i32::try_from(self.0.id()) {
            // It fails only when there is nobody left to tell.
            let _ = killpg(Pid::from_raw(id), signal);
        }
    }
}

impl Drop for Group {
    /// Politely first: a driver that is killed leaves its browser behind.
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        let start = Instant::now();
        while start.elapsed() < PATIENCE && matches!(self.0.try_wait(), Ok(None)) {
            thread::sleep(GLANCE);
        }
        self.signal(Signal::SIGKILL);
        // Reaps it; after SIGKILL this cannot take long.
        let _ = self.0.wait();
    }
}

/// Reads lines until one gives what is looked for, and keeps reading so that the child never
/// blocks on a full pipe.
///
/// # Errors
///
/// If the child ends, or is silent for longer than `patience`.
pub async fn await_line<T>(
    mut output: Output,
    patience: Duration,
    mut look: impl FnMut(&str) -> Option<T>,
) -> Result<T> {
    let search = async {
        while let Some(line) = output.next_line().await? {
            if let Some(found) = look(&line) {
                return Ok(found);
            }
        }
        anyhow::bail!("it ended before it was ready")
    };
    let found = timeout(patience, search).await.context("it did not get ready in time")??;
    tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
    Ok(found)
}
