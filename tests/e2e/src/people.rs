//! Who has a picture, asked of the API itself: the page is judged by it.

use crate::sampler::Pictured;
use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE},
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, de::DeserializeOwned};
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// The password of all demo people.
const PASSWORD: &str = "miniature";

/// A page of `GET /api/friends`, as far as it is needed here.
#[derive(Deserialize)]
struct Page {
    friends: Vec<Friend>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Friend {
    user_id: String,
    picture: Picture,
}

#[derive(Deserialize)]
struct Picture {
    image_id: Option<String>,
}

/// The friends of these users, by user id, and whether each has a picture.
///
/// # Errors
///
/// If the server does not let them in, or does not answer by its contract.
pub async fn pictured_friends(server: SocketAddr, of: &[&str]) -> Result<Pictured> {
    let mut pictured = Pictured::new();
    for user in of {
        let session = sign_in(server, user).await?;
        let mut cursor = String::new();
        loop {
            let target = format!("/api/friends?limit=50{cursor}");
            let page: Page = friends(server, &target, &session).await?;
            let known = page.friends.into_iter();
            pictured
                .extend(known.map(|friend| (friend.user_id, friend.picture.image_id.is_some())));
            let Some(next) = page.next else { break };
            cursor = format!("&cursor={next}");
        }
    }
    ensure!(pictured.values().any(|has| *has), "no friend of {of:?} has a picture");
    Ok(pictured)
}

/// The first page of a demo user's friends, as the API tells it.
///
/// # Errors
///
/// If the server does not let them in, or answers with something else.
pub async fn first_friends<T: DeserializeOwned>(server: SocketAddr, of: &str) -> Result<T> {
    let session = sign_in(server, of).await?;
    friends(server, "/api/friends?limit=50", &session).await
}

/// Gives a demo user a picture of one colour, by a session of its own, past the page. Returns its
/// revision.
///
/// # Errors
///
/// If the server does not take it.
pub async fn change_picture(server: SocketAddr, user: &str, colour: [u8; 3]) -> Result<u32> {
    let session = sign_in(server, user).await?;
    let request = Request::put("/api/users/me/picture")
        .header(COOKIE, session)
        .header(CONTENT_TYPE, "image/gif")
        .body(Full::from(pixel(colour)))?;
    let answer = ask(server, request).await?;
    ensure!(answer.status().is_success(), "the upload of {user} answered {}", answer.status());
    let body = answer.into_body().collect().await?.to_bytes();
    let Changed { revision } = serde_json::from_slice(&body)?;
    Ok(revision)
}

/// Writes a post as a demo user, by a session of its own, past the page.
///
/// # Errors
///
/// If the server does not take it.
pub async fn write_post(server: SocketAddr, user: &str, text: &str) -> Result<()> {
    let session = sign_in(server, user).await?;
    let request = Request::post("/api/posts")
        .header(COOKIE, session)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(serde_json::json!({ "text": text }).to_string()))?;
    let answer = ask(server, request).await?;
    ensure!(answer.status().is_success(), "the post of {user} answered {}", answer.status());
    Ok(())
}

#[derive(Deserialize)]
struct Changed {
    revision: u32,
}

/// A GIF of one pixel.
pub fn pixel([red, green, blue]: [u8; 3]) -> Vec<u8> {
    let screen = [1, 0, 1, 0, 0x80, 0, 0, red, green, blue, 0, 0, 0];
    let image = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b];
    [b"GIF89a".as_slice(), &screen, &image].concat()
}

async fn friends<T: DeserializeOwned>(
    server: SocketAddr,
    target: &str,
    session: &str,
) -> Result<T> {
    let request = Request::get(target).header(COOKIE, session).body(Full::default())?;
    let answer = ask(server, request).await?;
    let body = answer.into_body().collect().await?.to_bytes();
    serde_json::from_slice(&body).with_context(|| String::from_utf8_lossy(&body).into_owned())
}

/// Returns the cookies of a new session, as a request carries them.
async fn sign_in(server: SocketAddr, user: &str) -> Result<String> {
    let body = serde_json::json!({ "username": user, "password": PASSWORD }).to_string();
    let request = Request::post("/api/session")
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body))?;
    let answer = ask(server, request).await?;
    ensure!(answer.status().is_success(), "the sign-in of {user} answered {}", answer.status());
    let cookies = answer.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| {
        let cookie = cookie.to_str().ok()?;
        Some(cookie.split(';').next().unwrap_or(cookie).to_owned())
    });
    Ok(cookies.collect::<Vec<_>>().join("; "))
}

async fn ask(server: SocketAddr, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
    request.headers_mut().insert(HOST, server.to_string().parse()?);
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
