//! A server under measurement: its process, its address, and someone signed in.

use std::{
    env,
    fs::read_to_string,
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use reqwest::{Client, header};
use serde_json::json;

/// Who asks, and their password: one of the demo people.
const ADA: (&str, &str) = ("ada", "miniature");

/// A program that listens. Ends when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// A program that was built beside this one.
///
/// # Errors
///
/// If this program's own path cannot be read.
pub fn sibling(program: &str) -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(program))
}

impl Process {
    /// Starts a program that was built beside this one.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(program: &str, arguments: &[String]) -> Result<Self> {
        let mut command = Command::new(sibling(program)?);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        // One session asks for more than any person may.
        command.env("MINIATURE_NAMES_PER_USER", "1000000000");
        let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let output = child.stdout.take().context("it has no output")?;
        Ok(Self { child, lines: BufReader::new(output).lines() })
    }

    /// Waits until it prints a line that begins so, and returns the rest.
    ///
    /// # Errors
    ///
    /// If it ends before.
    pub fn prints(&mut self, beginning: &str) -> Result<String> {
        let lines = self.lines.by_ref().map_while(Result::ok);
        let mut found = lines.filter_map(|line| line.strip_prefix(beginning).map(str::to_owned));
        found.next().with_context(|| format!("it ended without `{beginning}`"))
    }

    /// A figure of its memory in bytes: `VmRSS` as it is now, `VmHWM` the most that it was.
    ///
    /// # Errors
    ///
    /// If it has ended.
    ///
    /// # Source
    ///
    /// proc(5), `/proc/PID/status`; in kB there.
    pub fn memory(&self, figure: &str) -> Result<u64> {
        let id = self.child.id();
        let status = read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(number.context("no such figure")?.parse::<u64>()? * 1_024)
    }

    /// Lets [`Process::memory`] count the most anew.
    ///
    /// # Errors
    ///
    /// If the system does not allow it.
    ///
    /// # Source
    ///
    /// proc(5), `/proc/PID/clear_refs`.
    pub fn forget_peak(&self) -> Result<()> {
        let id = self.child.id();
        Ok(std::fs::write(format!("/proc/{id}/clear_refs"), "5")?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Our server, and someone signed in.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub process: Process,
    /// `http://` and where it answers.
    pub url: String,
    /// The session of whoever is signed in.
    pub cookie: String,
    /// Asks as them.
    pub client: Client,
    metrics: String,
}

impl Server {
    /// Serves the people in a folder, as an operator would: with metrics.
    ///
    /// # Errors
    ///
    /// If it does not start, or does not let us in.
    pub async fn start(data: &Path) -> Result<Self> {
        let words = ["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"];
        let mut arguments = words.map(str::to_owned).to_vec();
        arguments.extend(["--data".to_owned(), data.display().to_string()]);
        let mut process = Process::start("miniature-server", &arguments)?;
        let metrics = process.prints("metrics on ")?;
        let url = process.prints("listening on ")?;
        let cookie = sign_in(&url).await?;
        let headers = [(header::COOKIE, cookie.parse()?)].into_iter().collect();
        let client = Client::builder().default_headers(headers).build()?;
        Ok(Self { process, url, cookie, client, metrics })
    }

    /// What an address of ours answers, if that is a success.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub async fn get(&self, path: &str) -> Result<Vec<u8>> {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await?;
        Ok(answer.error_for_status()?.bytes().await?.to_vec())
    }

    /// What it has counted under a name, whatever the labels.
    ///
    /// # Errors
    ///
    /// If it does not tell.
    pub async fn counted(&self, name: &str) -> Result<u64> {
        let text = reqwest::get(&self.metrics).await?.error_for_status()?.text().await?;
        let lines = text.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']))
        });
        let counts = lines.filter_map(|line| line.rsplit(' ').next());
        Ok(counts.map(str::parse::<u64>).sum::<Result<u64, _>>()?)
    }
}

async fn sign_in(url: &str) -> Result<String> {
    let (username, password) = ADA;
    let credentials = json!({ "username": username, "password": password });
    let answer = Client::new().post(format!("{url}/api/session")).json(&credentials).send().await?;
    ensure!(answer.status().is_success(), "sign-in was answered {}", answer.status());
    let mut cookies = answer.headers().get_all(header::SET_COOKIE).iter();
    let session = cookies.find_map(|cookie| {
        let cookie = cookie.to_str().ok()?;
        cookie.starts_with("miniature_session=").then(|| cookie.split(';').next())?
    });
    Ok(session.context("no session")?.to_owned())
}
