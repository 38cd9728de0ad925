//! An S3-compatible store that keeps objects as files and checks signatures and their expiry.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
};

use anyhow::Result;
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Process, find, free_port, tool_folders};

/// An S3-compatible store with one empty bucket.
#[derive(Debug)]
pub struct S3 {
    process: Process,
    folder: TempDir,
    port: u16,
}

impl S3 {
    /// The bucket that is there.
    pub const BUCKET: &str = "pictures";
    /// Names the key to sign with.
    pub const ACCESS_KEY: &str = "test-access-key";
    /// The key to sign with.
    pub const SECRET_KEY: &str = "test-secret-key";

    /// Starts a store.
    ///
    /// # Errors
    ///
    /// If it is not installed or does not start.
    pub fn start() -> Result<Self> {
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        fs::create_dir(folder.path().join(Self::BUCKET))?;
        let process = Process::start(&mut command(&folder, port)?, port)?;
        Ok(Self { process, folder, port })
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The same, as an address.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The folder in which the bucket's objects are files.
    pub fn bucket_folder(&self) -> PathBuf {
        self.folder.path().join(Self::BUCKET)
    }

    /// Ends it at once; its objects stay.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, with its objects.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = Process::start(&mut command(&self.folder, self.port)?, self.port)?;
        Ok(())
    }

    /// Stops it in its tracks: it takes connections and answers nothing.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn hang(&self) -> Result<()> {
        self.process.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn resume(&self) -> Result<()> {
        self.process.signal(Signal::SIGCONT)
    }
}

fn command(folder: &TempDir, port: u16) -> Result<Command> {
    let mut command = Command::new(find("s3s-fs", &tool_folders("s3s-fs"))?);
    command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--access-key", S3::ACCESS_KEY, "--secret-key", S3::SECRET_KEY]);
    command.arg(folder.path());
    Ok(command)
}
