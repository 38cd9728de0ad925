//! PostgreSQL.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::signal::Signal,
    unistd::{Uid, User},
};
use tempfile::TempDir;

use crate::process::{Process, find, free_port};

/// A PostgreSQL server with one empty database.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    folder: TempDir,
    port: u16,
}

impl Postgres {
    /// Makes a database cluster and starts a server on it. Takes some seconds.
    ///
    /// # Errors
    ///
    /// If it is not installed or does not start.
    pub fn start() -> Result<Self> {
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        if let Some(owner) = owner()? {
            chown(folder.path(), Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))?;
            chown(&data, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))?;
        }
        let mut initdb = command("initdb")?;
        initdb.args(["--auth", "trust", "--username", "postgres", "--encoding", "UTF8"]);
        initdb.args(["--locale", "C.UTF-8", "--no-sync", "--pgdata"]).arg(&data);
        let made = initdb.stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let process = Process::start(&mut server(&data, port)?, port)?;
        let postgres = Self { process, folder, port };
        postgres.wait_until_it_takes_queries()?;
        Ok(postgres)
    }

    /// Names its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it at once, as a crash does; what was committed is kept.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, with its data.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        let data = self.folder.path().join("data");
        self.process = Process::start(&mut server(&data, self.port)?, self.port)?;
        self.wait_until_it_takes_queries()
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

    /// It listens before it takes queries.
    fn wait_until_it_takes_queries(&self) -> Result<()> {
        let port = self.port.to_string();
        for _ in 0..300 {
            let mut ready = Command::new(find("pg_isready", &folders())?);
            ready.args(["--quiet", "--host", "127.0.0.1", "--port", &port]);
            if ready.status()?.success() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        anyhow::bail!("PostgreSQL takes no queries")
    }
}

fn server(data: &Path, port: u16) -> Result<Command> {
    let mut command = command("postgres")?;
    command.arg("-D").arg(data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
    // A test's data need not outlive the machine.
    command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    Ok(command)
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn command(program: &str) -> Result<Command> {
    let mut command = Command::new(find(program, &folders())?);
    if let Some(owner) = owner()? {
        command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw()).current_dir("/");
    }
    Ok(command)
}

fn owner() -> Result<Option<User>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    User::from_name("postgres")?.context("there is no user `postgres`").map(Some)
}

/// Where Debian puts what is not for everyone's path.
fn folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = versions.map(|version| version.path().join("bin")).collect::<Vec<_>>();
    folders.sort();
    folders
}
