//! The command itself: how it starts, what it refuses, how it stops.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
};

use miniature_api::Lineage;
use tempfile::TempDir;

fn command(data: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_miniature-server"));
    command.env_clear().env("MINIATURE_DATA", data.path()).env("MINIATURE_LISTEN", "127.0.0.1:0");
    command
}

/// A server that is ended when dropped.
struct Server {
    process: Child,
    lines: Vec<String>,
}

impl Server {
    /// Starts it, and reads what it says until it listens.
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let ready = line.starts_with("listening on ");
            lines.push(line);
            if ready {
                break;
            }
        }
        Self { process, lines }
    }

    fn address(&self, before: &str) -> String {
        let address = self.lines.iter().find_map(|line| line.strip_prefix(before)).unwrap();
        address.split('/').next().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_serves_and_counts_and_stops_when_told() {
    let data = tempfile::tempdir().unwrap();
    let mut command = command(&data);
    command.arg("serve").env("MINIATURE_METRICS_LISTEN", "127.0.0.1:0");
    let mut server = Server::start(&mut command);

    let address = server.address("listening on http://");
    assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/api/friends").starts_with("HTTP/1.1 401"));
    assert!(get(&address, "/metrics").starts_with("HTTP/1.1 404"));

    let metrics = get(&server.address("metrics on http://"), "/metrics");
    let counted =
        r#"miniature_http_requests_total{route="/api/friends",method="GET",status="401"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");

    let id = server.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(server.process.wait().unwrap().success());
}

#[track_caller]
fn assert_refused(output: &Output, what: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("miniature-server: ") && text.contains(what), "{text}");
}

#[test]
fn an_unusable_value_stops_the_start_with_one_line() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let file = data.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap().to_owned();
    let cases = [
        ("MINIATURE_LISTEN", "nonsense", "nonsense"),
        ("MINIATURE_LISTEN", taken.as_str(), "cannot listen"),
        ("MINIATURE_METRICS_LISTEN", "nonsense", "nonsense"),
        ("MINIATURE_DATA", &file, "a file"),
        ("MINIATURE_DIST", "/nowhere", "/nowhere"),
        ("MINIATURE_DEMO", "perhaps", "perhaps"),
        ("MINIATURE_SIGN_INS_PER_NAME", "0", "0"),
        ("MINIATURE_DELIVERY", "presigned", "needs an S3 store"),
        ("MINIATURE_S3_BUCKET", "pictures", "MINIATURE_S3_ENDPOINT is missing"),
        ("MINIATURE_S3_BUCKET", "", "--s3-bucket"),
        ("MINIATURE_S3_ACCESS_KEY", "", "--s3-access-key"),
        ("MINIATURE_S3_SECRET_KEY", "", "--s3-secret-key"),
        ("MINIATURE_S3_ENDPOINT", "localhost:9000", "--s3-endpoint"),
        ("MINIATURE_USERS_URL", "localhost:8000", "--users-url"),
        ("MINIATURE_USERS_TOKEN", "a-token", "--users-url"),
        ("RUST_LOG", "info,perhaps=sometimes", "RUST_LOG"),
    ];
    for (name, value, named) in cases {
        assert_refused(&command(&data).arg("serve").env(name, value).output().unwrap(), named);
    }
    assert_refused(&command(&data).output().unwrap(), "");
    assert_refused(&command(&data).arg("dance").output().unwrap(), "dance");
}

#[test]
fn it_says_whether_a_server_answers() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(command(&data).arg("serve"));
    let address = server.address("listening on http://");
    let ask = |path: &str| {
        let url = format!("http://{address}{path}");
        command(&data).args(["healthy", "--url", &url]).output().unwrap()
    };
    assert!(ask("/healthz").status.success());
    assert_refused(&ask("/nothing"), "404");
    drop(server);
    assert_refused(&ask("/healthz"), "does not answer");
}

#[test]
fn a_lineage_is_renewed_where_there_is_a_database() {
    let data = tempfile::tempdir().unwrap();
    let renew = || command(&data).args(["lineage", "renew"]).output().unwrap();
    let nowhere = data.path().to_str().unwrap().to_owned();
    assert_refused(&renew(), &format!("there is no database in {nowhere}"));
    drop(Server::start(command(&data).arg("serve")));

    let [(created, first), (before, second)] = [(), ()].map(|()| {
        let output = renew();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let names = text.lines().map(|line| line.split_whitespace().last().unwrap().parse());
        let names = names.collect::<Result<Vec<Lineage>, _>>().unwrap();
        <(Lineage, Lineage)>::from(<[Lineage; 2]>::try_from(names).unwrap())
    });
    assert!(created < first && first < second);
    assert_eq!(before, first);
}

#[test]
fn a_head_that_grows_without_end_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(command(&data).arg("serve"));
    let address = server.address("listening on http://");
    for (name, head) in [
        ("a long line", format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000))),
        ("many lines", format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200))),
    ] {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let refused = ["HTTP/1.1 414 ", "HTTP/1.1 431 "];
        assert!(refused.iter().any(|status| answer.starts_with(status)), "{name}: {answer}");
    }
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn no_help_shows_what_the_environment_keeps_secret() {
    let data = tempfile::tempdir().unwrap();
    let secrets = [
        ("MINIATURE_USERS_URL", "http://ann:a-secret@127.0.0.1:1/people?key=a-secret"),
        ("MINIATURE_USERS_TOKEN", "a-secret"),
        ("MINIATURE_DATABASE_URL", "postgres://ann:a-secret@127.0.0.1/miniature"),
        ("MINIATURE_REDIS_URL", "redis://:a-secret@127.0.0.1"),
        ("MINIATURE_S3_ENDPOINT", "http://ann:a-secret@127.0.0.1:1"),
        ("MINIATURE_S3_ACCESS_KEY", "a-secret"),
        ("MINIATURE_S3_SECRET_KEY", "a-secret"),
    ];
    for words in
        [&["serve", "--help"][..], &["serve", "-h"], &["demo", "--help"], &["help", "serve"]]
    {
        let output = command(&data).envs(secrets).args(words).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !shown.contains("a-secret"), "{words:?}: {shown}");
    }
}

#[test]
fn a_listener_that_others_reach_is_warned_about() {
    let cases = [
        ("127.0.0.1:0", "1", [false, false]),
        ("0.0.0.0:0", "1", [true, true]),
        ("0.0.0.0:0", "0", [false, true]),
    ];
    for (listen, demo, [people, cookies]) in cases {
        let data = tempfile::tempdir().unwrap();
        let log = data.path().join("log");
        let mut process = command(&data)
            .env("MINIATURE_LISTEN", listen)
            .env("MINIATURE_DEMO", demo)
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let up = lines.map_while(Result::ok).any(|line| line.starts_with("listening on "));
        process.kill().unwrap();
        process.wait().unwrap();
        let log = std::fs::read_to_string(&log).unwrap();
        assert!(up, "{log}");
        assert_eq!(log.contains("the demo people are here"), people, "{listen}: {log}");
        assert_eq!(log.contains("cookies travel by HTTPS only"), cookies, "{listen}: {log}");
    }
}
