//! What an axum server can do at most: one handler that answers with so many bytes, and nothing
//! around it.
//!
//! `bare BYTES...` serves `/BYTES` for each, on a free port of loopback, and says where.

#![allow(clippy::print_stdout, reason = "a command line tool: standard output is its interface")]

use std::{env, net::Ipv4Addr};

use anyhow::Result;
use axum::{Router, body::Bytes, http::header, routing::get, serve::ListenerExt};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let mut router = Router::new();
    for length in env::args().skip(1) {
        let body = Bytes::from(vec![b'.'; length.parse()?]);
        let answer = async move || ([(header::CONTENT_TYPE, "image/webp")], body);
        router = router.route(&format!("/{length}"), get(answer));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}
