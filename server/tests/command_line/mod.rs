//! The server as a process of its own.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use miniature_server::{
    sign_in::hash_password,
    storage::{Database, NewPerson},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Client, header};
use serde_json::json;
use tempfile::TempDir;

/// The server.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_miniature-server");

/// A server whose log is kept. Killed when dropped.
pub(crate) struct Server {
    process: Child,
    address: String,
    log: PathBuf,
    /// Where it keeps what it has, if that is its own.
    folder: Option<TempDir>,
}

impl Server {
    /// With the demo people, in a folder of its own.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = [settings, &[("MINIATURE_DEMO", "1")]].concat();
        let mut server = Self::run(Command::new(PROGRAM), folder.path(), &settings);
        server.folder = Some(folder);
        server
    }

    /// With what is in a folder. The program is the server, or becomes it.
    pub(crate) fn run(mut program: Command, folder: &Path, settings: &[(&str, &str)]) -> Self {
        let log = folder.join("log");
        let mut process = program
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .env("MINIATURE_DATA", folder)
            .env("MINIATURE_LISTEN", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address =
            lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned));
        Self { process, address: address.unwrap(), log, folder: None }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub(crate) fn stop(&mut self) -> ExitStatus {
        let id = Pid::from_raw(self.process.id().try_into().unwrap());
        kill(id, Signal::SIGTERM).unwrap();
        self.process.wait().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Signs `ada` in, and returns the cookie.
    pub(crate) async fn sign_in(&self, client: &Client, password: &str) -> Option<String> {
        self.sign_in_as("ada", client, password).await
    }

    /// Signs someone in, and returns the cookie.
    pub(crate) async fn sign_in_as(
        &self,
        user: &str,
        client: &Client,
        password: &str,
    ) -> Option<String> {
        let body = json!({ "username": user, "password": password });
        let answer = client.post(self.url("/api/session")).json(&body).send().await.unwrap();
        let cookie = answer.headers().get(header::SET_COOKIE)?.to_str().unwrap();
        Some(cookie.split(';').next().unwrap().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Creates people in a folder, for a server that is started there later. Their password is `secret`.
pub(crate) async fn people(folder: &Path, users: &[&str]) {
    let hash = hash_password("secret").unwrap();
    let people = users.iter().map(|user| NewPerson {
        user_id: user.parse().unwrap(),
        name: (*user).to_owned(),
        headline: String::new(),
        password_hash: Some(hash.clone()),
    });
    let database = Database::open(folder).await.unwrap();
    database.add_people(&people.collect::<Vec<_>>(), &[]).await.unwrap();
    database.close().await;
}

/// Asks like any program, with a cookie only where it is told.
pub(crate) fn client() -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::new()
}
