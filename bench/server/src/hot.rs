//! Hot routes, beside a bare handler that answers with as many bytes.

use std::{fmt::Write, time::Duration};

use anyhow::Result;
use miniature_api::Size;

use crate::{
    people::{Friend, friends},
    process::{Process, Server},
    report::{Row, median},
    wrk::{Load, load},
};

/// How often both are measured, in turn.
const ROUNDS: usize = 5;

/// How long one is loaded at a time.
const LASTS: Duration = Duration::from_secs(3);

/// At least so much of a bare handler's requests a second.
const SPEED: f64 = 0.6;

/// Less than so many times a bare handler's 99th percentile.
const DELAY: f64 = 3.0;

/// Our routes in turn with a bare handler.
///
/// # Errors
///
/// If either does not answer.
pub async fn measure(server: &Server) -> Result<Vec<Row>> {
    let friends = friends(server).await?;
    let first = &friends[0];
    let routes = [
        ("hot `GET /images/{id}`", format!("/images/{}?size={}", first.image, Size::S256)),
        (
            "hot `GET /api/images/user/{id}`",
            format!("/api/images/user/{}?size={}", first.user, Size::S256),
        ),
        ("hot batch of 50 with bytes", batch(&friends)),
    ];
    let mut rows = Vec::new();
    for (what, path) in routes {
        let rounds = rounds(server, &path).await?;
        rows.push(if what.contains("batch") { rounds.delay(what) } else { rounds.speed(what) });
    }
    Ok(rows)
}

/// A request for everybody's picture at 64 px.
fn batch(friends: &[Friend]) -> String {
    let mut path = format!("/api/images/batch?size={}&users=", Size::S64);
    for (n, friend) in friends.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        // Writing into a `String` does not fail.
        let _ = write!(path, "{comma}{}", friend.user);
    }
    path
}

/// What both came to in each round.
struct Rounds {
    bytes: usize,
    ours: Vec<Load>,
    bare: Vec<Load>,
}

async fn rounds(server: &Server, path: &str) -> Result<Rounds> {
    let bytes = server.get(path).await?.len();
    let mut bare = Process::start("bare", &[bytes.to_string()])?;
    let bare_url = format!("{}/{bytes}", bare.prints("listening on ")?);
    let our_url = format!("{}{path}", server.url);
    let mut rounds = Rounds { bytes, ours: Vec::new(), bare: Vec::new() };
    for _ in 0..ROUNDS {
        rounds.bare.push(load(&bare_url, None, LASTS)?);
        rounds.ours.push(load(&our_url, Some(&server.cookie), LASTS)?);
    }
    Ok(rounds)
}

impl Rounds {
    fn speed(&self, what: &str) -> Row {
        let per_second = |loads: &[Load]| median(loads.iter().map(|l| l.per_second).collect());
        let (ours, bare) = (per_second(&self.ours), per_second(&self.bare));
        let measured = format!("{ours:.0}/s, bare {bare:.0}/s: {:.0} %", ours / bare * 100.0);
        let bar = format!("at least {:.0} % of bare", SPEED * 100.0);
        Row::held(self.named(what), measured, bar, ours >= bare * SPEED)
    }

    fn delay(&self, what: &str) -> Row {
        let p99 = |loads: &[Load]| median(loads.iter().map(|load| load.p99_ms).collect());
        let (ours, bare) = (p99(&self.ours), p99(&self.bare));
        let measured = format!("p99 {ours:.1} ms, bare {bare:.1} ms: {:.1} x", ours / bare);
        Row::held(self.named(what), measured, format!("under {DELAY} x bare"), ours < bare * DELAY)
    }

    fn named(&self, what: &str) -> String {
        format!("{what}, {} bytes; median of {ROUNDS}", self.bytes)
    }
}
