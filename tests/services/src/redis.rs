//! Redis, one server or a cluster of three.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpStream},
    process::Command,
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Process, find, free_port};

/// How many slots a cluster shares out.
///
/// # Source
///
/// Redis cluster specification.
const SLOTS: u16 = 16_384;

/// A Redis server.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    folder: TempDir,
    port: u16,
    options: Vec<String>,
}

impl Redis {
    /// Starts a server that keeps what it holds in memory alone.
    ///
    /// # Errors
    ///
    /// If it is not installed or does not start.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with more options, as on its command line.
    ///
    /// # Errors
    ///
    /// If it is not installed or does not start.
    pub fn start_with(options: &[&str]) -> Result<Self> {
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let options = options.iter().map(|option| (*option).to_owned()).collect::<Vec<_>>();
        let process = Process::start(&mut command(&folder, port, &options)?, port)?;
        Ok(Self { process, folder, port, options })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once, as a crash does; what it has not saved is lost.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, with what it saved last (`SAVE`), or nothing.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        let mut command = command(&self.folder, self.port, &self.options)?;
        self.process = Process::start(&mut command, self.port)?;
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

    /// Runs a command given by its words, and returns the first line of the answer.
    ///
    /// # Errors
    ///
    /// If it does not answer, or with an error.
    pub fn command(&self, words: &[&str]) -> Result<String> {
        command_on(self.port, words)
    }
}

fn command(folder: &TempDir, port: u16, options: &[String]) -> Result<Command> {
    let mut command = Command::new(find("redis-server", &[])?);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
    command.args(["--appendonly", "no", "--enable-debug-command", "yes", "--dir"]);
    command.arg(folder.path()).args(options);
    Ok(command)
}

/// # Source
///
/// RESP: a command is an array of bulk strings.
fn command_on(port: u16, words: &[&str]) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        write!(request, "${}\r\n{word}\r\n", word.len())?;
    }
    stream.write_all(request.as_bytes())?;
    let mut lines = BufReader::new(stream).lines();
    let mut line = lines.next().context("no answer")??;
    if line.starts_with('$') && line != "$-1" {
        line = lines.next().context("no answer")??; // the text itself, after its length
    }
    ensure!(!line.starts_with('-'), "{words:?}: {line}");
    Ok(line)
}

/// A cluster of three servers that share out the keys.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts three servers and joins them.
    ///
    /// # Errors
    ///
    /// If they do not start, or do not become a cluster within 30 s.
    pub fn start() -> Result<Self> {
        let options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
        let nodes = (0..3).map(|_| start_node(&options)).collect::<Result<Vec<_>>>()?;
        let cluster = Self { nodes };
        cluster.share_out()?;
        cluster.wait_until_joined()?;
        Ok(cluster)
    }

    /// Where its nodes answer.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// Runs a command on each node.
    ///
    /// # Errors
    ///
    /// If one does not answer, or with an error.
    pub fn command(&self, words: &[&str]) -> Result<()> {
        self.nodes.iter().try_for_each(|node| node.command(words).map(drop))
    }

    /// Ends every node at once and starts it again, with what it saved last, or nothing.
    ///
    /// # Errors
    ///
    /// If they do not start, or do not become a cluster within 30 s.
    pub fn restart(&mut self) -> Result<()> {
        self.nodes.iter_mut().for_each(Redis::kill);
        self.nodes.iter_mut().try_for_each(Redis::restart)?;
        self.wait_until_joined()
    }

    fn share_out(&self) -> Result<()> {
        let first = self.nodes[0].port.to_string();
        let share = SLOTS.div_ceil(3);
        for (node, from) in self.nodes.iter().zip([0, share, 2 * share]) {
            let to = (from + share).min(SLOTS) - 1;
            let range = [from.to_string(), to.to_string()];
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]])?;
        }
        for node in &self.nodes[1..] {
            node.command(&["CLUSTER", "MEET", "127.0.0.1", &first])?;
        }
        Ok(())
    }

    fn wait_until_joined(&self) -> Result<()> {
        for _ in 0..600 {
            let joined = |node: &Redis| {
                // Each knows all three, and that every slot is somebody's.
                let nodes = node.command(&["CLUSTER", "INFO"]).unwrap_or_default();
                nodes.contains("cluster_state:ok") && node.knows(3)
            };
            if self.nodes.iter().all(joined) {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        bail!("the cluster did not come together")
    }
}

/// Its bus listens 10 000 above its port, which must be a port too.
fn start_node(options: &[&str]) -> Result<Redis> {
    for _ in 0..100 {
        if free_port()? < 55_000
            && let Ok(node) = Redis::start_with(options)
        {
            return Ok(node);
        }
    }
    bail!("no port for a node of the cluster")
}

impl Redis {
    /// Whether it knows so many nodes of its cluster, itself among them.
    fn knows(&self, count: usize) -> bool {
        let mut text = String::new();
        let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(b"CLUSTER NODES\r\nQUIT\r\n")?;
            std::io::Read::read_to_string(&mut stream, &mut text)
        });
        asked.is_ok() && text.matches(" connected").count() == count
    }
}
