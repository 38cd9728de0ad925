//! Memory over a hundred thousand requests of every kind.

use anyhow::{Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use miniature_api::Size;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    people::{Friend, People, friends},
    process::Server,
    report::Row,
};

/// How many requests in all.
const REQUESTS: usize = 100_000;

/// After how many memory is looked at.
const LOOKS: usize = 20_000;

/// How many are under way at once.
const AT_ONCE: usize = 32;

/// How much more memory may be held at the end than after the first look, of a hundred.
const GROWTH: u64 = 5;

/// Of so many requests one changes something, tries to sign in, or opens a stream.
const CHANGES_EVERY: usize = 100;

/// Asks for everything there is, and changes what there is, again and again.
///
/// # Errors
///
/// If a request fails.
pub async fn measure(people: &People) -> Result<Vec<Row>> {
    let server = Server::start(&people.data()).await?;
    let visitor = Visitor {
        paths: paths(&friends(&server).await?),
        photographs: people.photographs()?,
        server: &server,
    };
    let mut looks = Vec::new();
    for look in 0..REQUESTS / LOOKS {
        let numbers = look * LOOKS..(look + 1) * LOOKS;
        let requests = numbers.map(|n| visitor.ask(n));
        stream::iter(requests).buffer_unordered(AT_ONCE).try_for_each(async |()| Ok(())).await?;
        looks.push(server.process.memory("VmRSS")?);
    }
    let (first, last) = (looks[0], looks[looks.len() - 1]);
    let seen = looks.iter().map(|bytes| format!("{:.1}", mebibytes(*bytes)));
    Ok(vec![Row::held(
        format!("memory after {REQUESTS} mixed requests, one in {CHANGES_EVERY} a change"),
        format!("{} MiB, each after {LOOKS} more", seen.collect::<Vec<_>>().join(", ")),
        format!("flat: the last at most {GROWTH} % over the first"),
        last * 100 <= first * (100 + GROWTH),
    )])
}

/// One who does everything that can be done.
struct Visitor<'a> {
    server: &'a Server,
    paths: Vec<String>,
    photographs: Vec<Vec<u8>>,
}

impl Visitor<'_> {
    /// The n-th request.
    async fn ask(&self, n: usize) -> Result<()> {
        if !n.is_multiple_of(CHANGES_EVERY) {
            return self.server.get(&self.paths[n % self.paths.len()]).await.map(drop);
        }
        let turn = n / CHANGES_EVERY;
        let (client, url) = (&self.server.client, |path| format!("{}{path}", self.server.url));
        let request = match turn % 5 {
            0 => {
                let photograph = &self.photographs[turn % self.photographs.len()];
                client.put(url("/api/users/me/picture")).body(photograph.clone())
            }
            1 => client.post(url("/api/posts")).json(&json!({ "text": format!("Post {turn}") })),
            2 => client
                .patch(url("/api/users/me"))
                .json(&json!({ "headline": format!("Headline {turn}") })),
            3 => client
                .post(url("/api/session"))
                .json(&json!({ "username": format!("nobody-{turn}"), "password": "wrong" })),
            _ => client.get(url("/api/events")),
        };
        // A stream is left as soon as it has begun. Some are refused: wrong passwords all, and what
        // is tried more often than one may.
        let status = request.send().await?.status();
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
        ensure!(status.is_success() || refused.contains(&status), "request {n}: {status}");
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "to be read by people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Every picture in every size, everybody's record and profile, lists and batches.
fn paths(friends: &[Friend]) -> Vec<String> {
    let mut paths = vec!["/api/session".to_owned(), "/api/friends".to_owned()];
    for size in Size::ALL {
        paths.push(format!("/api/friends?pictures={size}"));
        for Friend { user, image } in friends {
            paths.push(format!("/images/{image}?size={size}"));
            paths.push(format!("/api/images/user/{user}?size={size}"));
            paths.push(format!("/api/images/batch?size={size}&users={user}"));
        }
    }
    paths.extend(friends.iter().map(|friend| format!("/api/users/{}", friend.user)));
    paths
}
