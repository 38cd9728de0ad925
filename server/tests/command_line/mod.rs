//! The server as a process of its own, with the demo people.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Client, header};
use serde_json::json;
use tempfile::TempDir;

/// A server with the demo people, whose log is kept.
pub(crate) struct Server {
    process: Child,
    address: String,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_miniature-server"))
            .env_clear()
            .env("MINIATURE_DATA", folder.path())
            .env("MINIATURE_LISTEN", "127.0.0.1:0")
            .env("MINIATURE_DEMO", "1")
            .envs(settings.iter().copied())
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address =
            lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned));
        Self { process, address: address.unwrap(), folder }
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
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Signs in, and returns the cookie.
    pub(crate) async fn sign_in(&self, client: &Client, password: &str) -> Option<String> {
        let body = json!({ "username": "ada", "password": password });
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

/// Asks like any program, with a cookie only where it is told.
pub(crate) fn client() -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::new()
}
