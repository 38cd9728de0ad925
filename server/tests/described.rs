//! The API does what its own description says, asked by a program that knows nothing else of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{fs, process::Output};

use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};

mod command_line;

use command_line::{Server, client};

/// How many requests are made up for each route.
const EXAMPLES: &str = "25";

/// How many of a route that keeps a core busy for each.
const FEW_EXAMPLES: &str = "15";

/// What is asked apart: it ends the session that it is asked with.
const ENDS_SESSIONS: &str = "/api/session";

/// What is not asked: its answer does not end.
const NEVER_ENDS: &str = "/api/events";

async fn description(server: &Server, client: &Client, cookie: &str) -> Value {
    let asked = client.get(server.url("/api/openapi.json")).header(header::COOKIE, cookie);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn every_route_is_described() {
    let server = Server::start(&[]);
    let client = client();
    let cookie = server.sign_in(&client, "miniature").await.unwrap();
    let description = description(&server, &client, &cookie).await;
    let paths = description["paths"].as_object().unwrap();
    for path in [
        "/api/session",
        "/api/friends",
        "/api/users/{user_id}",
        "/api/users/me",
        "/api/users/me/picture",
        "/api/images/user/{user_id}",
        "/api/images/batch",
        "/api/posts",
        "/api/events",
        "/images/{image_id}",
        "/healthz",
        "/readyz",
    ] {
        assert!(paths.contains_key(path), "{path}");
        let takes_lineage = path.starts_with("/api/") && path != "/api/session";
        let lineage = json!([{ "$ref": "#/components/parameters/Lineage" }]);
        let expected = if takes_lineage { lineage } else { Value::Null };
        assert_eq!(paths[path]["parameters"], expected, "{path}");
    }
    let stranger = client.get(server.url("/api/openapi.json")).send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
}

/// So that hardly a request is answered by 429 alone.
const NO_LIMITS: [(&str, &str); 6] = [
    ("MINIATURE_NAMES_PER_USER", "1000000"),
    ("MINIATURE_PICTURE_CHANGES_PER_USER", "1000000"),
    ("MINIATURE_POSTS_PER_USER", "1000000"),
    ("MINIATURE_PROFILE_CHANGES_PER_USER", "1000000"),
    ("MINIATURE_SIGN_INS_PER_NAME", "1000000"),
    ("MINIATURE_SIGN_INS_PER_ADDRESS", "1000000"),
];

#[tokio::test]
async fn the_api_keeps_to_its_description() {
    // A cursor is any text to the description, and only one of ours to the API.
    asked(&[
        ["--exclude-path", ENDS_SESSIONS],
        ["--exclude-path", NEVER_ENDS],
        ["--exclude-checks", "positive_data_acceptance"],
        ["--max-examples", EXAMPLES],
    ])
    .await;
}

#[tokio::test]
async fn signing_in_and_out_keep_to_their_description() {
    // What it makes up is no password, and once it has signed out nothing else is accepted.
    asked(&[
        ["--include-path", ENDS_SESSIONS],
        ["--exclude-checks", "positive_data_acceptance"],
        ["--max-examples", FEW_EXAMPLES],
    ])
    .await;
}

/// Has Schemathesis ask a server of its own, with a session of its own.
async fn asked(arguments: &[[&str; 2]]) {
    let server = Server::start(&NO_LIMITS);
    let client = client();
    let cookie = server.sign_in(&client, "miniature").await.unwrap();
    let token = cookie.split_once('=').unwrap().1;
    let folder = tempfile::tempdir().unwrap();
    let description = description(&server, &client, &cookie).await;
    fs::write(folder.path().join("api.json"), description.to_string()).unwrap();
    let auth = format!("[auth.openapi.session]\napi_key = {}\n", json!(token));
    fs::write(folder.path().join("schemathesis.toml"), auth).unwrap();

    let mut schemathesis = miniature_services::schemathesis().unwrap();
    schemathesis
        .current_dir(&folder)
        .args(["--config-file", "schemathesis.toml", "run", "api.json"])
        .args(["--url", &server.url(""), "--seed", "1"])
        .args(arguments.iter().flatten());
    let run = tokio::task::spawn_blocking(move || schemathesis.output()).await.unwrap().unwrap();

    assert!(run.status.success(), "{}", said(&run));
}

fn said(run: &Output) -> String {
    [&run.stdout, &run.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}
