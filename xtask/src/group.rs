//! A child with all that it starts, ended together.

use crate::command::describe;
use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus},
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(5);
const GLANCE: Duration = Duration::from_millis(50);

/// A process group of its own: Ctrl-C reaches it through us, in our order. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    ended: bool,
}

impl Group {
    /// Starts the command.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", describe(command)))?;
        Ok(Self { child, ended: false })
    }

    /// How it ended, or none while it runs.
    ///
    /// # Errors
    ///
    /// If the system cannot tell.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        self.ended |= status.is_some();
        Ok(status)
    }

    fn signal(&self, signal: Signal) {
        let Ok(id) = i32::try_from(self.child.id()) else {
            return;
        };
        // It fails only when there is nobody left to tell.
        let _ = killpg(Pid::from_raw(id), signal);
    }

    fn wait_politely(&mut self) {
        let mut waited = Duration::ZERO;
        while waited < PATIENCE && !self.ended && matches!(self.ended(), Ok(None)) {
            thread::sleep(GLANCE);
            waited += GLANCE;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        self.wait_politely();
        self.signal(Signal::SIGKILL);
        // Reaps it; after SIGKILL this cannot take long.
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    #[test]
    fn what_the_child_started_ends_with_it() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped());
        let mut group = Group::start(&mut command).unwrap();
        let mut line = String::new();
        BufReader::new(group.child.stdout.take().unwrap()).read_line(&mut line).unwrap();

        drop(group);

        let grandchild = Pid::from_raw(line.trim().parse().unwrap());
        assert!(is_gone(grandchild), "the grandchild lives on");
    }

    /// Ended, or a zombie that waits for whoever adopted it.
    fn is_gone(process: Pid) -> bool {
        match std::fs::read_to_string(format!("/proc/{process}/stat")) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        }
    }
}
